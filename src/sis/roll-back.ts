import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { dropBaseline } from './baseline.js';
import { reportOf, storedRun } from './decide.js';
import type { Decision, StoredRun } from './decide.js';
import { localDate } from '../families/entitlement.js';
import { endPassedRights } from './end-passed-rights.js';
import { FeedRefused } from './feeds/format.js';
import type { ImportTools } from './import.js';
import { joinAtOnce, takeBackJoins } from './join-after.js';
import { giveTurnBack, holdTurn, takeTurn } from './lease.js';
import { relationshipFacts } from './scope.js';
import { placeHolds } from './restrictions.js';
import { finish, runEvent } from './runs.js';
import type { RunReport } from './runs.js';
import { endLostRights, tellApps } from './tell-restrictions.js';

/** What stood before a run is kept this long (ms); older runs cannot be rolled back. */
const imagesKept = 30 * 86_400_000;

/**
 * Brings back what stood before a run, while no later run has touched the same rows. A restriction that the run imposed stays, and one
 * that it lifted holds again. What the run made is not deleted, it stands no more: accounts and restrictions may refer to it.
 *
 * @param sisOf the SIS of a feed's name
 * @throws FeedRefused saying what stands in the way
 */
export async function rollBackRun(
  db: Database,
  options: ImportTools & Decision,
  sisOf: (feed: string) => string,
): Promise<RunReport> {
  const { runId, actor, reason, clock, audit } = options;
  const run = await storedRun(db, runId);
  if (run.state !== 'applied') {
    throw new FeedRefused(`Only an applied run can be rolled back; this one is ${run.state.replace('_', ' ')}.`);
  }
  const now = clock();
  if (now.getTime() - run.started_at.getTime() > imagesKept) {
    throw new FeedRefused('That run is older than 30 days: what stood before it is not kept any longer.');
  }
  const report = reportOf(runId, run, clock);
  const turn = randomUUID();
  await takeTurn(db, run.feed, { id: turn, actor }, clock);
  try {
    await db.transaction().execute(async (trx) => {
      await holdTurn(trx, run.feed, turn);
      await noteFirst(trx, run, sisOf(run.feed));
      await dropBaseline(trx, sisOf(run.feed));
      await refuseBlocked(trx, run);
      await takeBackJoins(trx, audit, { ...run, id: runId });
      await restore(trx, run.no, now);
      // What the run restricted under an id is of the child who has it again.
      await placeHolds(trx, now, localDate(now, options.timeZone));
      await supersedeUnchanged(trx, run);
      await finish(trx, report, 'rolled_back', clock);
      await sql`update feed_runs set decided_by = ${actor}, decided_at = ${now}, reason = ${reason},
        joins_noted_at = null where id = ${runId}`.execute(trx);
      await audit(trx, runEvent('feed.rolled_back', actor, report, reason));
    });
  } finally {
    await giveTurnBack(db, run.feed, turn);
    await sql`delete from feed_runs where id = ${turn}`.execute(db);
  }
  await db.transaction().execute((trx) => endLostRights(trx, now));
  // A birth date may have been corrected; what fails here is done by the job of each day.
  await endPassedRights(db, options).catch(() => {});
  await tellApps(db, options);
  await joinAtOnce(db, options);
  return report;
}

/** Later runs that found this one's file again found what stands no more: the file is to be compared anew. */
async function supersedeUnchanged(trx: DatabaseTransaction, { feed, no, digest }: StoredRun): Promise<void> {
  await sql`
    update feed_runs set state = 'superseded' where feed = ${feed} and no > ${no} and state = 'unchanged' and digest = ${digest}`.execute(
    trx,
  );
}

/** The first run of a feed wrote nothing down, because all that is there is its own. */
async function noteFirst(trx: DatabaseTransaction, run: StoredRun, sis: string): Promise<void> {
  const earlier = await sql`
    select 1 from feed_runs where feed = ${run.feed} and no < ${run.no} and state in ('applied', 'unchanged') limit 1`.execute(
    trx,
  );
  if (earlier.rows.length > 0) {
    const images = await sql`select 1 from feed_run_images where run_no = ${run.no} limit 1`.execute(trx);
    if (images.rows.length === 0 && run.counts.applied + run.counts.ended > 0) {
      throw new FeedRefused('What stood before that run was not written down.');
    }
    return;
  }
  const unless = sql`not exists (select 1 from feed_run_images i where i.row_id = x.id and i.before is null)`;
  for (const [kind, rows] of [
    ['contact', sql`contacts x where x.sis = ${sis}`],
    ['student', sql`students x where x.sis = ${sis}`],
    [
      'relationship',
      sql`(select r.id from relationships r join students s on s.id = r.student_id and s.sis = ${sis}) x where true`,
    ],
  ] as const) {
    await sql`
      insert into feed_run_images (run_no, kind, row_id) select ${run.no}, ${kind}, x.id from ${rows} and ${unless}`.execute(
      trx,
    );
  }
}

async function refuseBlocked(trx: DatabaseTransaction, run: StoredRun): Promise<void> {
  const { rows } = await sql<{ id: string; started_at: Date; rows: number }>`
    select f.id, f.started_at, count(distinct (later.kind, later.row_id))::int as rows
    from feed_run_images mine join feed_run_images later
        on later.kind = mine.kind and later.row_id = mine.row_id and later.run_no > mine.run_no
      join feed_runs f on f.no = later.run_no
    where mine.run_no = ${run.no} group by f.id, f.started_at, f.no order by f.no desc`.execute(trx);
  const [latest] = rows;
  if (latest === undefined) return;
  const more = rows.length > 1 ? ` (and ${rows.length - 1} more)` : '';
  throw new FeedRefused(
    `A later run changed ${latest.rows} of the same rows: roll back run ${latest.id} of ${latest.started_at.toISOString().slice(0, 16)}Z${more} first, or import a corrected file.`,
  );
}

const contactColumns = [
  'given_name',
  'family_name',
  'name_key',
  'language',
  'email_raw',
  'email',
  'email_problem',
  'phones_stated',
  'current',
  'last_modified',
  'sis_id',
];
const studentColumns = [
  'given_name',
  'family_name',
  'email_normal',
  'grade',
  'birth_date',
  'rights_retained_until',
  'confidential',
  'school_id',
  'current',
  'sis_id',
];
const relationshipColumns = [...relationshipFacts.map(([column]) => column), 'last_modified', 'ended_at', 'end_reason'];

async function restore(trx: DatabaseTransaction, runNo: number, now: Date): Promise<void> {
  const images = (kind: string) => sql`feed_run_images i where i.run_no = ${runNo} and i.kind = ${kind}`;
  // Ids may have gone round in a circle, and one that was given to a new person goes back: first out of everybody's way.
  for (const person of ['contact', 'student'] as const) {
    await sql`
      update ${sql.table(`${person}s`)} x set sis_id = x.sis_id || ' of run ' || ${runNo}::text
      from feed_run_images i where i.run_no = ${runNo} and i.kind = ${person} and x.id = i.row_id
        and (i.before ->> 'sis_id' <> x.sis_id
          or i.before is null and exists (select 1 from ${images(person)} and i.before ->> 'sis_id' = x.sis_id))`.execute(
      trx,
    );
  }
  await writeBack(trx, runNo, 'contact', 'contacts', contactColumns, now);
  await sql`
    update contacts c set email_loaded_at = ${now} from feed_run_images i
    where i.run_no = ${runNo} and i.kind = 'contact' and c.id = i.row_id and i.before is not null
      and i.before ->> 'email_loaded_at' is distinct from to_jsonb(c) ->> 'email_loaded_at'`.execute(trx);
  await sql`
    delete from contact_phones n using ${images('contact')} and i.before is not null and n.contact_id = i.row_id`.execute(
    trx,
  );
  await sql`
    insert into contact_phones select n.* from feed_run_images i
      cross join lateral jsonb_populate_recordset(null::contact_phones, i.before -> 'phones') n
    where i.run_no = ${runNo} and i.kind = 'contact' and i.before is not null`.execute(trx);
  await writeBack(trx, runNo, 'student', 'students', studentColumns, now);
  await writeBack(trx, runNo, 'relationship', 'relationships', relationshipColumns, now);
  await sql`
    update schools h set name = i.before ->> 'name' from feed_run_images i
    where i.run_no = ${runNo} and i.kind = 'school' and h.id = i.row_id and i.before is not null`.execute(trx);
  await sql`
    update relationships r set ended_at = ${now}, end_reason = 'rolled_back' from feed_run_images i
    where i.run_no = ${runNo} and i.kind = 'relationship' and r.id = i.row_id and i.before is null and r.ended_at is null`.execute(
    trx,
  );
  for (const person of ['contact', 'student'] as const) {
    await sql`
      update ${sql.table(`${person}s`)} person set current = false from feed_run_images i
      where i.run_no = ${runNo} and i.kind = ${person} and person.id = i.row_id and i.before is null and not exists (
        select 1 from relationships r where r.${sql.ref(`${person}_id`)} = person.id and r.ended_at is null)`.execute(
      trx,
    );
  }
  // The apps are told of it anew.
  await sql`
    update restrictions x set lifted_at = null, told_at = null from feed_run_images i
    where i.run_no = ${runNo} and i.kind = 'restriction' and x.id = i.row_id and x.lifted_at is not null
      and not exists (select 1 from restrictions o where o.relationship_id = x.relationship_id and o.lifted_at is null)`.execute(
    trx,
  );
  await sql`delete from feed_run_images where run_no = ${runNo}`.execute(trx);
}

async function writeBack(
  trx: DatabaseTransaction,
  runNo: number,
  kind: string,
  table: string,
  columns: readonly string[],
  now: Date,
): Promise<void> {
  const values = sql.raw(columns.map((column) => `${column} = b.${column}`).join(', '));
  await sql`
    update ${sql.table(table)} x set ${values}, facts_loaded_at = ${now}
    from feed_run_images i cross join lateral jsonb_populate_record(null::${sql.table(table)}, i.before) b
    where i.run_no = ${runNo} and i.kind = ${kind} and x.id = i.row_id and i.before is not null`.execute(trx);
}

/** Forgets what is too old to be brought back. */
export async function cleanImages(db: Database, now: Date): Promise<void> {
  await sql`
    delete from feed_run_images where run_no in (
      select no from feed_runs where started_at < ${new Date(now.getTime() - imagesKept)} and state <> 'running')`.execute(
    db,
  );
}
