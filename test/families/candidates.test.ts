import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { feedHolds, isStudentAddress, mailboxSharers, registrationCandidates } from '../../src/families/candidates.js';
import { joinContacts, joinableContacts, proveContact } from '../../src/families/joins.js';
import { ruledDatabases } from '../support/database.js';
import { useDistrict } from '../sis/use-district.js';
import { now, row, timeZone, withoutAccounts } from '../sis/extract.js';
import type { District, Row } from '../sis/extract.js';

const email = 'rosa@example.org';
const e164 = '+12135550100';
const rights = { ed_rights: 'yes' };

describe.each(ruledDatabases)('who may register, on %s', (kind) => {
  let db: Database;
  let town: District;

  useDistrict(kind, (made) => ({ db, town } = made), { prepare: withoutAccounts });

  const second = (contact: string, cells: Row = {}): Row =>
    row(`Kid${contact}`, contact, { sis: 'secondary', email, given_name: 'Rosa', ...rights, ...cells });
  async function idOf(contact: string, sis = 'elementary'): Promise<string> {
    const { rows } = await sql<{
      id: string;
    }>`select id from contacts where sis_id = ${contact} and sis = ${sis}`.execute(db);
    return rows[0]?.id ?? '';
  }
  async function candidates(mailbox = email, phone = e164): Promise<string[]> {
    const found = await registrationCandidates(db, { email: mailbox, e164: phone, now, timeZone });
    return found.map(
      (candidate) =>
        `${candidate.sis} ${candidate.nameKey}${candidate.restricted ? ' restricted' : ''}${candidate.hasRight ? ' right' : ''}`,
    );
  }

  it('finds the current contacts with the mailbox and any of their phones, in both SISs', async () => {
    await town.load([
      row('Ana', 'Rosa'),
      row('Leo', 'Luis', { email, phone1: '', phone2: '213-555-0100 x3' }),
      row('Mia', 'Eva', { email: 'eva@example.org' }),
    ]);
    await town.load([second('Rosa', { phone1: '2135550111' })], 'secondary');
    expect((await candidates()).sort()).toEqual(['elementary luis lopez right', 'elementary rosa lopez right']);
    expect(await candidates(email, '+12135550111')).toEqual(['secondary rosa lopez right']);
    expect(await candidates(email, '+12135559999')).toEqual([]);
    const [rosa] = await registrationCandidates(db, { email: 'eva@example.org', e164, now, timeZone });
    expect(rosa).toMatchObject({
      feed: 'elementary',
      givenName: 'Eva',
      familyName: 'López',
      language: 'es',
      provenBy: null,
    });
  });

  it('leaves out who has neither a right nor a restriction, keeps who is restricted, and says who is proven', async () => {
    await town.load([
      row('Ana', 'Nana', { email, relation: 'grandmother' }),
      row('Leo', 'Rosa', { restricted: 'yes' }),
      row('Mia', 'Luis', { email }),
      row('Eva', 'Soon', { email, start_date: '2027-01-01' }),
    ]);
    expect((await candidates()).sort()).toEqual(['elementary luis lopez right', 'elementary rosa lopez restricted']);
    const accountId = randomUUID();
    expect(await proveContact(db, { accountId, contactId: await idOf('Luis'), how: 'registration', now })).toBe(true);
    expect(
      await proveContact(db, { accountId: randomUUID(), contactId: await idOf('Luis'), how: 'registration', now }),
    ).toBe(false);
    const found = await registrationCandidates(db, { email, e164, now, timeZone });
    expect(found.find((candidate) => candidate.givenName === 'Luis')?.provenBy).toBe(accountId);
  });

  it('sees the order of the other SIS', async () => {
    await town.load([second('Rosa')], 'secondary');
    await town.load([row('Ana', 'Rosa', { restricted: 'yes', restriction_type: 'protection_order' })]);
    expect(await candidates()).toEqual(['elementary rosa lopez restricted', 'secondary rosa lopez restricted']);
  });

  it('forgets a contact that left', async () => {
    const many = Array.from({ length: 30 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
    await town.load([...many, row('Ana', 'Rosa')]);
    expect(await feedHolds(db, email)).toBe(true);
    await town.load(many);
    expect(await candidates()).toEqual([]);
    expect(await feedHolds(db, email)).toBe(false);
  });

  it('knows the addresses of students', async () => {
    await town.load([row('Ana', 'Rosa', { student_email: 'Ana@example.net' })]);
    const domains = ['students.example.org'];
    expect(await isStudentAddress(db, 'ana@example.net', domains)).toBe(true);
    expect(await isStudentAddress(db, 'any@students.example.org', domains)).toBe(true);
    expect(await isStudentAddress(db, 'any@x.students.example.org', domains)).toBe(true);
    expect(await isStudentAddress(db, 'any@notstudents.example.org', domains)).toBe(false);
  });

  it('counts the persons on a mailbox', async () => {
    await town.load([
      row('Ana', 'Rosa'),
      row('Leo', 'Luis', { email }),
      row('Mia', 'R2', { email, given_name: 'ROSA', phone1: '2135550177' }),
    ]);
    await town.load([second('Rosa', { phone1: '2135550188', phone2: '2135550100' })], 'secondary');
    const persons = await mailboxSharers(db, email);
    expect(persons.map((person) => `${person.nameKey} ${person.contacts.length}`).sort()).toEqual([
      'luis lopez 1',
      'rosa lopez 1',
      'rosa lopez 2',
    ]);
  });

  describe('one person in both SISs', () => {
    const mine = row('Ana', 'Rosa', rights);
    const cases: Array<[name: string, first: Row[], other: Row[], expected: string[] | null]> = [
      ['joins by itself', [mine], [second('Rosa')], null],
      [
        'joins with a name written otherwise',
        [mine],
        [second('Rosa', { given_name: 'RÓSA', family_name: 'Lopez' })],
        null,
      ],
      ['not with unknown rights', [{ ...mine, ed_rights: '' }], [second('Rosa')], ['rights_not_explicit']],
      ['not with unknown rights there', [mine], [second('Rosa', { ed_rights: '' })], ['rights_not_explicit']],
      ['not with another phone', [mine], [second('Rosa', { phone1: '2135550188' })], ['other_phone']],
      ['not with another mailbox', [mine], [second('Rosa', { email: 'r@example.org' })], ['other_mailbox']],
      [
        'not when another shares mailbox and phone here',
        [mine, row('Leo', 'Luis', { email })],
        [second('Rosa')],
        ['pair_not_unique'],
      ],
      [
        'not when another shares mailbox and phone there',
        [mine],
        [second('Rosa'), second('Luis', { given_name: 'Luis' })],
        ['pair_not_unique'],
      ],
      [
        'not when somebody there is restricted',
        [mine],
        [second('Rosa', { restricted: 'yes', restriction_type: 'custody' })],
        ['somebody_restricted'],
      ],
      [
        'not when the other on the mailbox is restricted',
        [mine, row('Leo', 'Luis', { email, restricted: 'yes', restriction_type: 'custody' })],
        [second('Rosa')],
        ['pair_not_unique', 'somebody_restricted'],
      ],
    ];
    it.each(cases)('%s', async (_name, first, other, expected) => {
      await town.load(first);
      await town.load(other, 'secondary');
      const { join, propose } = await joinableContacts(db, { contactId: await idOf('Rosa'), now, timeZone });
      const there = await idOf('Rosa', 'secondary');
      const of = (obstacles: string[]) => [{ contactId: there, sis: 'secondary', obstacles }];
      expect({ join, propose }).toEqual(
        expected === null ? { join: of([]), propose: [] } : { join: [], propose: of(expected) },
      );
    });

    it('is no candidate under another name, and neither is a contact already proven', async () => {
      await town.load([mine]);
      await town.load([second('Eva', { given_name: 'Eva' }), second('Rosa')], 'secondary');
      await proveContact(db, {
        accountId: randomUUID(),
        contactId: await idOf('Rosa', 'secondary'),
        how: 'registration',
        now,
      });
      expect(await joinableContacts(db, { contactId: await idOf('Rosa'), now, timeZone })).toEqual({
        join: [],
        propose: [],
      });
    });

    it('a second id in the same SIS is for staff; joining writes both lists once', async () => {
      await town.load([mine, row('Leo', 'R2', { email: 'r2@example.org', given_name: 'Rosa', ...rights })]);
      await town.load([second('Rosa')], 'secondary');
      const accountId = randomUUID();
      const question = { accountId, contactId: await idOf('Rosa'), now, timeZone };
      await proveContact(db, { ...question, how: 'registration' });
      expect(await joinContacts(db, question)).toEqual([await idOf('Rosa', 'secondary')]);
      expect(await joinContacts(db, question)).toEqual([]);
      const proposals = await sql`select contact_id, evidence from join_proposals`.execute(db);
      expect(proposals.rows).toEqual([
        {
          contact_id: await idOf('R2'),
          evidence: { like: question.contactId, obstacles: ['same_sis', 'other_mailbox'] },
        },
      ]);
    });
  });
});
