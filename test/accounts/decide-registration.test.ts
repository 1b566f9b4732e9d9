import { beforeEach, describe, expect, it } from '@jest/globals';
import { decideRegistration } from '../../src/accounts/decide-registration.js';
import type { RegistrationOutcome } from '../../src/accounts/decide-registration.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { district, now, row, timeZone } from '../sis/extract.js';
import type { District, Row } from '../sis/extract.js';
import { account, activationOf, contactId, emptyAll } from './people.js';

const email = 'rosa@example.org';
const phone = '+12135550100';
const rights = { ed_rights: 'yes' };
const hour = 3_600_000;

interface Asked {
  email?: string;
  phone?: string | null;
  sisOrder?: string[];
  at?: Date;
}

/** The design's rule of registration, clause by clause. */
describe.each(ruledDatabases)('the rule of registration, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;
  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });
  beforeEach(async () => {
    await emptyAll(db);
    town = await district(opened);
  });

  const rosa = (cells: Row = {}): Row => row('Ana', 'Rosa', { ...rights, ...cells });
  const there = (cells: Row = {}): Row =>
    row('Beto', 'Rosa2', { sis: 'secondary', email, given_name: 'Rosa', ...rights, ...cells });
  const bystanders = Array.from({ length: 30 }, (_, index) => row(`Kid${index}`, `Mum${index}`));

  async function decide(asked: Asked = {}): Promise<string> {
    const decided = await ask(asked);
    return decided.kind === 'activate'
      ? `activate ${decided.candidate.sis} ${decided.candidate.givenName}`
      : decided.kind;
  }
  async function ask({ at = now, ...asked }: Asked = {}): Promise<RegistrationOutcome> {
    const question = {
      email,
      phone,
      sisOrder: ['elementary', 'secondary'],
      studentDomains: ['students.example.org'],
      timeZone,
      ...asked,
    };
    return db.transaction().execute((trx) => decideRegistration(trx, () => at, question));
  }

  describe('a student’s address is never registrable', () => {
    it('though a contact with a right has it', async () => {
      await town.load([rosa({ student_email: email })]);
      expect(await decide()).toBe('silent');
    });

    it.each(['rosa@students.example.org', 'rosa@high.students.example.org'])(
      'by the student domains: %s',
      async (mailbox) => {
        await town.load([rosa({ email: mailbox })]);
        expect(await decide({ email: mailbox })).toBe('silent');
      },
    );

    it('but one that only ends alike is another domain', async () => {
      await town.load([rosa({ email: 'rosa@notstudents.example.org' })]);
      expect(await decide({ email: 'rosa@notstudents.example.org' })).toBe('activate elementary Rosa');
    });
  });

  describe('(1) in person', () => {
    it('where a candidate is restricted', async () => {
      await town.load([rosa({ restricted: 'yes', restriction_type: 'protection_order' })]);
      expect(await decide()).toBe('in-person');
    });

    it('where one of the other SIS is', async () => {
      await town.load([rosa()]);
      await town.load([there({ restricted: 'yes', restriction_type: 'protection_order' })], 'secondary');
      expect(await decide()).toBe('in-person');
    });

    it('where several people have the mailbox and the phone', async () => {
      await town.load([rosa(), row('Ana', 'Luis', { email, ...rights })]);
      expect(await decide()).toBe('in-person');
    });

    it('where they are restricted and have an account already', async () => {
      await town.load([rosa({ restricted: 'yes', restriction_type: 'protection_order' })]);
      await account(db, { email }, await contactId(db, 'Rosa'));
      expect(await decide()).toBe('in-person');
    });

    it('not for another person on the mailbox who has another phone', async () => {
      await town.load([rosa(), row('Ana', 'Luis', { email, phone1: '(213) 555-0111', ...rights })]);
      expect(await decide()).toBe('activate elementary Rosa');
    });

    it('not for a second person who has no right', async () => {
      await town.load([rosa(), row('Ana', 'Luis', { email, ed_rights: 'no' })]);
      expect(await decide()).toBe('activate elementary Rosa');
    });
  });

  describe('(2) an account already', () => {
    it('where the contact is proven', async () => {
      await town.load([rosa()]);
      const id = await account(db, { email }, await contactId(db, 'Rosa'));
      expect(await ask()).toEqual({ kind: 'already', accountId: id });
    });

    it('where the contact of the other SIS is, which then joins', async () => {
      await town.load([rosa()]);
      await town.load([there()], 'secondary');
      const id = await account(db, { email }, await contactId(db, 'Rosa2', 'secondary'));
      const [hers, theirs] = [await contactId(db, 'Rosa2', 'secondary'), await contactId(db, 'Rosa')];
      expect(await ask()).toEqual({ kind: 'already', accountId: id, joined: { like: hers, joined: [theirs] } });
      const proven = await db
        .selectFrom('proven_contacts')
        .select(['contact_id', 'how'])
        .where('account_id', '=', id)
        .execute();
      expect(proven).toContainEqual({ contact_id: await contactId(db, 'Rosa'), how: 'join' });
    });

    it.each(['suspended', 'closed'] as const)('where the account is %s, to which nothing joins', async (as) => {
      await town.load([rosa()]);
      await town.load([there()], 'secondary');
      const proven = await contactId(db, 'Rosa2', 'secondary');
      const id = await account(db, { email, disabled_at: now, disabled_as: as }, proven);
      expect(await ask()).toEqual({ kind: 'already', accountId: id });
      const rows = await db.selectFrom('proven_contacts').select('contact_id').where('account_id', '=', id).execute();
      expect(rows).toEqual([{ contact_id: proven }]);
    });

    it('and proposes to staff what may not join by itself', async () => {
      await town.load([rosa()]);
      await town.load([there({ ed_rights: '' })], 'secondary');
      const id = await account(db, { email }, await contactId(db, 'Rosa'));
      expect(await ask()).toEqual({ kind: 'already', accountId: id });
      const proposed = await db
        .selectFrom('join_proposals')
        .select('contact_id')
        .where('account_id', '=', id)
        .execute();
      expect(proposed).toEqual([{ contact_id: await contactId(db, 'Rosa2', 'secondary') }]);
    });
  });

  describe('(3) an activation', () => {
    it('by any phone of the contact', async () => {
      await town.load([rosa({ phone2: '(213) 555-0111' })]);
      expect(await decide({ phone: '+12135550111' })).toBe('activate elementary Rosa');
    });

    it('of the contact of the first feed, where both SISs have the person', async () => {
      await town.load([rosa({ given_name: 'María-José', family_name: 'O’Neill' })]);
      await town.load([there({ given_name: 'MARIA JOSE', family_name: 'Oneill' })], 'secondary');
      expect(await decide()).toBe('activate elementary María-José');
      expect(await decide({ sisOrder: ['secondary', 'elementary'] })).toBe('activate secondary MARIA JOSE');
    });

    it('three live ones a contact and day at most, whoever asked', async () => {
      await town.load([rosa()]);
      const contact = await contactId(db, 'Rosa');
      for (let made = 0; made < 3; made += 1) {
        expect(await decide()).toBe('activate elementary Rosa');
        await activationOf(db, contact, new Date(now.getTime() - made * hour));
      }
      expect(await decide()).toBe('silent');
      // The oldest was two hours before: a day after it, one is free again.
      expect(await decide({ at: new Date(now.getTime() + 21 * hour) })).toBe('silent');
      expect(await decide({ at: new Date(now.getTime() + 23 * hour) })).toBe('activate elementary Rosa');
    });

    it('ended ones do not count', async () => {
      await town.load([rosa()]);
      const contact = await contactId(db, 'Rosa');
      for (let made = 0; made < 5; made += 1) await activationOf(db, contact, now, now);
      expect(await decide()).toBe('activate elementary Rosa');
    });
  });

  describe('(4) nobody', () => {
    it('is silent where no feed and no account knows the mailbox', async () => {
      await town.load([row('Ana', 'Luis', rights)]);
      expect(await decide()).toBe('silent');
    });

    it.each([
      ['another phone', {}, '+12135550199'],
      ['what is no phone', {}, null],
      ['no right', { ed_rights: 'no' }, phone],
      ['an emergency contact without flags', { ed_rights: '', relation: 'neighbor', is_emergency: 'yes' }, phone],
    ] as const)('is told to ask the school where a feed holds the mailbox with %s', async (_, cells, typed) => {
      await town.load([rosa(cells)]);
      expect(await decide({ phone: typed })).toBe('no-match');
    });

    it('hears nothing of the account that had this mailbox before the school gave it to somebody else', async () => {
      await town.load([...bystanders, rosa()]);
      await account(db, { email }, await contactId(db, 'Rosa'));
      await town.load([
        ...bystanders,
        rosa({ email: 'rosa.new@example.org', last_modified: '2026-11-10T00:00:00Z' }),
        row('Leo', 'Luis', { ...rights, email, phone1: '(213) 555-0111' }),
      ]);
      expect(await decide({ phone: '+12135550199' })).toBe('no-match');
    });

    it('hears of the account that proved this mailbox once, though the children are gone', async () => {
      await town.load([...bystanders, rosa()]);
      const id = await account(db, { email }, await contactId(db, 'Rosa'));
      await town.load(bystanders);
      expect(await ask()).toEqual({ kind: 'already', accountId: id });
    });
  });
});
