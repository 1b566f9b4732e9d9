import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { givenNameKey } from '../families/given-names.js';
import { keepImages } from './images.js';
import { stagedBy } from './scope.js';
import type { ImportScope } from './scope.js';

/** Of a record of the sidecar that is about a pair whom neither side's list names. */
export const namedByNobody = 'no_relationship:guardian_sourced_id';

/**
 * Settles, before anything is compared, which child the ids of the file are: rows that give one id to two children are not taken
 * (`two_people:student_id`); an id that was given to another child leaves the child before with theirs.
 * Leaves `plan_vacated_students (student_id, sis_id, confidential)`.
 */
export async function settleStudents(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  await markTwoChildren(trx, scope);
  await vacateStudents(trx, scope);
}

/**
 * A row with another given name and another birth date is of another child: one of the two alone is what schools correct. A family name
 * plays no part: those between whom ids go astray are brothers and sisters, and children change theirs. Where either side does
 * not say both, the child is the same.
 */
async function vacateStudents(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const sis = sql.lit(scope.sis);
  const known = sql`join students s on s.sis = ${sis} and s.sis_id = w.student_id`;
  const states = sql`w.states_student and not w.gone and w.problem is null`;
  const differs = sql`s.birth_date <> w.birth_date and s.given_name <> w.student_given_name`;
  const [before, after] = [givenNameKey('s.given_name'), givenNameKey('w.student_given_name')];
  // Where rows disagree, the one counts whose facts would be written.
  await sql`
    create temp table plan_doubtful on commit drop as
    select distinct w.student_id from staged_rows w ${known} where w.run_id = ${sql.lit(scope.runId)} and ${states} and ${differs}`.execute(
    trx,
  );
  // Nearly always both are empty, and the planner is to know: the names' keys of all students would cost more than the rest.
  await sql`analyze plan_doubtful`.execute(trx);
  await sql`
    create temp table plan_vacated_students on commit drop as
    select s.id as student_id, s.sis_id, s.confidential from (
      select distinct on (w.student_id collate "C") w.student_id, w.student_given_name, w.birth_date
      from ${stagedBy(scope)} and ${states} and w.student_id in (select student_id from plan_doubtful)
      order by w.student_id collate "C", w.last_modified desc nulls last, w.row desc
    ) w ${known} where ${differs} and '' not in (${before}, ${after}) and ${before} <> ${after}`.execute(trx);
  await sql`analyze plan_vacated_students`.execute(trx);
  await keepImages(trx, scope, 'student', sql`select student_id from plan_vacated_students`);
  await sql`
    update students s set sis_id = s.sis_id || ' until run ' || ${scope.runNo}::text from plan_vacated_students v where s.id = v.student_id`.execute(
    trx,
  );
  if (scope.kind === 'delta') await dropStanding(trx, scope);
}

/**
 * In a delta of OneRoster a contact who is not restated goes on naming the id, and means the child before: such a pair is not stated. A
 * contact who is named by the child, or states the own list in this file, means the new one.
 */
async function dropStanding(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  await sql`
    update staged_rows pair set problem = ${namedByNobody}
    where pair.run_id = ${scope.runId} and pair.states_pair and not pair.gone and pair.problem is null and pair.named_by & 1 = 0
      and pair.student_id in (select sis_id from plan_vacated_students)
      and not exists (select 1 from ${stagedBy(scope)} and w.states_contact and w.contact_id = pair.contact_id)`.execute(
    trx,
  );
}

/**
 * One id on rows of which both the given name and the birth date differ: the parents of each child would be given the other one too. Where
 * there are two of either, some two rows differ in both; rows are not held against each other, because one id may stand on all that have none.
 */
async function markTwoChildren(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  await sql`
    with several as materialized (
      select w.student_id from ${stagedBy(scope)} and w.states_student and not w.gone and w.problem is null
      group by w.student_id
      having min(w.birth_date) <> max(w.birth_date) and min(w.student_given_name) <> max(w.student_given_name)
    ), said as materialized (
      select distinct w.student_id, ${givenNameKey('w.student_given_name')} as name, w.birth_date
      from ${stagedBy(scope)} and w.states_student and not w.gone and w.problem is null
        and w.student_id in (select student_id from several)
    )
    update staged_rows w set problem = 'two_people:student_id'
    where w.run_id = ${scope.runId} and w.problem is null and w.student_id in (
      select student_id from said where name <> '' and birth_date is not null
      group by student_id having min(birth_date) <> max(birth_date) and min(name) <> max(name))`.execute(trx);
}
