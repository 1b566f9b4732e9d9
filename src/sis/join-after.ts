import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { joinContacts } from '../families/joins.js';
import { endChildTokens } from '../sessions/child-tokens.js';

interface Tools {
  clock: Clock;
  timeZone: string;
  audit: RecordEvent;
}

/** A run that touched more contacts than this is taken for one that touched all. */
const mostTouched = 5_000;
/** Proven contacts put to the rule at once after an import, some ten milliseconds each; the job of each minute goes on with the rest. */
const atOnce = 500;
const aMinute = 5_000;

/**
 * Puts the contacts that imports brought or changed to the rule of joining (src/families/joins.ts): for each run that nobody looked at, an
 * applied one or one that was rolled back, it notes the proven contacts that stand near what changed, and then takes those noted one
 * by one, each in a transaction of its own. What a killed process leaves is still noted, and doing it twice comes to the same.
 *
 * @param most how many proven contacts are taken; the others stay noted
 * @throws the first error of a contact; those after it are taken all the same
 */
export async function joinAfterRuns(db: Database, tools: Tools, most = aMinute): Promise<void> {
  while (await db.transaction().execute((trx) => noteRun(trx, tools.clock())));
  const failures: unknown[] = [];
  let last: string | null = null;
  for (let taken = 0; taken < most; taken += 1) {
    const before: string | null = last;
    const next = await sql<{ contact_id: string }>`
      select contact_id from joins_due where ${before}::uuid is null or contact_id > ${before} order by contact_id limit 1`.execute(
      db,
    );
    last = next.rows[0]?.contact_id ?? null;
    if (last === null) break;
    const contactId = last;
    await db
      .transaction()
      .execute((trx) => takeDue(trx, tools, contactId))
      .catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** The same at once after a run was applied or rolled back. What fails here, or is too much, is done by the job of each minute. */
export async function joinAtOnce(db: Database, tools: Tools): Promise<void> {
  await joinAfterRuns(db, tools, atOnce).catch(() => {});
}

/** @returns false when every run was looked at */
async function noteRun(trx: DatabaseTransaction, now: Date): Promise<boolean> {
  const { rows } = await sql<{ id: string; no: number; undone: boolean; first: boolean }>`
    select id, no, state = 'rolled_back' as undone, (counts ->> 'applied')::int > 0 and not exists (
        select 1 from feed_run_images i where i.run_no = feed_runs.no) as first
    from feed_runs where joins_noted_at is null and state in ('applied', 'rolled_back')
    order by no limit 1 for no key update skip locked`.execute(trx);
  const [run] = rows;
  if (run === undefined) return false;
  const near = run.undone || run.first ? null : await nearRun(trx, run.no);
  await sql`
    insert into joins_due (contact_id)
    select mine.id from contacts mine join proven_contacts p on p.contact_id = mine.id
    where ${near ?? sql`true`} and (
      exists (select 1 from contacts c where c.email = mine.email and ${free})
      or exists (select 1 from contact_phones n join contact_phones o on o.e164 = n.e164 join contacts c on c.id = o.contact_id
        where n.contact_id = mine.id and ${free}))
    order by mine.id on conflict do nothing`.execute(trx);
  await sql`update feed_runs set joins_noted_at = ${now} where id = ${run.id}`.execute(trx);
  return true;
}

/** A contact `c` that may be the person of `mine`. */
const free = sql`c.name_key = mine.name_key and c.id <> mine.id and c.current
  and not exists (select 1 from proven_contacts q where q.contact_id = c.id)`;

/**
 * The condition that `mine` has a mailbox or a phone that a contact has, or had, which the run made or changed: it may be like that
 * contact now, or that one may have stood in its way.
 *
 * @returns null when the run touched too many to look at them one by one
 */
async function nearRun(trx: DatabaseTransaction, runNo: number): Promise<RawBuilder<boolean> | null> {
  const { rows } = await sql<{ id: string }>`
    select row_id as id from feed_run_images where run_no = ${runNo} and kind = 'contact'
    union select r.contact_id from feed_run_images i join relationships r on r.id = i.row_id
      where i.run_no = ${runNo} and i.kind = 'relationship'
    union select r.contact_id from feed_run_images i join restrictions x on x.id = i.row_id join relationships r on r.id = x.relationship_id
      where i.run_no = ${runNo} and i.kind = 'restriction'
    limit ${mostTouched + 1}`.execute(trx);
  if (rows.length > mostTouched) return null;
  const touched = rows.map(({ id }) => id);
  const { rows: had } = await sql<{ emails: string[]; phones: string[] }>`
    with images as (
      select before from feed_run_images where run_no = ${runNo} and kind = 'contact' and before is not null
    )
    select array(
        select c.email from contacts c where c.id = any(${touched}::uuid[]) and c.email is not null
        union select before ->> 'email' from images where before ->> 'email' is not null) as emails,
      array(
        select n.e164 from contact_phones n where n.contact_id = any(${touched}::uuid[]) and n.e164 is not null
        union select n ->> 'e164' from images cross join jsonb_array_elements(before -> 'phones') n
          where n ->> 'e164' is not null) as phones`.execute(trx);
  const { emails, phones } = had[0] ?? { emails: [], phones: [] };
  return sql<boolean>`mine.id in (
    select c.id from contacts c where c.email = any(${emails}::text[])
    union select n.contact_id from contact_phones n where n.e164 = any(${phones}::text[]))`;
}

async function takeDue(trx: DatabaseTransaction, { clock, timeZone, audit }: Tools, contactId: string): Promise<void> {
  const due = await sql`select 1 from joins_due where contact_id = ${contactId} for update skip locked`.execute(trx);
  if (due.rows.length === 0) return;
  // An account that is suspended or closed gets nothing; when it is reopened its contacts are due again.
  const { rows } = await sql<{ account_id: string }>`
    select p.account_id from proven_contacts p left join accounts a on a.id = p.account_id
    where p.contact_id = ${contactId} and a.disabled_at is null`.execute(trx);
  for (const { account_id: accountId } of rows) {
    const joined = await joinContacts(trx, { accountId, contactId, now: clock(), timeZone });
    if (joined.length > 0) {
      const details = { like: contactId, joined };
      await audit(trx, { kind: 'contact.joined', actor: 'system', subject: `account:${accountId}`, details });
    }
  }
  await sql`delete from joins_due where contact_id = ${contactId}`.execute(trx);
}

/**
 * Takes back, in the transaction of a roll back, what joined by itself since the run began in accounts that stand near what the run made or
 * changed: it may have joined by a mailbox, a right, a lifted restriction or the absence of somebody else that was wrong. What joins
 * without the run joins again, right after.
 */
export async function takeBackJoins(
  trx: DatabaseTransaction,
  audit: RecordEvent,
  run: { id: string; no: number; started_at: Date },
): Promise<void> {
  const near = await nearRun(trx, run.no);
  const { rows } = await sql<{ account_id: string; contact_id: string }>`
    with hit as (
      select distinct q.account_id from proven_contacts q join contacts mine on mine.id = q.contact_id where ${near ?? sql`true`}
    )
    delete from proven_contacts p
    where p.how = 'join' and p.proven_at >= ${run.started_at} and p.account_id in (select account_id from hit)
      and exists (select 1 from proven_contacts o where o.account_id = p.account_id and o.how <> 'join')
    returning p.account_id, p.contact_id`.execute(trx);
  if (rows.length === 0) return;
  await endChildTokens(trx, [...new Set(rows.map((row) => row.account_id))]);
  for (const { account_id: accountId, contact_id: contactId } of rows) {
    const details = { contact: contactId, run: run.id };
    await audit(trx, { kind: 'contact.taken-back', actor: 'system', subject: `account:${accountId}`, details });
  }
}
