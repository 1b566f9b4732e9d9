import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { DatabaseTransaction } from '../database/database.js';
import { keepImages } from './images.js';
import type { ImageKind } from './images.js';
import { contactFacts, phonesStated, relationshipFacts } from './scope.js';
import type { ImportScope } from './scope.js';

/** Notes the rows that an insert made, from its `returning id`. */
function noting(scope: ImportScope, kind: ImageKind, insert: RawBuilder<unknown>): RawBuilder<unknown> {
  if (!scope.images) return insert;
  return sql`with made as (${insert} returning id)
    insert into feed_run_images (run_no, kind, row_id) select ${scope.runNo}, ${kind}, id from made`;
}

// Large inserts come in the order of an index: a million rows in any order take twice as long.

/** Writes the people of the plan: schools, students, contacts and their phones. Set-based; what is equal keeps its date. */
export async function applyPeople(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  await applySchools(trx, scope);
  await applyStudents(trx, scope);
  await applyContacts(trx, scope);
  await applyPhones(trx, scope);
}

async function applySchools(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  await keepImages(trx, scope, 'school', sql`select id from plan_schools where id is not null`);
  await sql`update schools h set name = p.name from plan_schools p where h.id = p.id`.execute(trx);
  await noting(
    scope,
    'school',
    sql`insert into schools (sis, code, name) select ${scope.sis}, code, name from plan_schools where id is null`,
  ).execute(trx);
}

async function applyStudents(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const { runId, sis, now } = scope;
  const planned = sql`plan_students p join staged_rows w on w.run_id = ${runId} and w.row = p.row
    join schools h on h.sis = ${sis} and h.code = w.school_code left join plan_protected f on f.sis_id = p.sis_id`;
  await keepImages(trx, scope, 'student', sql`select id from plan_students where id is not null`);
  await sql`
    update students s set
      facts_loaded_at = case
        when (s.given_name, s.family_name, s.grade, s.school_id) is distinct from (w.student_given_name, w.student_family_name, w.grade, h.id)
        then ${now} else s.facts_loaded_at end,
      given_name = w.student_given_name, family_name = w.student_family_name, email_normal = w.student_email, grade = w.grade,
      birth_date = w.birth_date, rights_retained_until = w.rights_retained_until,
      confidential = coalesce(f.confidential, s.confidential), school_id = h.id
    from ${planned} where s.id = p.id`.execute(trx);
  // Nor does a row that is not taken for another reason, when it is the only one, leave a family unprotected.
  const unprotected = sql`students s join plan_protected f on f.sis_id = s.sis_id
    where s.sis = ${sis} and f.confidential and s.confidential is not true`;
  await keepImages(trx, scope, 'student', sql`select s.id from ${unprotected}`);
  await sql`update students set confidential = true where id in (select s.id from ${unprotected})`.execute(trx);
  await noting(
    scope,
    'student',
    sql`insert into students (sis, sis_id, given_name, family_name, email_normal, grade, birth_date, rights_retained_until,
        confidential, school_id, current, facts_loaded_at)
      select ${sis}, p.sis_id, w.student_given_name, w.student_family_name, w.student_email, w.grade, w.birth_date,
        w.rights_retained_until, f.confidential, h.id, true, ${now}
      from ${planned} where p.id is null order by p.sis_id`,
  ).execute(trx);
}

async function applyContacts(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const { runId, sis, now } = scope;
  const planned = sql`plan_contacts p join staged_rows w on w.run_id = ${runId} and w.row = p.row`;
  const columns = contactFacts.map(([column]) => column);
  await keepImages(trx, scope, 'contact', sql`select id from plan_contacts where id is not null`);
  await sql`
    update contacts c set
      facts_loaded_at = case
        when (c.given_name, c.family_name, c.email) is distinct from (w.given_name, w.family_name, w.email)
        then ${now} else c.facts_loaded_at end,
      email_loaded_at = case when c.email is distinct from w.email then ${now} else c.email_loaded_at end,
      ${sql.raw(contactFacts.map(([column, value]) => `${column} = ${value}`).join(', '))},
      phones_stated = ${phonesStated}, last_modified = w.last_modified
    from ${planned} where c.id = p.id`.execute(trx);
  await noting(
    scope,
    'contact',
    sql`insert into contacts (sis, sis_id, ${sql.raw(columns.join(', '))}, phones_stated, email_loaded_at, current,
        last_modified, facts_loaded_at)
      select ${sis}, p.sis_id, ${sql.raw(contactFacts.map(([, value]) => value).join(', '))}, ${phonesStated}, ${now},
        w.states_pair, w.last_modified, ${now}
      from ${planned} where p.id is null order by p.sis_id`,
  ).execute(trx);
}

async function applyPhones(trx: DatabaseTransaction, { runId, sis, now }: ImportScope): Promise<void> {
  const planned = sql`plan_contacts p join staged_rows w on w.run_id = ${runId} and w.row = p.row
    join contacts c on c.sis = ${sis} and c.sis_id = p.sis_id`;
  await sql`
    delete from contact_phones n using ${planned}
    where p.id is not null and n.contact_id = c.id and case n.position when 1 then w.phone1_raw when 2 then w.phone2_raw end is null`.execute(
    trx,
  );
  await sql`
    insert into contact_phones (contact_id, position, raw, e164, type, loaded_at)
    select c.id, n.position, n.raw, n.e164, n.type, ${now}
    from ${planned}
      cross join lateral (values (1, w.phone1_raw, w.phone1_e164, w.phone1_type), (2, w.phone2_raw, w.phone2_e164, w.phone2_type))
        n (position, raw, e164, type)
    where n.raw is not null order by c.id
    on conflict (contact_id, position) do update set
      loaded_at = case when coalesce(contact_phones.e164, contact_phones.raw) = coalesce(excluded.e164, excluded.raw)
        then contact_phones.loaded_at else excluded.loaded_at end,
      raw = excluded.raw, e164 = excluded.e164, type = excluded.type
    where (contact_phones.raw, contact_phones.e164, contact_phones.type)
      is distinct from (excluded.raw, excluded.e164, excluded.type)`.execute(trx);
}

/** Writes the changed relationships, ends the missing ones, and marks who has none left. A relationship that returns keeps its id. */
export async function applyRelationships(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  const { runId, sis, now } = scope;
  const columns = relationshipFacts.map(([column]) => column);
  const planned = sql`plan_pairs p join staged_rows w on w.run_id = ${runId} and w.row = p.row`;
  const changing = sql`select relationship_id from plan_pairs where changed and relationship_id is not null
    union select relationship_id from plan_missing`;
  await keepImages(trx, scope, 'relationship', changing);
  await sql`
    update relationships r set
      facts_loaded_at = case when r.ended_at is null
          and (r.relation, r.ed_rights, r.is_legal_guardian, r.portal_access, r.pickup_ok)
            is not distinct from (w.relation, ${rightsOf('ed_rights')}, ${rightsOf('is_legal_guardian')}, ${rightsOf('portal_access')}, w.pickup_ok)
        then r.facts_loaded_at else ${now} end,
      ${sql.raw(relationshipFacts.map(([column, value]) => `${column} = ${value}`).join(', '))},
      last_modified = w.last_modified, ended_at = null, end_reason = null
    from ${planned} where p.changed and r.id = p.relationship_id`.execute(trx);
  await noting(
    scope,
    'relationship',
    sql`insert into relationships (contact_id, student_id, ${sql.raw(columns.join(', '))}, last_modified, facts_loaded_at)
      select c.id, s.id, ${sql.raw(columns.map((column) => `w.${column}`).join(', '))}, w.last_modified, ${now}
      from ${planned} join contacts c on c.sis = ${sis} and c.sis_id = p.contact_id
        join students s on s.sis = ${sis} and s.sis_id = p.student_id
      where p.changed and p.relationship_id is null
      order by c.id, s.id`,
  ).execute(trx);
  await keepRefusals(trx, scope);
  await sql`
    update relationships r set ended_at = ${now},
      end_reason = case when r.contact_id in (select contact_id from plan_vacated)
        or r.student_id in (select student_id from plan_vacated_students) then 'id_reused' else 'missing' end
    from plan_missing m where r.id = m.relationship_id`.execute(trx);
  await markCurrent(trx, scope);
}

/** A feed that says nothing of rights now has not taken back its "no" about the child who had this id. */
async function keepRefusals(trx: DatabaseTransaction, { runId, sis }: ImportScope): Promise<void> {
  await sql`
    update relationships r set ed_rights = case when o.ed_rights is false then false else r.ed_rights end,
      portal_access = case when o.portal_access is false then false else r.portal_access end
    from plan_vacated_students v join relationships o on o.student_id = v.student_id
      join students s on s.sis = ${sis} and s.sis_id = v.sis_id join contacts c on c.id = o.contact_id
      join plan_pairs p on p.student_id = v.sis_id and p.contact_id = c.sis_id
      join staged_rows w on w.run_id = ${runId} and w.row = p.row
    where r.student_id = s.id and r.contact_id = c.id and not w.states_rights`.execute(trx);
}

function rightsOf(column: string): RawBuilder<unknown> {
  return sql.raw(relationshipFacts.find(([name]) => name === column)?.[1] ?? 'null');
}

/** A person is current while a relationship stands. Only those of whom it may have changed are asked. */
async function markCurrent(trx: DatabaseTransaction, scope: ImportScope): Promise<void> {
  for (const person of ['contact', 'student'] as const) {
    const id = sql.ref(`${person}_id`);
    const people = sql.table(`${person}s`);
    const back = sql`person.sis = ${scope.sis} and not person.current and person.sis_id in (select ${id} from plan_pairs where added)`;
    const left = sql.table(person === 'contact' ? 'plan_vacated' : 'plan_vacated_students');
    const gone = sql`person.current
      and (person.id in (select ${id} from plan_missing) or person.id in (select ${id} from ${left}))
      and not exists (select 1 from relationships r where r.${id} = person.id and r.ended_at is null)`;
    await keepImages(trx, scope, person, sql`select person.id from ${people} person where (${back}) or (${gone})`);
    await sql`update ${people} person set current = true where ${back}`.execute(trx);
    await sql`update ${people} person set current = false where ${gone}`.execute(trx);
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
