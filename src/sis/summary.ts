import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { linesNamed } from './staging.js';
import type { Reasons } from './staging.js';
import { stagedBy } from './scope.js';
import type { ImportScope } from './scope.js';

/** What a plan changes among the relationships of one school. */
export interface SchoolChange {
  code: string;
  name: string;
  /** Relationships that stood before. */
  standing: number;
  added: number;
  changed: number;
  ended: number;
}

/** A plan in numbers, before anything is applied. */
export interface PlanSummary {
  relationships: { added: number; changed: number; ended: number };
  contacts: { added: number; changed: number; followed: number; vacated: number };
  students: { added: number; changed: number; vacated: number };
  /** Contacts under a restriction of this file that is not in force yet. */
  newRestrictions: number;
  /** Every school with a change, by code. */
  schools: SchoolChange[];
  /** The ten schools with the most changes, largest first. */
  largest: SchoolChange[];
}

/** How the rows that the run staged come out; every row is one of these. */
export interface Outcome {
  applied: number;
  unchanged: number;
  skipped: number;
  reasons: Reasons;
}

/**
 * Counts each row of the file: skipped with a reason, applied where something that it states changes, unchanged otherwise. Rows that a format
 * derived from a record (`record.ts`) are none of the file; what they change is the record's, and their problems are told besides.
 */
export async function countRows(trx: DatabaseTransaction, scope: ImportScope): Promise<Outcome> {
  const run = sql.lit(scope.runId);
  const own = sql`(w.part_of is null or not (w.states_student or w.states_contact or w.states_pair or w.gone))`;
  const { rows: found } = await sql<{ reason: string; count: number; skipped: number; lines: number[] }>`
    select reason, count(*)::int as count, count(*) filter (where own)::int as skipped,
      (array_agg(line order by row))[1:${sql.lit(linesNamed)}] as lines
    from (
      select coalesce(w.problem, 'superseded') as reason, w.line, w.row, ${own} as own from ${stagedBy(scope)}
        and (w.problem is not null or exists (select 1 from plan_losers l where l.row = w.row))
    ) skipped group by reason`.execute(trx);
  const { rows } = await sql<{ applied: number; taken: number }>`
    with changing as materialized (
      select row from plan_pairs where changed
      union all select w.row from staged_rows w join plan_contacts c on c.sis_id = w.contact_id where w.run_id = ${run} and w.states_contact
      union all select w.row from staged_rows w join plan_students s on s.sis_id = w.student_id where w.run_id = ${run} and w.states_student
      union all select p.row from plan_pairs p join plan_missing m on m.relationship_id = p.relationship_id where p.gone
      union all select w.row from staged_rows w join plan_schools h on h.code = w.school_code
        where w.run_id = ${run} and not w.states_student and not w.states_contact and not w.states_pair
      union all select w.row from ${stagedBy(scope)} and w.gone and not w.states_pair and exists (
        select 1 from plan_missing m join contacts c on c.id = m.contact_id join students s on s.id = m.student_id
        where w.contact_id = c.sis_id or w.student_id = s.sis_id)
    ), parts as materialized (
      select w.row, w.part_of from ${stagedBy(scope)} and w.part_of is not null
    ), changed as materialized (
      select row from changing
      union all select part_of from parts where row in (select row from changing)
    )
    -- Many rows stand there several times; a hash of them costs a tenth of what sorting them apart does.
    select count(*)::int as taken, (count(*) filter (where coalesce(w.part_of, w.row) in (select row from changed)))::int as applied
    from staged_rows w
    where w.run_id = ${run} and w.problem is null and ${own} and not exists (select 1 from plan_losers l where l.row = w.row)`.execute(
    trx,
  );
  const { applied, taken } = rows[0] ?? { applied: 0, taken: 0 };
  return {
    applied,
    unchanged: taken - applied,
    skipped: found.reduce((sum, reason) => sum + reason.skipped, 0),
    reasons: Object.fromEntries(found.map(({ reason, count, lines }) => [reason, { count, lines }])),
  };
}

/** What the plan would change. */
export async function summarise(trx: DatabaseTransaction, scope: ImportScope): Promise<PlanSummary> {
  const { rows: schools } = await sql<SchoolChange>`
    with change as (
      select school_code as code, added::int as added, (changed and not added)::int as changed, 0 as ended from plan_pairs where changed
      union all
      select h.code, 0, 0, 1 from plan_missing m join schools h on h.id = m.school_id
    )
    select c.code, coalesce(max(p.name), max(h.name), c.code) as name,
      (select count(*) from relationships r join students s on s.id = r.student_id
        where s.school_id = (select id from schools where sis = ${scope.sis} and code = c.code) and r.ended_at is null)::int as standing,
      sum(added)::int as added, sum(changed)::int as changed, sum(ended)::int as ended
    from change c left join schools h on h.sis = ${scope.sis} and h.code = c.code left join plan_schools p on p.code = c.code
    where c.code is not null
    group by c.code order by c.code`.execute(trx);
  const { rows } = await sql<Record<string, number>>`
    select (select count(*) from plan_pairs where added)::int as added,
      (select count(*) from plan_pairs where changed and not added)::int as changed,
      (select count(*) from plan_missing)::int as ended,
      (select count(*) from plan_contacts where id is null)::int as contacts_added,
      (select count(*) from plan_contacts where id is not null)::int as contacts_changed,
      (select count(*) from plan_followed)::int as followed, (select count(*) from plan_vacated)::int as vacated,
      (select count(*) from plan_vacated_students)::int as students_vacated,
      (select count(*) from plan_students where id is null)::int as students_added,
      (select count(*) from plan_students where id is not null)::int as students_changed,
      (select count(distinct (w.student_id, w.contact_id)) from ${stagedBy(scope)} and w.restricted and not exists (
        select 1 from contacts c join relationships r on r.contact_id = c.id join students s on s.id = r.student_id
          join restrictions x on x.relationship_id = r.id and x.lifted_at is null
        where c.sis = ${scope.sis} and c.sis_id = w.contact_id and s.sis_id = w.student_id))::int as restrictions`.execute(
    trx,
  );
  const number = (name: string): number => rows[0]?.[name] ?? 0;
  return {
    relationships: { added: number('added'), changed: number('changed'), ended: number('ended') },
    contacts: {
      added: number('contacts_added'),
      changed: number('contacts_changed'),
      followed: number('followed'),
      vacated: number('vacated'),
    },
    students: {
      added: number('students_added'),
      changed: number('students_changed'),
      vacated: number('students_vacated'),
    },
    newRestrictions: number('restrictions'),
    schools,
    largest: [...schools].sort((one, other) => size(other) - size(one)).slice(0, 10),
  };
}

function size({ added, changed, ended }: SchoolChange): number {
  return added + changed + ended;
}

/**
 * SHA-256 of what the plan does, hex: of the rows that change something, and of the relationships that it ends. With the digest of the
 * file, which says what these rows are, two equal plans have equal digests.
 */
export async function planDigest(trx: DatabaseTransaction): Promise<string> {
  const { rows } = await sql<{ digest: string }>`
    select encode(sha256(convert_to(coalesce(string_agg(part, ';' order by part), ''), 'UTF8')), 'hex') as digest from (
      select 'pairs ' || string_agg(row || case when added then '+' else '' end, ',' order by row) as part from plan_pairs where changed
      union all select 'contacts ' || string_agg(row::text, ',' order by row) from plan_contacts
      union all select 'students ' || string_agg(row::text, ',' order by row) from plan_students
      union all select 'schools ' || string_agg(code, ',' order by code) from plan_schools
      union all select 'ended ' || string_agg(relationship_id::text, ',' order by relationship_id) from plan_missing
      union all select 'ids ' || string_agg(contact_id::text, ',' order by contact_id)
        from (select contact_id from plan_vacated union all select contact_id from plan_followed) ids
      union all select 'ids of students ' || string_agg(student_id::text, ',' order by student_id) from plan_vacated_students
    ) parts`.execute(trx);
  return rows[0]?.digest ?? '';
}
