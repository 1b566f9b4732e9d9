import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { contactFacts } from '../../src/families/contact-facts.js';
import { entitledStudents, isEntitled, localDate } from '../../src/families/entitlement.js';
import { databases } from '../support/database.js';
import { useDistrict } from '../sis/use-district.js';
import { feedsFile, now, row, timeZone, withoutAccounts } from '../sis/extract.js';
import type { District, Row } from '../sis/extract.js';

const yes = { ed_rights: 'yes' };

describe.each(databases)('the entitlement rule on %s', (kind) => {
  let db: Database;
  let town: District;
  let accountId: string;

  useDistrict(kind, (made) => ({ db, town } = made), { file: feedsFile('deny'), prepare: withoutAccounts });
  beforeEach(async () => {
    accountId = randomUUID();
  });

  async function prove(contact: string, account = accountId): Promise<void> {
    await sql`insert into proven_contacts select ${account}, id, ${now}, 'registration' from contacts where sis_id = ${contact}`.execute(
      db,
    );
  }
  async function seen(at = now, account = accountId): Promise<string[]> {
    return (await entitledStudents(db, { accountId: account, now: at, timeZone })).map((student) => student.givenName);
  }
  async function seenAfter(cells: Row, name = 'elementary'): Promise<boolean> {
    await town.load([row('Ana', 'Rosa', { sis: name, ...cells })], name);
    await prove('Rosa');
    return (await seen()).length === 1;
  }

  const table: Array<[feed: string, cells: Row, sees: boolean]> = [
    ['elementary', {}, true],
    ['elementary', { relation: 'guardian' }, true],
    ['elementary', { relation: 'foster parent' }, true],
    ['elementary', { relation: 'step-mother' }, false],
    ['elementary', { relation: 'grandmother', is_emergency: 'yes' }, false],
    ['elementary', { relation: 'grandmother', ed_rights: 'yes' }, true],
    ['elementary', { relation: 'neighbour', is_legal_guardian: 'yes' }, true],
    ['elementary', { relation: 'neighbour', is_legal_guardian: 'no' }, false],
    ['elementary', { ed_rights: 'no' }, false],
    ['elementary', { ed_rights: 'no', is_legal_guardian: 'yes' }, false],
    ['elementary', { portal_access: 'no' }, false],
    ['elementary', { portal_access: 'no', ed_rights: 'yes' }, false],
    ['elementary', { portal_access: 'yes', relation: 'aunt' }, false],
    ['elementary', { lives_with: 'no', pickup_ok: 'no' }, true],
    ['elementary', { start_date: '2026-11-20' }, true],
    ['elementary', { start_date: '2026-11-21' }, false],
    ['elementary', { end_date: '2026-11-20' }, true],
    ['elementary', { end_date: '2026-11-19' }, false],
    ['elementary', { ...yes, restricted: 'yes' }, false],
    ['elementary', { ...yes, restricted: 'yes', restriction_start: '2026-11-20' }, false],
    ['elementary', { ...yes, restricted: 'yes', restriction_start: '2026-11-21' }, true],
    ['elementary', { ...yes, restricted: 'yes', restriction_end: '2026-01-01' }, false],
    ['elementary', { ...yes, restricted: 'no' }, true],
    ['secondary', {}, false],
    ['secondary', { relation: 'guardian' }, false],
    ['secondary', { ed_rights: 'yes' }, true],
    ['secondary', { is_legal_guardian: 'yes' }, true],
  ];
  it.each(table)('in the %s SIS, %j: %s', async (name, cells, sees) => {
    expect(await seenAfter(cells, name)).toBe(sees);
  });

  it('gives one child once, with what an app may be told, and nobody else’s', async () => {
    await town.load([
      row('Ana', 'Rosa', { pickup_ok: 'yes' }),
      row('Ana', 'Rosa2', { email: 'x@example.org' }),
      row('Leo', 'Other'),
      row('Mia', 'Rosa', { confidential: 'yes' }),
    ]);
    await prove('Rosa');
    await prove('Rosa2');
    const students = await entitledStudents(db, { accountId, now, timeZone });
    expect(students).toMatchObject([
      {
        givenName: 'Ana',
        schoolName: 'Lincoln Elementary',
        confidential: false,
        relation: 'parent',
        records: true,
        pickup: true,
        meals: true,
        since: now,
        grade: '3',
      },
      { givenName: 'Mia', schoolName: null, confidential: true, pickup: null },
    ]);
    const [leo] = (await sql<{ id: string }>`select id from students where sis_id = 'Leo'`.execute(db)).rows;
    expect(await isEntitled(db, { accountId, now, timeZone, studentId: leo?.id ?? '' })).toBe(false);
    expect(await isEntitled(db, { accountId, now, timeZone, studentId: students[0]?.studentId ?? '' })).toBe(true);
    expect(await seen(now, randomUUID())).toEqual([]);
  });

  it('does not tell by a date that a child of a protected family changed the school', async () => {
    const since = async (): Promise<Date[]> =>
      (await entitledStudents(db, { accountId, now, timeZone })).map((student) => student.since);
    await town.load([row('Ana', 'Rosa', { ...yes, confidential: 'yes' }), row('Leo', 'Rosa', yes)]);
    await prove('Rosa');
    const moved = { ...yes, school_code: '1002', school_name: 'Grant High' };
    const later = new Date('2026-11-21T18:00:00Z');
    await town.load(
      [row('Ana', 'Rosa', { ...moved, confidential: 'yes' }), row('Leo', 'Rosa', moved)],
      'elementary',
      later,
    );
    expect(await since()).toEqual([now, later]);
  });

  it('ends with the relationship', async () => {
    const many = Array.from({ length: 30 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
    await town.load([...many, row('Ana', 'Rosa')]);
    await prove('Rosa');
    expect(await seen()).toEqual(['Ana']);
    await town.load(many);
    expect(await seen()).toEqual([]);
  });

  it('a restriction holds past its end and an empty flag, until the feed says no', async () => {
    const restricted = {
      ...yes,
      restricted: 'yes',
      restriction_type: 'custody',
      restriction_start: '2026-01-01',
      restriction_end: '2026-06-01',
    };
    await town.load([row('Ana', 'Rosa', yes)]);
    await prove('Rosa');
    for (const [cells, sees] of [
      [restricted, false],
      [{ ...yes, restricted: '' }, false],
      [{ ...restricted, restriction_start: '2027-01-01' }, false],
      [{ ...yes, restricted: 'no' }, true],
      // A slip elsewhere in the row, or in the flag itself, does not keep a restriction out.
      [{ ...restricted, birth_date: 'unknown' }, false],
      [{ ...yes, restricted: 'no', priority: '2' }, true],
      [{ ...yes, restricted: 'Y' }, false],
    ] as Array<[Row, boolean]>) {
      await town.load([row('Ana', 'Rosa', cells)]);
      expect([cells, (await seen()).length === 1]).toEqual([cells, sees]);
    }
    expect((await sql`select 1 from restrictions`.execute(db)).rows).toHaveLength(3);
  });

  it('closes a child when the person is restricted for it under another contact id', async () => {
    await town.load([row('Ana', 'Rosa', yes), row('Ana', 'Rosa2', { restricted: 'yes', restriction_type: 'custody' })]);
    await prove('Rosa');
    expect(await seen()).toEqual(['Ana']);
    await prove('Rosa2');
    expect(await seen()).toEqual([]);
  });

  it('a protection order in one SIS holds the person in the other until staff decide, whichever is loaded first', async () => {
    const order = row('Ana', 'Rosa', { restricted: 'yes', restriction_type: 'TRO' });
    const other = (contact: string, cells: Row) =>
      row(`Kid${contact}`, contact, { sis: 'secondary', ...yes, email: '', phone1: '', ...cells });
    const rosa = { given_name: 'ROSA', family_name: 'Lopez' };
    await town.load(
      [
        other('C1', { ...rosa, email: 'Rosa@example.org' }),
        other('C2', { ...rosa, phone2: '+1 213 555 0100' }),
        other('C3', { ...rosa, email: 'another.rosa@example.org' }),
        other('C4', { given_name: 'Luis', email: 'rosa@example.org' }),
      ],
      'secondary',
    );
    expect(await town.load([order])).toMatchObject({ counts: { restricted: 1, held: 2 } });
    for (const contact of ['C1', 'C2', 'C3', 'C4']) await prove(contact);
    expect(await seen()).toEqual(['KidC3', 'KidC4']);
    await town.load(
      [
        other('C5', { ...rosa, email: 'rosa@example.org' }),
        ...['C1', 'C2'].map((id) => other(id, rosa)),
        other('C3', { ...rosa, email: 'another.rosa@example.org' }),
        other('C4', { given_name: 'Luis', email: 'rosa@example.org' }),
      ],
      'secondary',
    );
    await prove('C5');
    expect(await seen()).toEqual(['KidC3', 'KidC4']);
    await sql`update relationship_holds set decided_at = ${now}, decision = 'released'`.execute(db);
    await town.load([{ ...order, priority: '2' }]);
    expect(await seen()).toEqual(['KidC1', 'KidC2', 'KidC3', 'KidC4', 'KidC5']);
  });

  it('a custody document does not cross', async () => {
    await town.load([row('Ana', 'Rosa', { restricted: 'yes', restriction_type: 'custody' })]);
    expect(await town.load([row('Leo', 'Rosa', { sis: 'secondary', ...yes })], 'secondary')).toMatchObject({
      counts: { held: 0 },
    });
  });

  it('days begin and end in the district’s time zone', () => {
    expect(localDate(new Date('2026-11-20T07:59:59Z'), timeZone)).toBe('2026-11-19');
    expect(localDate(new Date('2026-11-20T08:00:00Z'), timeZone)).toBe('2026-11-20');
  });

  it('says which school gave a phone or an e-mail, and when; never the school of a protected family', async () => {
    const later = new Date(now.getTime() + 86_400_000);
    await town.load([row('Ana', 'Rosa')]);
    await town.load([row('Ana', 'Rosa', { phone1: '(213) 555-0199' })], 'elementary', later);
    await prove('Rosa');
    const facts = () => contactFacts(db, { accountId, now, timeZone });
    expect(await facts()).toEqual([
      { kind: 'phone', value: '+12135550199', sis: 'elementary', schoolName: 'Lincoln Elementary', on: later },
      { kind: 'email', value: 'rosa@example.org', sis: 'elementary', schoolName: 'Lincoln Elementary', on: now },
    ]);
    await town.load([row('Ana', 'Rosa', { confidential: 'yes' })], 'elementary', later);
    expect((await facts()).map((fact) => fact.schoolName)).toEqual([null, null]);
  });

  it.each([
    { restricted: 'yes', restriction_type: 'custody' },
    { ed_rights: 'no' },
    { end_date: '2026-11-19' },
    { birth_date: '2008-11-20' },
  ])('says no school of a child that is closed to the person: %j', async (cells) => {
    await town.load([row('Ana', 'Rosa')]);
    await prove('Rosa');
    const schools = async () => (await contactFacts(db, { accountId, now, timeZone })).map((fact) => fact.schoolName);
    expect(await schools()).toEqual(['Lincoln Elementary', 'Lincoln Elementary']);
    await town.load([row('Ana', 'Rosa', { ...cells, school_code: '1002', school_name: 'Adams Elementary' })]);
    expect(await schools()).toEqual([null, null]);
  });
});
