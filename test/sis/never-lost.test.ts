import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { registrationCandidates } from '../../src/families/candidates.js';
import { entitledStudents } from '../../src/families/entitlement.js';
import { listHolds, releaseHold } from '../../src/families/holds.js';
import { proveContact } from '../../src/families/joins.js';
import { tellRestrictions } from '../../src/sis/tell-restrictions.js';
import { account, contactId } from '../accounts/people.js';
import { ruledDatabases } from '../support/database.js';
import { now, row, timeZone } from './extract.js';
import type { District, Row } from './extract.js';
import { useDistrict } from './use-district.js';

const day = 86_400_000;
const later = new Date(now.getTime() + day);
const others = Array.from({ length: 60 }, (_, index) =>
  row(`Kid${index}`, `Mum${index}`, { phone1: `(213) 555-1${String(index).padStart(3, '0')}` }),
);
const phone = '(213) 555-0177';
const newPhone = '(213) 555-0188';
const ana = row('Ana', 'Rosa', { phone1: phone });
const custody = { restricted: 'yes', restriction_type: 'custody' };
const order = { restricted: 'yes', restriction_type: 'protection order' };
const inSecondary = row('Leo', 'Secondary', {
  sis: 'secondary',
  given_name: 'Rosa',
  email: 'rosa@example.org',
  phone1: phone,
});

/** What schools and systems do to records of somebody who is restricted, without a word that the restriction is over. */
describe.each(ruledDatabases)('a restriction that nobody lifted, on %s', (kind) => {
  let db: Database;
  let town: District;
  let rosa: string;
  useDistrict(kind, (made) => ({ db, town } = made));
  beforeEach(async () => {
    await sql`delete from accounts`.execute(db);
    await town.load([...others, ana]);
    rosa = await account(db, { email: 'rosa@example.org' }, await contactId(db, 'Rosa'));
  });

  const load = (rows: readonly Row[]) => town.load([...others, ...rows], 'elementary', later);
  const delta = (rows: readonly Row[]) => town.load(rows, 'elementary', later, { delta: true });
  const seen = async (accountId = rosa): Promise<string[]> =>
    (await entitledStudents(db, { accountId, now: later, timeZone })).map(({ givenName }) => givenName);
  async function registrable(email: string, e164: string, at = later): Promise<boolean> {
    const found = await registrationCandidates(db, { email, e164, now: at, timeZone });
    return found.length > 0 && found.every(({ restricted }) => !restricted);
  }

  it('stays when the person gets a new id and phone', async () => {
    await load([{ ...ana, ...custody }]);
    await load([{ ...ana, contact_id: 'R2', phone1: newPhone }]);
    expect(await registrable('rosa@example.org', '+12135550188')).toBe(false);
  });

  it('stays when the person stands there a second time by another mailbox', async () => {
    await load([
      { ...ana, ...custody },
      { ...ana, contact_id: 'R2', email: 'other@example.org' },
    ]);
    expect(await registrable('other@example.org', '+12135550177')).toBe(false);
  });

  it('stays when the child gets a new id', async () => {
    await load([{ ...ana, ...custody }]);
    await load([{ ...ana, student_id: '00Ana' }]);
    expect(await seen()).toEqual([]);
  });

  it.each([
    ['without its accent', 'José', 'Jose'],
    ['in capitals, as the other system has all names', 'José', 'JOSÉ'],
    ['with the accent as a character of its own', 'José', 'Jose\u0301'],
    ['with an invisible character', 'José', 'Jos\u200bé'],
    ['with other signs', 'María-Luz', 'Maria Luz'],
  ])('stays when the child gets a new id and the name is spelt %s', async (_, before, after) => {
    const child = { ...ana, student_given_name: before };
    await load([{ ...child, ...custody }]);
    await load([{ ...child, student_id: '00Ana', student_given_name: after }]);
    expect(await seen()).toEqual([]);
  });

  it('leaves the person the other children', async () => {
    await load([{ ...ana, ...custody }, row('Mia', 'Rosa', { phone1: phone, birth_date: '2019-02-03' })]);
    await load([{ ...ana, student_id: '00Ana' }, row('Mia', 'Rosa', { phone1: phone, birth_date: '2019-02-03' })]);
    expect(await seen()).toEqual(['Mia']);
  });

  it('is not shed in the other SIS by a new name and address', async () => {
    await town.load([{ ...inSecondary, ...order }], 'secondary', later);
    const renamed = { given_name: 'Eva', family_name: 'Smith', email: 'eva@example.org', phone1: newPhone };
    expect((await load([{ ...ana, ...renamed }])).reasons).toMatchObject({ 'two_people:contact_id': { count: 1 } });
    expect(await registrable('eva@example.org', '+12135550188')).toBe(false);
  });

  it('reaches what staff joined to the account, whatever the other SIS calls the person', async () => {
    const married = { given_name: 'Rosa', family_name: 'Smith', email: 'smith@example.org', phone1: newPhone };
    await town.load([{ ...inSecondary, ...married, ed_rights: 'yes' }], 'secondary');
    const contact = await contactId(db, 'Secondary', 'secondary');
    await proveContact(db, { accountId: rosa, contactId: contact, how: 'staff', now });
    expect(await seen()).toEqual(['Ana', 'Leo']);
    await load([{ ...ana, ...order }]);
    expect(await seen()).toEqual([]);
  });

  it('reaches the account by its own mailbox, of whom the one SIS has another mailbox and phone by now', async () => {
    await load([{ ...ana, email: 'new@example.org', phone1: newPhone }]);
    await town.load([{ ...inSecondary, ...order }], 'secondary', later);
    expect(await seen()).toEqual([]);
  });

  it('reaches from the account, of whom the one SIS has another mailbox and phone by now, to its own mailbox', async () => {
    await town.load([inSecondary], 'secondary', later);
    await load([{ ...ana, email: 'new@example.org', phone1: newPhone }]);
    expect(await registrable('rosa@example.org', '+12135550177')).toBe(true);
    await load([{ ...ana, ...order, email: 'new@example.org', phone1: newPhone }]);
    expect(await registrable('rosa@example.org', '+12135550177')).toBe(false);
  });

  it('holds again what staff released, where it becomes a protection order', async () => {
    const leo = { ...inSecondary, student_given_name: 'Ana' };
    await town.load([leo], 'secondary', later);
    const hers = await account(db, { email: 'hers@example.org' }, await contactId(db, 'Secondary', 'secondary'));
    await load([{ ...ana, ...custody }]);
    const [hold] = await listHolds(db, { contact: null, all: false });
    const tools = { clock: () => later, audit: async () => {} };
    await releaseHold(db, tools, hold?.id ?? '', { actor: 'operator', reason: 'another child' });
    expect(await seen(hers)).toEqual(['Ana']);
    await load([{ ...ana, ...custody, restriction_end: '2027-06-01' }]);
    expect(await seen(hers)).toEqual(['Ana']);
    await load([{ ...ana, ...order }]);
    expect(await seen(hers)).toEqual([]);
    const [again] = await listHolds(db, { contact: null, all: false });
    await releaseHold(db, tools, again?.id ?? '', { actor: 'operator', reason: 'another child' });
    await load([{ ...ana, ...order, grade: '4' }]);
    expect(await seen(hers)).toEqual(['Ana']);
  });

  it('reaches the other SIS also where a name holds an invisible character', async () => {
    await town.load([{ ...inSecondary, ...order, given_name: 'Ro\u00ADsa' }], 'secondary', later);
    expect(await seen()).toEqual([]);
  });

  it('reaches the other SIS on the day on which it begins, without an import', async () => {
    await town.load([{ ...inSecondary, ...order, restriction_start: '2026-11-25' }], 'secondary', later);
    expect(await seen()).toEqual(['Ana']);
    const then = new Date('2026-11-25T18:00:00Z');
    await db.transaction().execute((trx) =>
      tellRestrictions(
        trx,
        async () => {},
        () => then,
        '2026-11-25',
      ),
    );
    expect(await seen()).toEqual([]);
  });

  it.each([
    ['its own words are too long', { restriction_type: 'By order of the court '.repeat(30) }],
    ['the address beside it is too long', { email: `${'x'.repeat(500)}@example.org` }],
    ['a cell beside it holds a null character', { language: 'e\0s' }],
    ['the word itself cannot be read', { restricted: 'yes\0' }],
  ])('counts in a row that is not taken because %s', async (_, cells) => {
    expect((await delta([{ ...ana, restricted: 'yes', ...cells }])).counts).toMatchObject({
      restricted: 1,
      skipped: 1,
    });
    expect(await seen()).toEqual([]);
  });

  it('counts in a row that is not taken also where the person was not known there before', async () => {
    const spoilt = { lives_with: 'sometimes' };
    await delta([{ ...ana, ...custody, ...spoilt, contact_id: 'R2' }]);
    expect(await seen()).toEqual([]);
    await sql`delete from relationship_holds`.execute(db);
    await sql`delete from restrictions`.execute(db);
    expect(await seen()).toEqual(['Ana']);
    const other = { sis: 'secondary', email: 'mum@example.org' };
    await town.load([row('Leo', 'Mum', other)], 'secondary', later);
    await town.load([{ ...inSecondary, ...order, ...spoilt }], 'secondary', later, { delta: true });
    expect(await seen()).toEqual([]);
    expect(await registrable('rosa@example.org', '+12135550177')).toBe(false);
    await town.load([{ ...inSecondary, ...order }], 'secondary', later, { delta: true });
    await town.load([{ ...inSecondary, restricted: 'no' }], 'secondary', later, { delta: true });
    expect((await listHolds(db, { contact: null, all: false })).map(({ cause }) => cause.lifted)).toEqual([true]);
  });

  it('grows to a protection order by a row that is not taken, alone or beside one that is', async () => {
    await town.load([inSecondary], 'secondary', later);
    const hers = await account(db, { email: 'hers@example.org' }, await contactId(db, 'Secondary', 'secondary'));
    const spoilt = { ...ana, ...order, email: `${'x'.repeat(500)}@example.org` };
    await load([{ ...ana, ...custody }]);
    expect(await seen(hers)).toEqual(['Leo']);
    // Nothing is said of what kind it is.
    await delta([{ ...spoilt, restriction_type: '' }]);
    expect(await seen(hers)).toEqual(['Leo']);
    await delta([spoilt]);
    expect(await seen(hers)).toEqual([]);
    const [hold] = await listHolds(db, { contact: null, all: false });
    const tools = { clock: () => later, audit: async () => {} };
    await releaseHold(db, tools, hold?.id ?? '', { actor: 'operator', reason: 'the court lets her' });
    for (const grade of ['4', '5']) await load([{ ...ana, ...custody, grade }, spoilt]);
    expect(await seen(hers)).toEqual(['Leo']);
    await load([{ ...ana, ...custody }]);
    await load([{ ...ana, ...custody, grade: '4' }, spoilt]);
    expect(await seen(hers)).toEqual([]);
  });

  it('counts against a second row of the pair that says the opposite', async () => {
    await load([{ ...ana, ...custody }]);
    await load([
      { ...ana, ...custody, restriction_start: 'soon' },
      { ...ana, restricted: 'no' },
    ]);
    expect(await seen()).toEqual([]);
    await load([{ ...ana, restricted: 'no', last_modified: '2026-11-20T00:00:00Z' }]);
    expect(await seen()).toEqual(['Ana']);
  });

  it('is not the next person’s, nor are the children of an id that was emptied before', async () => {
    await load([{ ...ana, email: '', phone1: '' }]);
    const john = { given_name: 'John', family_name: 'Smith', email: 'john@example.org', phone1: newPhone };
    expect((await load([row('Tom', 'Rosa', john)])).plan).toMatchObject({ contacts: { vacated: 1 } });
    expect(await seen()).toEqual([]);
  });

  it('protects a family by a row that is not taken', async () => {
    const schools = async () =>
      (await entitledStudents(db, { accountId: rosa, now: later, timeZone })).map((s) => s.schoolName);
    expect(await schools()).toEqual(['Lincoln Elementary']);
    await load([{ ...ana, confidential: 'by order of the court' }]);
    expect(await schools()).toEqual([null]);
  });
});
