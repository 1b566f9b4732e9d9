import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { givenNameKey } from '../families/given-names.js';
import { stagedBy } from './scope.js';
import type { ImportScope } from './scope.js';

/** Of a record of the sidecar that is about a pair whom neither side's list names. */
export const namedByNobody = 'no_relationship:guardian_sourced_id';

/**
 * Settles, before anything is compared, who the ids of the file are:
 * rows that give one id to two people are not taken (`two_people:contact_id`, `two_people:student_id`); an id that was given to another person leaves the
 * person before with theirs; a person whose id changed, with the same students, name, e-mail and phone, is followed; an id that was given
 * to another child leaves the child before with theirs.
 * Leaves `plan_vacated (contact_id)`, `plan_followed (contact_id, sis_id)` and `plan_vacated_students (student_id, sis_id, confidential)`.
 */
export async function settleIdentities(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const { sis } = scope;
  await markTwoPeople(trx, scope);
  await sql`
    create temp table plan_vacated on commit drop as
    select c.id as contact_id, c.sis_id, exists (
        select 1 from relationships r join restrictions x on x.relationship_id = r.id and x.lifted_at is null
        where r.contact_id = c.id)
      or exists (select 1 from relationships r join relationship_holds h on h.relationship_id = r.id and h.decided_at is null
        where r.contact_id = c.id) as restricted
    from (
      select w.contact_id, min(w.name_key) as name_key, array_agg(distinct w.email) as emails,
        array_agg(distinct w.phone1_e164) || array_agg(distinct w.phone2_e164) as phones
      from ${stagedBy(scope)} and w.problem is null and w.states_contact and not w.gone and exists (
        select 1 from contacts c where c.sis = ${sql.lit(sis)} and c.sis_id = w.contact_id and c.name_key <> w.name_key)
      group by w.contact_id
    ) w join contacts c on c.sis = ${sql.lit(sis)} and c.sis_id = w.contact_id
    where not coalesce(c.email = any(w.emails), false)
      and not exists (select 1 from contact_phones n where n.contact_id = c.id and n.e164 = any(w.phones))
      -- Of a contact that the SIS emptied before, the account's own mailbox tells who it was.
      and not exists (select 1 from proven_contacts p join accounts a on a.id = p.account_id
        where p.contact_id = c.id and a.email = any(w.emails))
      and (c.email is not null or exists (select 1 from contact_phones n where n.contact_id = c.id and n.e164 is not null)
        or exists (select 1 from proven_contacts p where p.contact_id = c.id))`.execute(trx);
  // Nobody sheds a restriction by a new name: such rows wait until the SIS is clear about them.
  await sql`
    update staged_rows w set problem = 'two_people:contact_id'
    from plan_vacated v where w.run_id = ${scope.runId} and w.contact_id = v.sis_id and w.problem is null and v.restricted`.execute(
    trx,
  );
  await sql`delete from plan_vacated where restricted`.execute(trx);
  await keepImages(trx, scope, 'contact', 'plan_vacated');
  await sql`
    update contacts c set sis_id = c.sis_id || ' until run ' || ${scope.runNo}::text from plan_vacated v where c.id = v.contact_id`.execute(
    trx,
  );
  await follow(trx, scope);
  await markTwoChildren(trx, scope);
  await vacateStudents(trx, scope);
}

/** One id on rows whose names differ and that have neither mailbox nor phone in common. */
async function markTwoPeople(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  await sql`
    with several as materialized (
      select w.contact_id from ${stagedBy(scope)} and w.states_contact and w.problem is null
      group by w.contact_id having min(w.name_key) <> max(w.name_key)
    ), said as materialized (
      select w.contact_id, w.name_key, w.email, w.phone1_e164, w.phone2_e164
      from ${stagedBy(scope)} and w.states_contact and w.problem is null and w.contact_id in (select contact_id from several)
    ), two as (
      select distinct a.contact_id from said a join said b on b.contact_id = a.contact_id and b.name_key <> a.name_key
      where not coalesce(a.email = b.email, false)
        and not coalesce(a.phone1_e164 in (b.phone1_e164, b.phone2_e164), false)
        and not coalesce(a.phone2_e164 in (b.phone1_e164, b.phone2_e164), false)
    )
    update staged_rows w set problem = 'two_people:contact_id'
    where w.run_id = ${scope.runId} and w.problem is null and w.contact_id in (select contact_id from two)`.execute(
    trx,
  );
}

async function follow(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const sis = sql.lit(scope.sis);
  // In a bulk the id before is in no row; in a delta it is said to be gone.
  const left =
    scope.kind === 'bulk'
      ? sql`not exists (select 1 from ${stagedBy(scope)} and w.contact_id = o.sis_id)`
      : sql`exists (select 1 from ${stagedBy(scope)} and w.contact_id = o.sis_id and w.gone)`;
  await sql`
    create temp table plan_followed on commit drop as
    with fresh as (
      select w.contact_id as sis_id, min(w.name_key) as name_key, min(w.email) as email,
        array_agg(w.phone1_e164) || array_agg(w.phone2_e164) as phones,
        array_agg(w.student_id) filter (where w.states_pair) as students
      from ${stagedBy(scope)} and w.problem is null and w.contact_id is not null and not w.gone
        and exists (select 1 from contacts c where c.sis = ${sis})
        and not exists (select 1 from contacts c where c.sis = ${sis} and c.sis_id = w.contact_id)
      group by w.contact_id having min(w.name_key) = max(w.name_key) and min(w.email) = max(w.email)
    ), matched as (
      select o.id as contact_id, f.sis_id, count(*) over (partition by o.id) as olds, count(*) over (partition by f.sis_id) as news
      from fresh f join contacts o on o.email = f.email and o.name_key = f.name_key and o.sis = ${sis}
      where f.students is not null and ${left}
        and exists (select 1 from contact_phones n where n.contact_id = o.id and n.e164 = any(f.phones))
        and not exists (select 1 from unnest(f.students) student where not exists (
          select 1 from relationships r join students s on s.id = r.student_id where r.contact_id = o.id and s.sis_id = student))
        and not exists (
          select 1 from relationships r join students s on s.id = r.student_id
          where r.contact_id = o.id and r.ended_at is null and s.sis_id <> all(f.students))
    )
    select contact_id, sis_id from matched where olds = 1 and news = 1`.execute(trx);
  await keepImages(trx, scope, 'contact', 'plan_followed');
  await sql`update contacts c set sis_id = f.sis_id from plan_followed f where c.id = f.contact_id`.execute(trx);
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
  await keepImages(trx, scope, 'student', 'plan_vacated_students');
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

/** One id on rows of which both the given name and the birth date differ: the parents of each child would be given the other one too. */
async function markTwoChildren(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const [one, other] = [givenNameKey('a.student_given_name'), givenNameKey('b.student_given_name')];
  await sql`
    with several as materialized (
      select w.student_id from ${stagedBy(scope)} and w.states_student and not w.gone and w.problem is null
      group by w.student_id
      having min(w.birth_date) <> max(w.birth_date) and min(w.student_given_name) <> max(w.student_given_name)
    ), said as materialized (
      select distinct w.student_id, w.student_given_name, w.birth_date
      from ${stagedBy(scope)} and w.states_student and not w.gone and w.problem is null
        and w.student_id in (select student_id from several)
    )
    update staged_rows w set problem = 'two_people:student_id'
    where w.run_id = ${scope.runId} and w.problem is null and w.student_id in (
      select a.student_id from said a join said b on b.student_id = a.student_id
      where a.birth_date <> b.birth_date and '' not in (${one}, ${other}) and ${one} <> ${other})`.execute(trx);
}

async function keepImages(
  trx: DatabaseTransaction,
  scope: ImportScope,
  kind: 'contact' | 'student',
  plan: string,
): Promise<void> {
  if (!scope.images) return;
  const image = kind === 'contact' ? sql`contact_image(x)` : sql`to_jsonb(x)`;
  await sql`
    insert into feed_run_images (run_no, kind, row_id, before)
    select ${scope.runNo}, ${kind}, x.id, ${image}
    from ${sql.table(plan)} p join ${sql.table(`${kind}s`)} x on x.id = p.${sql.ref(`${kind}_id`)}`.execute(trx);
}
