import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import type { ImportScope } from './plan.js';

/** Writes the people of the plan: schools, students, contacts and their phones. Set-based; what is equal keeps its date. */
export async function applyPeople(trx: DatabaseTransaction, { runId, sis, now }: ImportScope): Promise<void> {
  await sql`
    insert into schools (sis, code, name)
    select ${sis}, code, name from (
      select distinct on (w.school_code) w.school_code as code, w.school_name as name
      from plan_students p join staged_rows w on w.run_id = ${runId} and w.line = p.line
      order by w.school_code, w.last_modified desc nulls last, w.line desc) school
    on conflict (sis, code) do update set name = excluded.name where schools.name <> excluded.name`.execute(trx);
  // One "yes" anywhere protects the family; an empty flag takes no protection away.
  await sql`
    insert into students (sis, sis_id, given_name, family_name, email_normal, grade, birth_date, rights_retained_until,
      confidential, school_id, current, facts_loaded_at)
    select ${sis}, w.student_id, w.student_given_name, w.student_family_name, w.student_email, w.grade, w.birth_date,
      w.rights_retained_until, flags.confidential, h.id, true, ${now}
    from plan_students p join staged_rows w on w.run_id = ${runId} and w.line = p.line
      join schools h on h.sis = ${sis} and h.code = w.school_code
      left join (select student_id, bool_or(confidential) as confidential from staged_rows
        where run_id = ${runId} group by student_id) flags on flags.student_id = w.student_id
    on conflict (sis, sis_id) do update set
      facts_loaded_at = case
        when (students.given_name, students.family_name, students.grade, students.school_id)
          is distinct from (excluded.given_name, excluded.family_name, excluded.grade, excluded.school_id)
        then excluded.facts_loaded_at else students.facts_loaded_at end,
      given_name = excluded.given_name, family_name = excluded.family_name, email_normal = excluded.email_normal,
      grade = excluded.grade, birth_date = excluded.birth_date, rights_retained_until = excluded.rights_retained_until,
      confidential = coalesce(excluded.confidential, students.confidential), school_id = excluded.school_id,
      current = true`.execute(trx);
  await sql`
    insert into contacts (sis, sis_id, given_name, family_name, name_key, language, email_raw, email, email_problem,
      email_loaded_at, current, last_modified, facts_loaded_at)
    select ${sis}, w.contact_id, w.given_name, w.family_name, w.name_key, w.language, w.email_raw, w.email, w.email_problem,
      ${now}, true, w.last_modified, ${now}
    from plan_contacts p join staged_rows w on w.run_id = ${runId} and w.line = p.line
    on conflict (sis, sis_id) do update set
      facts_loaded_at = case
        when (contacts.given_name, contacts.family_name, contacts.email)
          is distinct from (excluded.given_name, excluded.family_name, excluded.email)
        then excluded.facts_loaded_at else contacts.facts_loaded_at end,
      email_loaded_at = case when contacts.email is distinct from excluded.email
        then excluded.email_loaded_at else contacts.email_loaded_at end,
      given_name = excluded.given_name, family_name = excluded.family_name, name_key = excluded.name_key,
      language = excluded.language, email_raw = excluded.email_raw, email = excluded.email,
      email_problem = excluded.email_problem, last_modified = excluded.last_modified, current = true`.execute(trx);
  await applyPhones(trx, runId, sis, now);
}

async function applyPhones(trx: DatabaseTransaction, runId: string, sis: string, now: Date): Promise<void> {
  await sql`
    delete from contact_phones n
    using plan_contacts p, staged_rows w, contacts c
    where w.run_id = ${runId} and w.line = p.line and c.sis = ${sis} and c.sis_id = p.sis_id and n.contact_id = c.id
      and case n.position when 1 then w.phone1_raw when 2 then w.phone2_raw end is null`.execute(trx);
  await sql`
    insert into contact_phones (contact_id, position, raw, e164, type, loaded_at)
    select c.id, n.position, n.raw, n.e164, n.type, ${now}
    from plan_contacts p join staged_rows w on w.run_id = ${runId} and w.line = p.line
      join contacts c on c.sis = ${sis} and c.sis_id = p.sis_id
      cross join lateral (values (1, w.phone1_raw, w.phone1_e164, w.phone1_type), (2, w.phone2_raw, w.phone2_e164, w.phone2_type))
        n (position, raw, e164, type)
    where n.raw is not null
    on conflict (contact_id, position) do update set
      loaded_at = case when coalesce(contact_phones.e164, contact_phones.raw) = coalesce(excluded.e164, excluded.raw)
        then contact_phones.loaded_at else excluded.loaded_at end,
      raw = excluded.raw, e164 = excluded.e164, type = excluded.type
    where (contact_phones.raw, contact_phones.e164, contact_phones.type)
      is distinct from (excluded.raw, excluded.e164, excluded.type)`.execute(trx);
}

/** Writes the changed relationships, ends the missing ones, and marks who has none left. A relationship that returns keeps its id. */
export async function applyRelationships(trx: DatabaseTransaction, { runId, sis, now }: ImportScope): Promise<void> {
  await sql`
    insert into relationships (contact_id, student_id, relation, relation_raw, priority, is_emergency, is_legal_guardian, ed_rights,
      lives_with, pickup_ok, portal_access, start_date, end_date, last_modified, facts_loaded_at, row_digest)
    select c.id, s.id, w.relation, w.relation_raw, w.priority, w.is_emergency, w.is_legal_guardian, w.ed_rights,
      w.lives_with, w.pickup_ok, w.portal_access, w.start_date, w.end_date, w.last_modified, ${now}, w.digest
    from plan_pairs p join staged_rows w on w.run_id = ${runId} and w.line = p.line
      join contacts c on c.sis = ${sis} and c.sis_id = p.contact_id
      join students s on s.sis = ${sis} and s.sis_id = p.student_id
    where p.changed
    on conflict (contact_id, student_id) do update set
      facts_loaded_at = case when relationships.ended_at is null and
          (relationships.relation, relationships.ed_rights, relationships.is_legal_guardian, relationships.portal_access, relationships.pickup_ok)
          is not distinct from (excluded.relation, excluded.ed_rights, excluded.is_legal_guardian, excluded.portal_access, excluded.pickup_ok)
        then relationships.facts_loaded_at else excluded.facts_loaded_at end,
      relation = excluded.relation, relation_raw = excluded.relation_raw, priority = excluded.priority,
      is_emergency = excluded.is_emergency, is_legal_guardian = excluded.is_legal_guardian, ed_rights = excluded.ed_rights,
      lives_with = excluded.lives_with, pickup_ok = excluded.pickup_ok, portal_access = excluded.portal_access,
      start_date = excluded.start_date, end_date = excluded.end_date, last_modified = excluded.last_modified,
      row_digest = excluded.row_digest, ended_at = null, end_reason = null`.execute(trx);
  await sql`
    update relationships r set ended_at = ${now}, end_reason = 'missing'
    from plan_missing m where r.id = m.relationship_id`.execute(trx);
  for (const person of ['contact', 'student'] as const) {
    const id = sql.ref(`${person}_id`);
    await sql`
      update ${sql.table(`${person}s`)} person set current = false
      where person.id in (select ${id} from plan_missing)
        and not exists (select 1 from relationships r where r.${id} = person.id and r.ended_at is null)`.execute(trx);
  }
}

/** Fewer changes than this do not change what the planner should know. */
const worthCounting = 500;

/** After a large change tells the query planner at once: the embedded database has nobody who would, and a server's own daemon comes late. */
export async function refreshStatistics(
  trx: DatabaseTransaction,
  changes: number,
  of: 'people' | 'relationships',
): Promise<void> {
  if (changes < worthCounting) return;
  const tables = of === 'people' ? sql`contacts, contact_phones, students, schools` : sql`relationships`;
  await sql`analyze ${tables}`.execute(trx);
}
