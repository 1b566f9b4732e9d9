import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { FeedRefused } from './feeds/format.js';

export interface ImportScope {
  runId: string;
  sis: string;
  now: Date;
  /** The district's calendar day, `YYYY-MM-DD`. */
  today: string;
}

export interface Plan {
  /** Pairs that differ from what stands, and pairs that do not. */
  changed: number;
  unchanged: number;
  /** Lines whose pair stands in another row with a later `last_modified`. */
  superseded: number[];
  /** Relationships that stand and are not in the file. */
  missing: number;
}

/**
 * Compares the staged rows with what stands, into tables that live as long as the transaction:
 * `plan_pairs` (one row of the file per pair), `plan_missing`, `plan_contacts` and `plan_students` (whose facts are to be written,
 * and the line that states them). Where rows about one pair or person disagree, the latest `last_modified` wins, then the later line.
 */
export async function makePlan(trx: DatabaseTransaction, { runId, sis }: ImportScope): Promise<Plan> {
  await sql`analyze staged_rows`.execute(trx);
  await sql`
    create temp table plan_pairs on commit drop as
    select w.line, w.student_id, w.contact_id, w.restricted,
      r.id is null or r.ended_at is not null or r.row_digest is distinct from w.digest as changed
    from (
      select distinct on (student_id, contact_id) line, student_id, contact_id, restricted, digest
      from staged_rows where run_id = ${sql.lit(runId)} and problem is null
      order by student_id, contact_id, last_modified desc nulls last, line desc
    ) w
    left join contacts c on c.sis = ${sql.lit(sis)} and c.sis_id = w.contact_id
    left join students s on s.sis = ${sql.lit(sis)} and s.sis_id = w.student_id
    left join relationships r on r.contact_id = c.id and r.student_id = s.id`.execute(trx);
  // A row that could not be taken is not missing: what stands, stands.
  await sql`
    create temp table plan_missing on commit drop as
    select r.id as relationship_id, r.contact_id, r.student_id, s.school_id, r.end_date
    from relationships r join students s on s.id = r.student_id and s.sis = ${sql.lit(sis)}
      join contacts c on c.id = r.contact_id
    where r.ended_at is null and not exists (
      select 1 from staged_rows w
      where w.run_id = ${sql.lit(runId)} and w.student_id = s.sis_id and w.contact_id = c.sis_id)`.execute(trx);
  await sql`analyze plan_pairs`.execute(trx);
  await winners(trx, runId, 'contact');
  await winners(trx, runId, 'student');
  const { rows } = await sql<{ changed: number; unchanged: number; missing: number }>`
    select count(*) filter (where changed)::int as changed, count(*) filter (where not changed)::int as unchanged,
      (select count(*) from plan_missing)::int as missing from plan_pairs`.execute(trx);
  const superseded = await sql<{ line: number }>`
    select w.line from staged_rows w
    where w.run_id = ${runId} and w.problem is null and not exists (select 1 from plan_pairs p where p.line = w.line)
    order by w.line`.execute(trx);
  return {
    ...(rows[0] ?? { changed: 0, unchanged: 0, missing: 0 }),
    superseded: superseded.rows.map((row) => row.line),
  };
}

// A row that left the file may have been the one that stated the person's facts, so the persons of missing pairs are read again too.
async function winners(trx: DatabaseTransaction, runId: string, of: 'contact' | 'student'): Promise<void> {
  const id = sql.ref(`${of}_id`);
  await sql`
    create temp table ${sql.table(`plan_${of}s`)} on commit drop as
    select distinct on (w.${id}) w.${id} as sis_id, w.line
    from staged_rows w
    where w.run_id = ${sql.lit(runId)} and w.problem is null and w.${id} in (
      select ${id} from plan_pairs where changed
      union select p.sis_id from plan_missing m join ${sql.table(`${of}s`)} p on p.id = m.${id})
    order by w.${id}, w.last_modified desc nulls last, w.line desc`.execute(trx);
  await sql`analyze ${sql.table(`plan_${of}s`)}`.execute(trx);
}

/** A school with fewer relationships is judged with its feed only: one child that moves away is no sign of a broken file there. */
const smallestSchool = 5;

/**
 * Refuses a file in which too many relationships are missing: a half-written or filtered extract looks just like that.
 * A relationship whose own end date has passed is expected to leave and does not count.
 *
 * @param shares the largest share that may be missing, of the feed and of one school (0 to 1)
 * @throws FeedRefused naming the numbers
 */
export async function checkMissing(
  trx: DatabaseTransaction,
  { sis, today }: ImportScope,
  shares: { feed_share: number; school_share: number },
): Promise<void> {
  const { rows } = await sql<{ code: string; name: string; standing: number; missing: number }>`
    select h.code, h.name, count(*)::int as standing, count(m.relationship_id)::int as missing
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis} join schools h on h.id = s.school_id
      left join plan_missing m on m.relationship_id = r.id
    where r.ended_at is null and coalesce(r.end_date >= ${today}::date, true)
    group by h.id order by h.code`.execute(trx);
  const standing = rows.reduce((sum, row) => sum + row.standing, 0);
  const missing = rows.reduce((sum, row) => sum + row.missing, 0);
  const found: string[] = [];
  if (missing > standing * shares.feed_share) {
    found.push(
      `${missing} of the feed's ${standing} relationships (${percent(missing, standing)}) are missing, more than ${percent(shares.feed_share, 1)}`,
    );
  }
  const schools = rows.filter(
    (row) => row.standing >= smallestSchool && row.missing > row.standing * shares.school_share,
  );
  for (const row of schools.slice(0, 5)) {
    found.push(
      `${row.missing} of ${row.standing} relationships (${percent(row.missing, row.standing)}) at ${row.name} (${row.code}) are missing, more than ${percent(shares.school_share, 1)}`,
    );
  }
  if (schools.length > 5) found.push(`${schools.length - 5} more schools likewise`);
  if (found.length > 0) throw new FeedRefused(`Nothing was changed: ${found.join('; ')}.`);
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
