import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { recordTables } from '../../src/sis/feeds/oneroster-tables.js';
import { oneroster, onerosterKeyedBy } from '../../src/sis/feeds/oneroster.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { byHand } from './oneroster-by-hand.js';
import {
  bulk,
  file,
  family,
  forgetRuns,
  isDerived,
  pairs,
  reasons,
  role,
  school,
  setOf,
  staged,
  user,
} from './oneroster-set.js';
import type { Row, Staged, StagedRow } from './oneroster-set.js';

describe.each(databases)('a bulk of OneRoster on %s', (kind) => {
  let db: Database;

  useDatabase(kind, (opened) => {
    db = opened;
  });
  beforeEach(() => forgetRuns(db));

  it('of 1.1 states each person once, each pair once, and the rest as skipped', async () => {
    const run = await staged(db, byHand['1.1']);
    expect(run.read).toBe(8);
    const state = (id: string): StagedRow | undefined =>
      run.rows.find((row) => row['part_of'] === null && (row['student_id'] === id || row['contact_id'] === id));
    expect(state('ana')).toMatchObject({
      states_student: true,
      states_contact: false,
      student_given_name: 'Ana',
      student_family_name: 'López',
      school_code: 's1',
      school_name: 'First Street School',
      grade: '05',
      birth_date: '2014-02-03',
      contact_id: null,
    });
    expect(state('rosa')).toMatchObject({
      states_contact: true,
      states_student: false,
      given_name: 'Rosa',
      name_key: 'rosa lopez',
      language: null,
      email_raw: 'Rosa@Example.org',
      email: 'rosa@example.org',
      phone1_e164: '+12135550100',
      phone1_type: 'mobile',
      phone2_raw: '213.241.5200 x12',
      phone2_e164: '+12132415200',
      phone2_type: null,
    });
    expect(state('amy')).toMatchObject({ family_name: 'Lo pez', email: null, email_problem: 'placeholder' });
    expect(pairs(run).map((row) => [row['student_id'], row['contact_id'], row['relation'], row['named_by']])).toEqual(
      expect.arrayContaining([
        ['ana', 'rosa', 'parent', 3],
        ['ana', 'tom', 'guardian', 1],
        ['ana', 'amy', 'relative', 2],
      ]),
    );
    expect(pairs(run)).toHaveLength(3);
    expect(pairs(run).every((row) => row['states_rights'] === false && row['school_code'] === 's1')).toBe(true);
    expect(reasons(run)).toEqual(['not_used:type', 'not_family:role']);
    expect(
      run.rows.filter((row) => row['school_code'] === 's1' && !row['states_student'] && !row['states_pair']),
    ).toMatchObject([{ line: 3, school_name: 'First Street School', problem: null, part_of: null }]);
    // After the quoted line break lines are still those of the file.
    expect(run.rows.find((row) => row['problem'] === 'not_family:role')).toMatchObject({ line: 7 });
  });

  it.each(['1.2', '1.2.1'] as const)('of %s finds role, school and birth date in their own files', async (version) => {
    const run = await staged(db, byHand[version]);
    expect(run.rows.filter((row) => row['states_student'])).toMatchObject([
      { student_id: 'ana', school_code: 's1', birth_date: version === '1.2' ? null : '2014-09-09' },
    ]);
    expect(pairs(run)).toMatchObject([
      { student_id: 'ana', contact_id: 'rosa', relation: 'parent', relation_raw: 'parent', named_by: 2 },
    ]);
    expect(pairs(run)[0]).toMatchObject(
      version === '1.2' ? { start_date: '2026-08-01', end_date: '2027-06-30' } : { start_date: null, end_date: null },
    );
    const [ana, rosa] = ['ana', 'rosa'].map((id) =>
      run.rows.find((row) => row['part_of'] === null && row[id === 'ana' ? 'student_id' : 'contact_id'] === id),
    );
    const parts = run.rows.filter((row) => row['part_of'] !== null && !isDerived(row)).map((row) => row['part_of']);
    expect(parts).toEqual([ana?.['row'], rosa?.['row'], ...(version === '1.2' ? [] : [ana?.['row']])]);
  });

  it('never lets a password into the database', async () => {
    for (const files of Object.values(byHand)) await staged(db, files);
    for (const table of ['staged_rows', ...recordTables]) {
      const { rows } = await sql<{ text: string | null }>`
        select string_agg(t::text, ' ') as text from ${sql.table(table)} t`.execute(db);
      expect(rows[0]?.text ?? '').not.toContain('secret');
    }
  });

  it('makes of one user with both roles a student and a contact', async () => {
    const run = await bulk(db, {
      users: [user('ana', { agentSourcedIds: 'rosa' }), user('rosa'), user('kid', { agentSourcedIds: 'ana' })],
      roles: [...family, role('r3', 'ana', 'parent', { roleType: 'secondary' }), role('r4', 'kid', 'student')],
    });
    expect(run.rows.filter((row) => row['states_student'] && row['states_contact'])).toMatchObject([
      { student_id: 'ana', contact_id: 'ana', student_given_name: 'ana', given_name: 'ana' },
    ]);
    expect(
      pairs(run)
        .filter(isDerived)
        .map((row) => [row['student_id'], row['contact_id']]),
    ).toEqual(
      expect.arrayContaining([
        ['ana', 'rosa'],
        ['kid', 'ana'],
      ]),
    );
  });

  it('chooses the school of the primary role, and of two the primary org', async () => {
    const other: Row = { sourcedId: 's2', name: 'Second Street School', type: 'school' };
    const run = await bulk(db, {
      orgs: [school, other],
      users: [user('ana'), user('leo', { primaryOrgSourcedId: 's2' }), user('kim', { primaryOrgSourcedId: 's2' })],
      roles: [
        role('r1', 'ana', 'student', { orgSourcedId: 's2', roleType: 'secondary' }),
        role('r2', 'ana', 'student'),
        role('r3', 'leo', 'student'),
        role('r4', 'leo', 'student', { orgSourcedId: 's2' }),
        role('r5', 'kim', 'student', { orgSourcedId: 'd1' }),
      ],
    });
    expect(
      run.rows.filter((row) => row['states_student']).map((row) => [row['student_id'], row['school_code']]),
    ).toEqual([
      ['ana', 's1'],
      ['leo', 's2'],
      ['kim', 's2'],
    ]);
  });

  it.each(['identifier', 'userIds:State'] as const)(
    'keyed by %s follows a person whose sourcedId changes',
    async (key) => {
      const run = await bulk(
        db,
        {
          users: [
            user('a1', { identifier: '77', userIds: '{sis:1}, {state:77}', agentSourcedIds: 'g1' }),
            user('a2', { identifier: '77', userIds: '{State:77}', agentSourcedIds: 'g2' }),
            user('g1', { identifier: '9', userIds: '{State:9}' }),
            user('g2', { identifier: '9', userIds: '{State: 9 }', agentSourcedIds: 'a1' }),
            user('g3', { userIds: '{Other:5}' }),
          ],
          roles: [
            role('r1', 'a1', 'student'),
            role('r2', 'a2', 'student'),
            role('r3', 'g1', 'parent'),
            role('r4', 'g2', 'parent'),
          ],
          rights: [{ student_sourced_id: 'a1', guardian_sourced_id: 'g2', ed_rights: 'yes' }],
        },
        onerosterKeyedBy(key),
      );
      expect(pairs(run)).toMatchObject([{ student_id: '77', contact_id: '9', named_by: 3, ed_rights: true }]);
      expect(run.rows.filter((row) => row['states_contact']).map((row) => row['contact_id'])).toEqual(['9', '9']);
      expect(reasons(run)).toEqual([`missing:${key.split(':')[0]}`]);
    },
  );

  it('without demographics leaves birth dates as they stand', async () => {
    await sql`insert into feeds (name, sis, label, unknown_rights) values ('test', 'test', 'Test', 'deny') on conflict do nothing`.execute(
      db,
    );
    await sql`insert into schools (sis, code, name) values ('test', 's1', 'First Street School') on conflict do nothing`.execute(
      db,
    );
    await sql`
      insert into students (sis, sis_id, given_name, family_name, birth_date, rights_retained_until, school_id, facts_loaded_at)
      select 'test', 'ana', 'Ana', 'Li', '2014-02-03', '2035-01-01', id, now() from schools`.execute(db);
    try {
      const users = [user('ana')];
      const without = await bulk(db, { users, roles: [role('r1', 'ana', 'student')] });
      expect(without.rows.filter((row) => row['states_student'])).toMatchObject([
        { birth_date: '2014-02-03', rights_retained_until: '2035-01-01' },
      ]);
      const silent = await bulk(db, { users, roles: [role('r1', 'ana', 'student')], demographics: [] });
      expect(silent.rows.filter((row) => row['states_student'])).toMatchObject([{ birth_date: null }]);
      const spoilt = await bulk(db, {
        users,
        roles: [role('r1', 'ana', 'student')],
        demographics: [{ sourcedId: 'ana', birthDate: '?' }],
      });
      expect(spoilt.rows.filter((row) => row['states_student'])).toMatchObject([{ birth_date: '2014-02-03' }]);
    } finally {
      for (const table of ['students', 'schools', 'feeds']) await sql`delete from ${sql.table(table)}`.execute(db);
    }
  });

  it('takes a set with headers and no rows', async () => {
    const run = await staged(db, setOf('1.1', 'bulk', { orgs: [], users: [] }));
    expect(run).toMatchObject({ read: 0, rows: [], unreadable: [] });
  });

  it('comes out the same when it is so large that it is joined in shares', async () => {
    const sidecar = file('rights', [{ student_sourced_id: 'ana', guardian_sourced_id: 'rosa', ed_rights: 'yes' }]);
    const files = { ...byHand['1.2.1'], 'rights.csv': sidecar };
    const small = await staged(db, files);
    const large = await staged(db, files, oneroster, async (runId) => {
      await sql`
        insert into oneroster_roles (run_id, row, line, sourced_id, gone, user_id, family, role, is_primary)
        select ${runId}::uuid, 1000 + i, 0, 'role ' || i, false, 'teacher ' || i, 'none', 'teacher', true
        from generate_series(1, 100000) i`.execute(db);
    });
    // Derived rows are numbered after all others.
    const facts = ({ rows }: Staged): unknown[] =>
      rows.map((row) => ({ ...row, row: isDerived(row) ? 'derived' : row['row'] }));
    expect(facts(large)).toEqual(facts(small));
  });
});
