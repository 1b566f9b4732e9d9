import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/database/database.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { bulk, family, forgetRuns, isDerived, pairs, reasons, role, user } from './oneroster-set.js';
import type { StagedRow } from './oneroster-set.js';

describe.each(databases)('what a bulk of OneRoster says of rights and of what it cannot place, on %s', (kind) => {
  let db: Database;

  useDatabase(kind, (opened) => {
    db = opened;
  });
  beforeEach(() => forgetRuns(db));

  it('takes rights from the sidecar, and where a sidecar is silent they are unknown', async () => {
    const run = await bulk(db, {
      users: [
        user('ana', { agentSourcedIds: 'rosa,tom,amy,ben' }),
        user('rosa'),
        user('tom'),
        user('amy'),
        user('ben'),
      ],
      roles: [...family, role('r3', 'tom', 'guardian'), role('r4', 'amy', 'relative'), role('r5', 'ben', 'parent')],
      rights: [
        {
          student_sourced_id: 'ana',
          guardian_sourced_id: 'rosa',
          is_legal_guardian: 'Yes',
          ed_rights: 'true',
          portal_access: '',
        },
        {
          student_sourced_id: 'ana',
          guardian_sourced_id: 'tom',
          ed_rights: 'no',
          restricted: 'TRUE',
          restriction_type: 'custody',
          restriction_start: '2026-01-31',
        },
        { student_sourced_id: 'ana', guardian_sourced_id: 'amy', ed_rights: 'perhaps', restricted: 'false' },
      ],
    });
    const of = (contact: string): StagedRow | undefined => pairs(run).find((row) => row['contact_id'] === contact);
    expect(of('rosa')).toMatchObject({
      states_rights: true,
      is_legal_guardian: true,
      ed_rights: true,
      portal_access: null,
      restricted: null,
      named_by: 1,
    });
    expect(of('tom')).toMatchObject({
      ed_rights: false,
      restricted: true,
      restriction_type: 'custody',
      restriction_start: '2026-01-31',
      problem: null,
    });
    expect(of('amy')).toMatchObject({ problem: 'bad_flag:ed_rights', restricted: false });
    expect(of('ben')).toMatchObject({
      states_rights: true,
      is_legal_guardian: null,
      ed_rights: null,
      restricted: null,
    });
    expect(pairs(run)).toHaveLength(4);
  });

  it('lets a restriction stand for a pair that nobody names, and nothing else', async () => {
    const run = await bulk(db, {
      users: [user('ana'), user('rosa')],
      roles: family,
      rights: [
        { student_sourced_id: 'ana', guardian_sourced_id: 'rosa', restricted: 'at night', restriction_type: 'TRO' },
        { student_sourced_id: 'ana', guardian_sourced_id: 'tom', ed_rights: 'yes' },
      ],
    });
    expect(run.rows.filter((row) => row['problem'] !== null)).toMatchObject([
      {
        problem: 'bad_flag:restricted',
        student_id: 'ana',
        contact_id: 'rosa',
        restricted: true,
        restriction_type: 'protection_order',
      },
      { problem: 'no_relationship:guardian_sourced_id', student_id: null, contact_id: null, restricted: null },
    ]);
  });

  it('skips what makes no pair of a family, with its reason', async () => {
    const run = await bulk(db, {
      users: [
        user('ana', { agentSourcedIds: 'ana, leo,nobody , teach,,rosa,rosa' }),
        user('leo'),
        user('rosa', { agentSourcedIds: 'tom' }),
        user('tom'),
        user('teach'),
        user('lost'),
        user('gone', { status: 'tobedeleted', agentSourcedIds: 'ana' }),
        user('', {}),
        { sourcedId: 'nameless' },
        user('odd', { status: 'archived' }),
        user('late', { dateLastModified: '2026-13-01' }),
      ],
      roles: [
        ...family,
        role('r3', 'leo', 'student', { orgSourcedId: 'd1' }),
        role('r4', 'tom', 'guardian'),
        role('r5', 'teach', 'teacher'),
        role('r6', 'nameless', 'parent'),
        role('r7', 'stranger', 'parent'),
        role('r8', 'gone', 'parent'),
      ],
      demographics: [
        { sourcedId: 'ana', birthDate: '2014-02-30' },
        { sourcedId: 'teach', birthDate: '1990-01-01' },
        { sourcedId: 'stranger' },
      ],
    });
    expect(run.unreadable).toEqual(['9 missing:sourcedId']);
    const counted = run.rows
      .filter((row) => !isDerived(row) && row['problem'] !== null)
      .map((row) => `${row['line']} ${row['problem']}`);
    expect(counted).toEqual([
      '3 missing:school',
      '6 not_family:role',
      '7 missing:role',
      '8 not_used:status',
      '10 missing:givenName',
      '11 bad_status:status',
      '12 bad_date:dateLastModified',
      '4 missing:school',
      '6 not_family:role',
      '7 missing:givenName',
      '8 unknown_person:userSourcedId',
      '9 not_used:status',
      '2 bad_date:birthDate',
      '3 not_family:sourcedId',
      '4 unknown_person:sourcedId',
    ]);
    const links = reasons({ ...run, rows: run.rows.filter(isDerived) }).toSorted();
    // Ana themselves, a sibling and a teacher; nobody; and of Rosa another contact.
    expect(links).toEqual([...Array<string>(4).fill('not_family:agentSourcedIds'), 'unknown_person:agentSourcedIds']);
    expect(pairs(run)).toHaveLength(1);
  });

  it('keeps the ids of a pair whose person is not taken, so that what stands is not missing', async () => {
    const run = await bulk(db, {
      users: [user('ana', { agentSourcedIds: 'rosa' }), { sourcedId: 'rosa', agentSourcedIds: 'leo' }, user('leo')],
      roles: [...family, role('r3', 'leo', 'student', { orgSourcedId: '' })],
    });
    expect(
      pairs(run)
        .filter(isDerived)
        .map((row) => [row['student_id'], row['contact_id'], row['problem']]),
    ).toEqual(
      expect.arrayContaining([
        ['ana', 'rosa', 'missing:givenName'],
        ['leo', 'rosa', 'missing:givenName'],
      ]),
    );
  });

  it('keeps a pair as it stands when the dates of the role are spoilt', async () => {
    const run = await bulk(db, {
      users: [user('ana', { agentSourcedIds: 'rosa' }), user('rosa')],
      roles: [family[0] ?? {}, role('r2', 'rosa', 'parent', { endDate: 'June' })],
    });
    expect(pairs(run)).toMatchObject([{ student_id: 'ana', contact_id: 'rosa', problem: 'bad_date:endDate' }]);
    expect(reasons(run)).toEqual(['bad_date:endDate', 'bad_date:endDate']);
  });

  it('stages both of two rows with one id, and lets the later one name the agents', async () => {
    const run = await bulk(db, {
      users: [
        user('ana', { agentSourcedIds: 'rosa', dateLastModified: '2026-02-01T00:00:00Z' }),
        user('ana', { agentSourcedIds: '', dateLastModified: '2026-01-01T00:00:00Z', grades: '04' }),
        user('rosa'),
        user('rosa', { givenName: 'Rosalía' }),
      ],
      roles: [...family, role('r2', 'rosa', 'relative')],
    });
    expect(run.rows.filter((row) => row['states_student']).map((row) => row['grade'])).toEqual([null, '04']);
    expect(run.rows.filter((row) => row['states_contact']).map((row) => row['given_name'])).toEqual([
      'rosa',
      'Rosalía',
    ]);
    expect(pairs(run)).toMatchObject([{ student_id: 'ana', contact_id: 'rosa', relation: 'relative' }]);
    expect(reasons(run)).toEqual(['superseded']);
  });

  it('takes a restriction from a record of the sidecar of which something else cannot be read', async () => {
    const pair = { student_sourced_id: 'ana', guardian_sourced_id: 'rosa' };
    const long = 'By order of the court '.repeat(30);
    for (const [told, problem] of [
      [{ restricted: 'yes', restriction_type: long }, 'bad_text:restriction_type'],
      [{ restricted: 'yes\0' }, 'bad_text:restricted'],
    ] as const) {
      const run = await bulk(db, {
        users: [user('ana', { agentSourcedIds: 'rosa' }), user('rosa')],
        roles: family,
        rights: [{ ...pair, ...told }],
      });
      expect(pairs(run)).toMatchObject([{ problem, restricted: true, restriction_type: 'protection_order' }]);
    }
  });

  it('leaves a person whose first school holds a null character, and takes the others', async () => {
    const run = await bulk(db, {
      users: [user('ana', { agentSourcedIds: 'rosa' }), user('rosa'), user('leo', { primaryOrgSourcedId: 's\0' })],
      roles: family,
    });
    expect(run.unreadable).toEqual(['4 bad_text:primaryOrgSourcedId']);
    expect(pairs(run)).toHaveLength(1);
  });
});
