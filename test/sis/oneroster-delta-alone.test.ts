import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/database/database.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { active, applied, deleted, delta, familyHouse } from './oneroster-applier.js';
import { pairs, role, user } from './oneroster-set.js';

describe.each(ruledDatabases)('a delta of OneRoster that brings one file on %s', (kind) => {
  let db: Database;

  useDatabase(kind, (opened) => {
    db = opened;
  });
  beforeEach(() => familyHouse(db));

  it('of roles alone moves a student, with everything else as it stands', async () => {
    const run = await delta(db, {
      roles: [role('r1', 'ana', 'student', deleted), role('r9', 'ana', 'student', { ...active, orgSourcedId: 's2' })],
    });
    const student = run.rows.find((row) => row['states_student']);
    expect(student).toMatchObject({
      student_id: 'ana',
      student_given_name: 'ana',
      grade: '05',
      birth_date: '2014-02-03',
      school_code: 's2',
      line: 3,
    });
    expect(run.rows.filter((row) => row !== student)).toMatchObject([
      { part_of: student?.['row'], line: 2, problem: null },
    ]);
  });

  it('of roles alone moves nobody for a second school, and ends who has no role left', async () => {
    const second = role('r9', 'ana', 'student', { ...active, orgSourcedId: 's2', roleType: 'secondary' });
    expect((await delta(db, { roles: [second] })).rows).toMatchObject([{ states_student: true, school_code: 's1' }]);
    const instead = await delta(db, { roles: [second, role('r1', 'ana', 'student', deleted)] });
    expect(instead.rows.filter((row) => row['states_student'])).toMatchObject([{ school_code: 's2' }]);
    const elsewhere = role('r9', 'ana', 'student', { ...deleted, orgSourcedId: 's2' });
    expect((await delta(db, { roles: [elsewhere] })).rows).toMatchObject([
      { gone: false, student_id: 'ana', school_code: 's1' },
    ]);
    expect((await delta(db, { roles: [role('r1', 'ana', 'student', deleted)] })).rows).toMatchObject([
      { gone: true, student_id: 'ana', states_student: false, contact_id: null },
    ]);
  });

  it('of roles alone ends a guardian whose role is deleted, unless another one is active', async () => {
    const left = role('r3', 'rosa', 'parent', deleted);
    const run = await delta(db, { roles: [left, role('r10', 'rosa', 'guardian', active)] });
    expect(run.rows.filter((row) => row['gone'])).toEqual([]);
    expect(pairs(run)).toMatchObject([
      { contact_id: 'rosa', relation: 'guardian', end_date: null },
      { contact_id: 'rosa', relation: 'guardian', end_date: null },
    ]);
    expect(await applied(db, { roles: [left] })).toEqual(['ana<tom:1', 'leo<amy:2']);
  });

  it('of demographics alone changes the birth date of a student and nothing else', async () => {
    const births = [
      { sourcedId: 'ana', ...active, birthDate: '2014-03-02' },
      { sourcedId: 'rosa', ...active, birthDate: '1980-01-01' },
      { sourcedId: 'nobody', ...active, birthDate: '2014-03-02' },
      { sourcedId: 'leo', ...deleted },
      { sourcedId: 'leo', birthDate: '2014-03-02' },
    ];
    expect((await delta(db, { demographics: births })).rows).toMatchObject([
      {
        states_student: true,
        student_id: 'ana',
        birth_date: '2014-03-02',
        student_given_name: 'ana',
        school_code: 's1',
        grade: '05',
      },
      { problem: 'not_family:sourcedId', states_contact: false },
      { problem: 'unknown_person:sourcedId' },
      { problem: 'not_used:status' },
      { problem: 'missing:status' },
    ]);
  });

  it('of the sidecar alone changes the rights of a relationship, and restricts what stands', async () => {
    const run = await delta(db, {
      users: [],
      rights: [
        { student_sourced_id: 'ana', guardian_sourced_id: 'rosa', ed_rights: 'no' },
        { student_sourced_id: 'leo', guardian_sourced_id: 'amy', restricted: 'yes' },
        { student_sourced_id: 'leo', guardian_sourced_id: 'tom', restricted: 'yes' },
      ],
    });
    expect(run.rows).toMatchObject([
      {
        contact_id: 'rosa',
        states_pair: true,
        states_rights: true,
        ed_rights: false,
        relation: 'parent',
        named_by: 3,
        end_date: '2027-06-30',
      },
      {
        contact_id: 'amy',
        restricted: true,
        restriction_type: 'protection_order',
        relation: 'relative',
        named_by: 2,
        problem: null,
      },
      {
        contact_id: 'tom',
        student_id: 'leo',
        restricted: true,
        problem: 'no_relationship:guardian_sourced_id',
        states_pair: false,
      },
    ]);
  });

  it('of schools alone renames them', async () => {
    const orgs = [
      { sourcedId: 's1', ...active, name: 'First Avenue School', type: 'school' },
      { sourcedId: 's2', ...deleted, name: '', type: 'school' },
    ];
    expect((await delta(db, { orgs })).rows).toMatchObject([
      { school_code: 's1', school_name: 'First Avenue School', states_student: false, problem: null },
      { school_code: null, problem: 'not_used:status' },
    ]);
    // A student of the same delta says the new name too.
    const run = await delta(db, { orgs, users: [user('ana', active)] });
    expect(run.rows.find((row) => row['states_student'])).toMatchObject({ school_name: 'First Avenue School' });
  });
});
