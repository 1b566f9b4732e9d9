import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { forgetRuns, role, school, setOf, staged, user } from './oneroster-set.js';
import type { Row, Staged, Version } from './oneroster-set.js';

/** A feed of its own, so that rows can stand under it. */
export async function emptyHouse(db: Database): Promise<void> {
  for (const table of ['relationships', 'contacts', 'students', 'schools', 'feeds']) {
    await sql`delete from ${sql.table(table)}`.execute(db);
  }
  await sql`insert into feeds (name, sis, label, unknown_rights) values ('test', 'test', 'Test', 'deny')`.execute(db);
}

/** The least that an import does with staged rows: no holds, no images, no identities. What it leaves is what they said. */
export async function applyStaged(db: Database, { runId }: Staged, kind: 'bulk' | 'delta'): Promise<void> {
  const taken = sql`staged_rows w where w.run_id = ${runId} and w.problem is null`;
  const latest = sql`w.last_modified desc nulls last, w.row desc`;
  await sql`
    insert into schools (sis, code, name)
    select distinct on (w.school_code) 'test', w.school_code, w.school_name from ${taken} and w.school_code is not null and not w.gone
    order by w.school_code, ${latest}
    on conflict (sis, code) do update set name = excluded.name`.execute(db);
  await sql`
    insert into students (sis, sis_id, given_name, family_name, grade, birth_date, school_id, facts_loaded_at)
    select distinct on (w.student_id) 'test', w.student_id, w.student_given_name, w.student_family_name, w.grade, w.birth_date, h.id, now()
    from staged_rows w join schools h on h.code = w.school_code
    where w.run_id = ${runId} and w.problem is null and w.states_student
    order by w.student_id, ${latest}
    on conflict (sis, sis_id) do update set given_name = excluded.given_name, family_name = excluded.family_name,
      grade = excluded.grade, birth_date = excluded.birth_date, school_id = excluded.school_id`.execute(db);
  await sql`
    insert into contacts (sis, sis_id, given_name, family_name, name_key, email, facts_loaded_at)
    select distinct on (w.contact_id) 'test', w.contact_id, w.given_name, w.family_name, w.name_key, w.email, now()
    from ${taken} and w.states_contact order by w.contact_id, ${latest}
    on conflict (sis, sis_id) do update set given_name = excluded.given_name, name_key = excluded.name_key, email = excluded.email`.execute(
    db,
  );
  await applyPairs(db, runId, kind);
}

async function applyPairs(db: Database, runId: string, kind: 'bulk' | 'delta'): Promise<void> {
  await sql`
    with w as (${namedPairs(runId)})
    insert into relationships (contact_id, student_id, relation, relation_raw, named_by, ed_rights, is_legal_guardian, portal_access,
      start_date, end_date, facts_loaded_at)
    select of_contact, of_student, relation, relation_raw, named_by, ed_rights, is_legal_guardian, portal_access, start_date, end_date, now()
    from w where not gone
    on conflict (contact_id, student_id) do update set relation = excluded.relation, relation_raw = excluded.relation_raw,
      named_by = excluded.named_by, start_date = excluded.start_date, end_date = excluded.end_date, ended_at = null,
      ed_rights = case when (select states_rights from w where of_contact = excluded.contact_id and of_student = excluded.student_id)
        then excluded.ed_rights else relationships.ed_rights end`.execute(db);
  const gone =
    kind === 'bulk'
      ? sql`not exists (select 1 from w where of_contact = r.contact_id and of_student = r.student_id)`
      : sql`exists (select 1 from w where gone and of_contact = r.contact_id and of_student = r.student_id)
          or exists (select 1 from staged_rows w join contacts c on c.sis_id = w.contact_id
            where w.run_id = ${runId} and w.problem is null and w.gone and not w.states_pair and c.id = r.contact_id)
          or exists (select 1 from staged_rows w join students s on s.sis_id = w.student_id
            where w.run_id = ${runId} and w.problem is null and w.gone and not w.states_pair and s.id = r.student_id)`;
  await sql`
    with w as (${namedPairs(runId)})
    update relationships r set ended_at = now() where r.ended_at is null and (${gone})`.execute(db);
}

function namedPairs(runId: string): RawBuilder<unknown> {
  return sql`
    select c.id as of_contact, s.id as of_student, w.* from staged_rows w
      join contacts c on c.sis_id = w.contact_id join students s on s.sis_id = w.student_id
    where w.run_id = ${runId} and w.problem is null and w.states_pair`;
}

/** The pairs that stand, as `student<contact:named by`, in order. */
export async function standingPairs(db: Database): Promise<string[]> {
  const { rows } = await sql<{ pair: string }>`
    select s.sis_id || '<' || c.sis_id || ':' || r.named_by as pair
    from relationships r join contacts c on c.id = r.contact_id join students s on s.id = r.student_id
    where r.ended_at is null order by 1`.execute(db);
  return rows.map(({ pair }) => pair);
}

/** The family house: Ana and Leo go to the first school; Rosa, Tom and Amy are theirs, and a teacher is nobody's. */
export async function familyHouse(db: Database): Promise<void> {
  await forgetRuns(db);
  await emptyHouse(db);
  const bulk = setOf('1.2.1', 'bulk', {
    orgs: [school, { sourcedId: 's2', name: 'Second Street School', type: 'school' }],
    users: [
      user('ana', { agentSourcedIds: 'rosa,tom', grades: '05' }),
      user('leo', { agentSourcedIds: 'rosa' }),
      user('rosa', { agentSourcedIds: 'ana' }),
      user('tom'),
      user('amy', { agentSourcedIds: 'leo' }),
      user('teach'),
    ],
    roles: [
      role('r1', 'ana', 'student'),
      role('r2', 'leo', 'student'),
      role('r3', 'rosa', 'parent', { endDate: '2027-06-30' }),
      role('r4', 'tom', 'guardian'),
      role('r5', 'amy', 'relative'),
      role('r6', 'teach', 'teacher'),
    ],
    demographics: [{ sourcedId: 'ana', birthDate: '2014-02-03' }],
    rights: [{ student_sourced_id: 'ana', guardian_sourced_id: 'rosa', ed_rights: 'yes' }],
  });
  await applyStaged(db, await staged(db, bulk), 'bulk');
}

const at = '2026-11-20T06:00:00.000Z';
/** The states of a delta's rows. */
export const active: Row = { status: 'active', dateLastModified: at };
export const deleted: Row = { status: 'tobedeleted', dateLastModified: at };

/** Stages a delta. */
export function delta(
  db: Database,
  rows: Readonly<Record<string, readonly Row[]>>,
  version: Version = '1.2.1',
): Promise<Staged> {
  return staged(db, setOf(version, 'delta', rows));
}

/** Stages and applies a delta, and says which pairs stand then. */
export async function applied(
  db: Database,
  rows: Readonly<Record<string, readonly Row[]>>,
  version: Version = '1.2.1',
): Promise<string[]> {
  await applyStaged(db, await delta(db, rows, version), 'delta');
  return standingPairs(db);
}
