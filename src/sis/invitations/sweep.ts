import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { DatabaseTransaction } from '../../database/database.js';
import { invitableMailboxes } from './invitable.js';
import type { InvitableQuestion } from './invitable.js';

type Question = Omit<InvitableQuestion, 'within'>;

/** Contacts gone through in one transaction: a tenth of a second, for which the embedded database keeps others waiting. */
const part = 1_000;
/** Parts in one minute: a million contacts are through in seventeen. */
const partsAMinute = 60;
/** A run that touched more mailboxes than this is looked through in parts. */
const mostAtOnce = 5_000;

/**
 * Finds who may be invited, and puts the mailboxes into the queue. After a run it judges what the run touched; on a new day (rights begin
 * and end by date), after a roll-back and when the settings changed it goes through all in parts, a bounded number each minute.
 *
 * @param inTurn runs each step in a transaction of its own, one instance at a time
 */
export async function sweepMailboxes(
  inTurn: <Result>(work: (trx: DatabaseTransaction) => Promise<Result>) => Promise<Result>,
  asked: Question,
  now: Date,
): Promise<void> {
  await inTurn((trx) => noticeChanges(trx, asked, now));
  for (let parts = 0; parts < partsAMinute; parts += 1) {
    if (!(await inTurn((trx) => nextPart(trx, asked)))) return;
  }
}

async function noticeChanges(trx: DatabaseTransaction, asked: Question, now: Date): Promise<void> {
  // Runs are remembered by name, because one that began earlier may be seen later.
  const { rows } = await sql<{ since: Date; undone: boolean }>`
    with fresh as (
      insert into invitation_runs (run_id, state) select id, state from feed_runs r
      where state in ('applied', 'rolled_back') and not exists (
        select 1 from invitation_runs i where i.run_id = r.id and i.state = r.state)
      on conflict (run_id) do update set state = excluded.state returning run_id, state
    )
    select min(r.started_at) as since, bool_or(fresh.state = 'rolled_back') as undone
    from fresh join feed_runs r on r.id = fresh.run_id having count(*) > 0`.execute(trx);
  const [fresh] = rows;
  const begun = await sql`
    insert into invitation_sweeps (swept_for, swept_at, next_after) values (${JSON.stringify(asked)}, ${now}, '')
    on conflict (only_one) do update set swept_for = excluded.swept_for, swept_at = excluded.swept_at, next_after = ''
      where invitation_sweeps.swept_for <> excluded.swept_for`.execute(trx);
  if (Number(begun.numAffectedRows ?? 0) > 0 || fresh === undefined) return;
  const touched = await sql<{ email: string }>`${touchedSince(fresh.since)} limit ${mostAtOnce + 1}`.execute(trx);
  if (fresh.undone || touched.rows.length > mostAtOnce) {
    await sql`update invitation_sweeps set next_after = '', swept_at = ${now}`.execute(trx);
    return;
  }
  const emails = touched.rows.map(({ email }) => email);
  await judge(trx, asked, sql`select unnest(${emails}::text[]) as email`);
  await sql`update invitation_sweeps set swept_at = ${now}`.execute(trx);
}

/** The mailboxes of everybody about whom a run wrote something. A look at dates alone: no join of all with all. */
function touchedSince(since: Date): RawBuilder<{ email: string }> {
  return sql`
    select c.email from contacts c where c.email is not null and (c.facts_loaded_at >= ${since} or c.email_loaded_at >= ${since})
    union select c.email from contact_phones n join contacts c on c.id = n.contact_id
      where n.loaded_at >= ${since} and c.email is not null
    union select c.email from relationships r join contacts c on c.id = r.contact_id
      where (r.facts_loaded_at >= ${since} or r.ended_at >= ${since}) and c.email is not null
    union select c.email from restrictions x join relationships r on r.id = x.relationship_id
      join contacts c on c.id = r.contact_id
      where (x.imposed_at >= ${since} or x.lifted_at >= ${since}) and c.email is not null`;
}

/** @returns false when there is no next part */
async function nextPart(trx: DatabaseTransaction, asked: Question): Promise<boolean> {
  const { rows } = await sql<{ next_after: string }>`
    select next_after from invitation_sweeps where next_after is not null`.execute(trx);
  const [sweep] = rows;
  if (sweep === undefined) return false;
  const last = await judge(
    trx,
    asked,
    sql`select distinct email from (
      select email from contacts where email > ${sweep.next_after} order by email limit ${part}) some_contacts`,
  );
  await sql`update invitation_sweeps set next_after = ${last}`.execute(trx);
  if (last !== null) return true;
  await sql`delete from invitation_queue q where not exists (select 1 from contacts c where c.email = q.email)`.execute(
    trx,
  );
  return false;
}

/**
 * Puts those of the mailboxes into the queue that may be invited, and takes the others out.
 *
 * @returns the last of them in the order of the database, null where there are none
 */
async function judge(trx: DatabaseTransaction, asked: Question, emails: RawBuilder<unknown>): Promise<string | null> {
  const { rows } = await sql<{ last: string | null }>`
    with looked as materialized (${emails}),
    fit as materialized (
      select * from ${invitableMailboxes({ ...asked, within: sql`c.email in (select email from looked)` })} m
    ),
    gone as (
      delete from invitation_queue q using looked l
      where q.email = l.email and not exists (select 1 from fit where fit.email = l.email)
    ),
    put as (
      insert into invitation_queue (email, changed_at) select email, changed_at from fit
      on conflict (email) do update set changed_at = excluded.changed_at
        where invitation_queue.changed_at <> excluded.changed_at
    )
    select max(email) as last from looked`.execute(trx);
  return rows[0]?.last ?? null;
}
