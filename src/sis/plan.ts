import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { contactFacts, differs, phonesStated, relationshipFacts, stagedBy, studentFacts } from './scope.js';
import type { ImportScope } from './scope.js';

/**
 * Compares the staged rows with what stands, into tables that live as long as the transaction:
 * `plan_losers` (rows about a pair of which a later one speaks), `plan_pairs` (one row per pair that the file states),
 * `plan_missing` (relationships to end), `plan_contacts`, `plan_students` and `plan_schools` (whose facts change, and the row that states
 * them). Where rows about one pair or person disagree, the latest `last_modified` wins, then the later row.
 */
export async function makePlan(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const sis = sql.lit(scope.sis);
  await sql`
    create temp table plan_losers on commit drop as
    select row from (
      select w.row, row_number() over (
        partition by w.student_id, w.contact_id order by w.last_modified desc nulls last, w.row desc) as place
      from ${stagedBy(scope)} and w.states_pair and w.problem is null and (w.student_id, w.contact_id) in (
        select w.student_id, w.contact_id from ${stagedBy(scope)} and w.states_pair and w.problem is null
        group by 1, 2 having count(*) > 1)
    ) ranked where place > 1`.execute(trx);
  await sql`
    create temp table plan_pairs on commit drop as
    select w.row, w.student_id, w.contact_id, w.restricted, w.gone, w.school_code, r.id as relationship_id,
      not w.gone and (r.id is null or r.ended_at is not null) as added,
      not w.gone and (r.id is null or r.ended_at is not null or ${differs('r', relationshipFacts)}) as changed
    from staged_rows w
      left join contacts c on c.sis = ${sis} and c.sis_id = w.contact_id
      left join students s on s.sis = ${sis} and s.sis_id = w.student_id
      left join relationships r on r.contact_id = c.id and r.student_id = s.id
    where w.run_id = ${sql.lit(scope.runId)} and w.states_pair and w.problem is null
      and not exists (select 1 from plan_losers l where l.row = w.row)`.execute(trx);
  await sql`analyze plan_pairs`.execute(trx);
  await planMissing(trx, scope);
  await planContacts(trx, scope);
  await planStudents(trx, scope);
  await sql`
    create temp table plan_schools on commit drop as
    select distinct on (w.school_code) w.school_code as code, w.school_name as name, h.id
    from staged_rows w left join schools h on h.sis = ${sis} and h.code = w.school_code
    where w.run_id = ${sql.lit(scope.runId)} and w.problem is null and not w.gone and w.school_code is not null
      and h.name is distinct from w.school_name
    order by w.school_code, w.last_modified desc nulls last, w.row desc`.execute(trx);
}

async function planMissing(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const sis = sql.lit(scope.sis);
  const staged = sql`select 1 from ${stagedBy(scope)}`;
  // A row that could not be taken is not missing: what stands, stands.
  const left =
    scope.kind === 'bulk'
      ? sql`${scope.partly ? sql`s.id in (select id from plan_looked_at) and` : sql``}
          not exists (select 1 from plan_pairs p where p.relationship_id = r.id and not p.gone)
          and not exists (${staged} and w.problem is not null and w.student_id = s.sis_id and w.contact_id = c.sis_id)`
      : sql`exists (select 1 from plan_pairs p where p.relationship_id = r.id and p.gone)
          or exists (select 1 from plan_vacated v where v.contact_id = c.id)
          or exists (select 1 from plan_vacated_students v where v.student_id = s.id)
          or exists (${staged} and w.gone and not w.states_pair and w.problem is null and w.student_id = s.sis_id)
          or exists (${staged} and w.gone and not w.states_pair and w.problem is null and w.contact_id = c.sis_id)`;
  await sql`
    create temp table plan_missing on commit drop as
    select r.id as relationship_id, r.contact_id, r.student_id, s.school_id, r.end_date
    from relationships r join students s on s.id = r.student_id and s.sis = ${sis} join contacts c on c.id = r.contact_id
    where r.ended_at is null and (${left})`.execute(trx);
}

/**
 * Of the rows that speak of a person the latest is asked whether it says something new. A person of whom no row does is not looked at
 * again, which is nearly everybody on nearly every day.
 */
async function planContacts(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  await sql`
    create temp table plan_contacts on commit drop as
    with said as materialized (
      select w.contact_id as sis_id, w.row, w.last_modified, w.states_pair, c.id,
        c.id is null or ${differs('c', contactFacts)} or c.phones_stated is distinct from ${phonesStated} as differs
      from staged_rows w left join contacts c on c.sis = ${sql.lit(scope.sis)} and c.sis_id = w.contact_id
      where w.run_id = ${sql.lit(scope.runId)} and w.states_contact and not w.gone and w.problem is null
    )
    select sis_id, row, id, states_pair from (
      select distinct on (sis_id collate "C") * from said where sis_id in (select sis_id from said where differs)
      order by sis_id collate "C", last_modified desc nulls last, row desc
    ) winner where differs`.execute(trx);
  await sql`analyze plan_contacts`.execute(trx);
}

async function planStudents(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const sis = sql.lit(scope.sis);
  // One "yes" anywhere protects the family, also in a row that is not taken for another reason; an empty flag takes no protection away.
  await sql`
    create temp table plan_protected on commit drop as
    select w.student_id as sis_id, bool_or(w.confidential) as confidential
    from ${stagedBy(scope)} and w.confidential is not null group by w.student_id`.execute(trx);
  // Nor does a correction that makes another child of the student, where somebody of the family comes with it.
  await sql`
    insert into plan_protected
    select v.sis_id, true from plan_vacated_students v
    where v.confidential and not exists (select 1 from plan_protected f where f.sis_id = v.sis_id) and exists (
      select 1 from relationships r join contacts c on c.id = r.contact_id join plan_pairs p on p.contact_id = c.sis_id
      where r.student_id = v.student_id and p.student_id = v.sis_id and not p.gone)`.execute(trx);
  await sql`
    create temp table plan_students on commit drop as
    with said as materialized (
      select w.student_id as sis_id, w.row, w.last_modified, s.id, w.school_code,
        s.id is null or ${differs('s', studentFacts)} or h.code <> w.school_code or h.name <> w.school_name
          or (f.confidential is not null and f.confidential is distinct from s.confidential) as differs
      from staged_rows w left join students s on s.sis = ${sis} and s.sis_id = w.student_id
        left join schools h on h.id = s.school_id left join plan_protected f on f.sis_id = w.student_id
      where w.run_id = ${sql.lit(scope.runId)} and w.states_student and not w.gone and w.problem is null
    )
    select sis_id, row, id, school_code from (
      select distinct on (sis_id collate "C") * from said where sis_id in (select sis_id from said where differs)
      order by sis_id collate "C", last_modified desc nulls last, row desc
    ) winner where differs`.execute(trx);
  await sql`analyze plan_students`.execute(trx);
}
