import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/database/database.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { active, applied, applyStaged, deleted, delta, familyHouse, standingPairs } from './oneroster-applier.js';
import { pairs, reasons, role, user } from './oneroster-set.js';

describe.each(databases)('a delta of OneRoster on %s', (kind) => {
  let db: Database;

  useDatabase(kind, (opened) => {
    db = opened;
  });
  beforeEach(() => familyHouse(db));

  it('finds the union of both sides where a bulk was', async () => {
    expect(await standingPairs(db)).toEqual(['ana<rosa:3', 'ana<tom:1', 'leo<amy:2', 'leo<rosa:1']);
  });

  it('restates one person: what they name no more loses their side, and the other side keeps its own', async () => {
    expect(await applied(db, { users: [user('rosa', { ...active, agentSourcedIds: 'leo' })] })).toEqual([
      'ana<rosa:1',
      'ana<tom:1',
      'leo<amy:2',
      'leo<rosa:3',
    ]);
    expect(await applied(db, { users: [user('ana', { ...active, agentSourcedIds: 'amy' })] })).toEqual([
      'ana<amy:1',
      'leo<amy:2',
      'leo<rosa:3',
    ]);
  });

  it('says of a relationship that no side names any more that it is gone, and of the others what stands', async () => {
    const run = await delta(db, { users: [user('ana', active)] });
    expect(pairs(run).map((row) => [row['contact_id'], row['gone'], row['named_by'], row['part_of']])).toEqual(
      expect.arrayContaining([
        ['rosa', false, 2, 1],
        ['tom', true, null, 1],
      ]),
    );
    expect(pairs(run).find((row) => row['contact_id'] === 'rosa')).toMatchObject({
      relation: 'parent',
      relation_raw: 'parent',
      states_rights: false,
      end_date: '2027-06-30',
      school_code: 's1',
    });
    expect(run.rows.find((row) => row['states_student'])).toMatchObject({
      student_id: 'ana',
      school_code: 's1',
      school_name: 'First Street School',
      birth_date: '2014-02-03',
      grade: null,
    });
  });

  it('ends a person that is deleted, whichever side they are on', async () => {
    const run = await delta(db, {
      users: [
        { sourcedId: 'rosa', ...deleted },
        { sourcedId: 'teach', ...deleted },
      ],
    });
    expect(run.rows).toMatchObject([
      { gone: true, states_pair: false, states_contact: false, contact_id: 'rosa', student_id: null, problem: null },
      { problem: 'unknown_person:sourcedId', gone: false },
    ]);
    await applyStaged(db, run, 'delta');
    expect(await standingPairs(db)).toEqual(['ana<tom:1', 'leo<amy:2']);
    expect(await applied(db, { users: [{ sourcedId: 'leo', ...deleted }] })).toEqual(['ana<tom:1']);
  });

  it('does not link to who is deleted in the same delta', async () => {
    const run = await delta(db, {
      users: [user('ana', { ...active, agentSourcedIds: 'rosa,tom' }), { sourcedId: 'rosa', ...deleted }],
    });
    expect(run.rows.filter((row) => row['problem'] !== null)).toMatchObject([
      { problem: 'unknown_person:agentSourcedIds' },
    ]);
    expect(pairs(run).map((row) => row['contact_id'])).toEqual(['tom']);
    await applyStaged(db, run, 'delta');
    expect(await standingPairs(db)).toEqual(['ana<tom:1', 'leo<amy:2']);
  });

  it('of 1.1 has its role in users.csv, and names people who are not in it', async () => {
    const run = await delta(
      db,
      {
        users: [
          user('kim', { ...active, role: 'parent', orgSourcedIds: 's1', agentSourcedIds: 'ana,nobody,teach' }),
          user('new', { ...active, role: 'student', orgSourcedIds: 'd1,s2', agentSourcedIds: 'rosa,leo' }),
          user('aide', { ...active, role: 'aide', orgSourcedIds: 's1', agentSourcedIds: 'ana' }),
        ],
      },
      '1.1',
    );
    expect(reasons(run).toSorted()).toEqual([
      'not_family:agentSourcedIds',
      'not_family:role',
      'unknown_person:agentSourcedIds',
      'unknown_person:agentSourcedIds',
    ]);
    expect(run.rows.find((row) => row['states_student'])).toMatchObject({
      school_code: 's2',
      school_name: 'Second Street School',
    });
    await applyStaged(db, run, 'delta');
    expect(await standingPairs(db)).toEqual(
      ['ana<kim:2', 'ana<rosa:3', 'ana<tom:1', 'leo<amy:2', 'leo<rosa:1', 'new<rosa:1'].sort(),
    );
  });

  it('of 1.1 ends a guardian who is a teacher now, and a student who is an aide', async () => {
    const teacher = user('rosa', { ...active, role: 'teacher', orgSourcedIds: 's1' });
    expect(await applied(db, { users: [teacher] }, '1.1')).toEqual(['ana<tom:1', 'leo<amy:2']);
    const aide = user('ana', { ...active, role: 'aide', orgSourcedIds: 's1' });
    expect(await applied(db, { users: [aide] }, '1.1')).toEqual(['leo<amy:2']);
    // A role that cannot be read is no other role.
    const blank = user('amy', { ...active, role: '', orgSourcedIds: 's1' });
    expect(await applied(db, { users: [blank] }, '1.1')).toEqual(['leo<amy:2']);
  });

  it('lets the later of two rows about one person count', async () => {
    const earlier = { ...active, dateLastModified: '2026-11-19T06:00:00.000Z' };
    const run = await delta(db, {
      users: [
        user('ana', { ...active, agentSourcedIds: 'rosa,tom' }),
        {
          sourcedId: 'ana',
          ...deleted,
          dateLastModified: earlier.dateLastModified,
        },
      ],
    });
    expect(run.rows.filter((row) => row['problem'] === 'superseded')).toHaveLength(1);
    expect(run.rows.filter((row) => row['gone'])).toEqual([]);
    const back = await delta(db, { users: [user('ana', earlier), { sourcedId: 'ana', ...deleted }] });
    expect(back.rows).toMatchObject([{ problem: 'superseded' }, { gone: true, student_id: 'ana' }]);
  });

  it('ends one half of a person who is contact and student, and keeps the other', async () => {
    await applied(db, {
      users: [user('ana', { ...active, agentSourcedIds: 'rosa,tom,leo' })],
      roles: [role('r20', 'ana', 'parent', active)],
    });
    expect(await standingPairs(db)).toContain('leo<ana:2');
    const run = await delta(db, { roles: [role('r20', 'ana', 'parent', deleted)] });
    expect(run.rows).toMatchObject([
      { states_student: true, student_id: 'ana', gone: false, contact_id: null },
      { gone: true, contact_id: 'ana', student_id: null, part_of: 1 },
    ]);
    await applyStaged(db, run, 'delta');
    expect(await standingPairs(db)).toEqual(['ana<rosa:3', 'ana<tom:1', 'leo<amy:2', 'leo<rosa:1']);
  });
});
