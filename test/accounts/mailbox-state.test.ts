import { beforeEach, describe, expect, it } from '@jest/globals';
import { mailboxState } from '../../src/accounts/account.js';
import type { MailboxState } from '../../src/accounts/account.js';
import { decideRecovery } from '../../src/accounts/decide-recovery.js';
import { pendingFor } from '../../src/accounts/pending.js';
import { accountPerson } from '../../src/accounts/person.js';
import { recoveryNeedsCode } from '../../src/accounts/recover.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { district, row } from '../sis/extract.js';
import type { District, Row } from '../sis/extract.js';
import { account, contactId, emptyAll } from './people.js';

const email = 'rosa@example.org';
const rights = { ed_rights: 'yes' };
const alone: MailboxState = { shared: false, suspended: false };

describe.each(ruledDatabases)('an account’s mailbox, on %s', (kind) => {
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
  const luis = (cells: Row = {}): Row => row('Leo', 'Luis', { ...rights, email, phone1: '(213) 555-0111', ...cells });
  const bystanders = Array.from({ length: 30 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
  const later = '2026-11-10T00:00:00Z';
  const registered = async (): Promise<string> => account(db, { email }, await contactId(db, 'Rosa'));

  /** What stands in the feeds and the accounts, and what follows for Rosa's account. */
  const table: Array<[what: string, arrange: () => Promise<string>, expected: MailboxState]> = [
    [
      'hers alone',
      async () => {
        await town.load([rosa()]);
        return registered();
      },
      alone,
    ],
    [
      'hers in both SISs',
      async () => {
        await town.load([rosa()]);
        await town.load(
          [row('Beto', 'Rosa2', { sis: 'secondary', email, given_name: 'ROSA', ...rights })],
          'secondary',
        );
        return registered();
      },
      alone,
    ],
    [
      'of two people',
      async () => {
        await town.load([rosa(), luis()]);
        return registered();
      },
      { shared: true, suspended: false },
    ],
    [
      'of two people of one name with different phones',
      async () => {
        await town.load([rosa(), luis({ given_name: 'Rosa' })]);
        return registered();
      },
      { shared: true, suspended: false },
    ],
    [
      'of two people, one of whom only is an emergency contact',
      async () => {
        await town.load([rosa(), luis({ ed_rights: 'no', relation: 'neighbor' })]);
        return registered();
      },
      { shared: true, suspended: false },
    ],
    [
      'of two accounts',
      async () => {
        await town.load([rosa()]);
        const id = await registered();
        await account(db, { email, sign_in_name: 'luis' });
        return id;
      },
      { shared: true, suspended: false },
    ],
    [
      'hers by proof, and no feed has it any more',
      async () => {
        await town.load([rosa()]);
        const id = await registered();
        await town.load([rosa({ email: 'rosa.new@example.org', last_modified: later })]);
        return id;
      },
      alone,
    ],
    [
      'hers by proof, and her children are gone',
      async () => {
        await town.load([...bystanders, rosa()]);
        const id = await registered();
        await town.load(bystanders);
        return id;
      },
      alone,
    ],
    [
      'given to another person by the feed',
      async () => {
        await town.load([rosa()]);
        const id = await registered();
        await town.load([rosa({ email: 'rosa.new@example.org', last_modified: later }), luis()]);
        return id;
      },
      { shared: false, suspended: true },
    ],
    [
      'given to two others by the feed',
      async () => {
        await town.load([rosa()]);
        const id = await registered();
        const eva = row('Mia', 'Eva', { ...rights, email, phone1: '(213) 555-0112' });
        await town.load([rosa({ email: 'rosa.new@example.org', last_modified: later }), luis(), eva]);
        return id;
      },
      { shared: true, suspended: true },
    ],
    [
      'a student’s own by now, and hers in no feed any more',
      async () => {
        await town.load([rosa()]);
        const id = await registered();
        await town.load([rosa({ email: 'rosa.new@example.org', student_email: email, last_modified: later })]);
        return id;
      },
      { shared: false, suspended: true },
    ],
    [
      'hers, and in the record of a student too',
      async () => {
        await town.load([rosa()]);
        const id = await registered();
        await town.load([rosa({ student_email: email, last_modified: later })]);
        return id;
      },
      { shared: true, suspended: false },
    ],
  ];

  it.each(table)('%s', async (_, arrange, expected) => {
    const id = await arrange();
    expect(await mailboxState(db, { id, email })).toEqual(expected);
    const verified = !expected.shared && !expected.suspended;
    expect(await accountPerson(db, id)).toMatchObject({ email, emailVerified: verified });
  });

  it('is judged anew each time: a feed that takes the mailbox back returns it', async () => {
    await town.load([rosa()]);
    const id = await registered();
    await town.load([rosa(), luis()]);
    expect((await mailboxState(db, { id, email })).shared).toBe(true);
    await town.load([rosa(), luis({ email: 'luis@example.org', last_modified: later })]);
    expect(await mailboxState(db, { id, email })).toEqual(alone);
  });

  it.each([
    ['rosa.new@example.org', 'rosa.new@example.org'],
    ['ana@students.example.org', null],
    ['ana@north.students.example.org', null],
    ['rosa@notstudents.example.org', 'rosa@notstudents.example.org'],
  ])('%s of the school’s record is offered as a new one: %s', async (changed, offered) => {
    await town.load([rosa()]);
    const id = await registered();
    await town.load([rosa({ email: changed, last_modified: later })]);
    expect((await pendingFor(db, id, ['students.example.org'])).address).toBe(offered);
  });

  it('is asked about whether another account has the new one or not: who is not asked would learn of that account', async () => {
    await town.load([rosa(), luis({ email: 'luis@example.org' })]);
    const id = await registered();
    await town.load([rosa({ email: 'luis@example.org', last_modified: later }), luis({ email: 'luis@example.org' })]);
    const asked = await pendingFor(db, id, []);
    await account(db, { email: 'luis@example.org' }, await contactId(db, 'Luis'));
    expect(await pendingFor(db, id, [])).toEqual(asked);
    expect(asked.address).toBe('luis@example.org');
  });

  describe('as a channel of recovery', () => {
    const decide = (typed: string) => db.transaction().execute((trx) => decideRecovery(trx, typed));

    it('leads to a link where it is the account’s alone, however it is written', async () => {
      await town.load([rosa()]);
      const id = await registered();
      for (const typed of [email, ' ROSA@Example.org. ']) {
        expect(await decide(typed)).toEqual({ kind: 'recover', accountId: id, to: email, needsCode: false });
      }
    });

    it('needs the recovery code where it is shared, and is in person without one', async () => {
      await town.load([rosa(), luis()]);
      const id = await registered();
      const second = await account(
        db,
        { email, sign_in_name: 'luis', recovery_code_hash: 'x' },
        await contactId(db, 'Luis'),
      );
      expect(await decide(email)).toEqual({ kind: 'in-person', to: email });
      expect(await decide('LUIS')).toEqual({ kind: 'recover', accountId: second, to: email, needsCode: true });
      await db.updateTable('accounts').set({ recovery_code_hash: 'y' }).where('id', '=', id).execute();
      expect(await decide(email)).toEqual({ kind: 'recover', accountId: id, to: email, needsCode: true });
    });

    it('is none where a feed gave it to another person', async () => {
      await town.load([rosa()]);
      await registered();
      await town.load([rosa({ email: 'rosa.new@example.org', last_modified: later }), luis()]);
      expect(await decide(email)).toEqual({ kind: 'silent' });
    });

    it('is none where it became a student’s, also for a link that was mailed before', async () => {
      await town.load([rosa()]);
      const id = await registered();
      await town.load([rosa({ student_email: email, last_modified: later })]);
      expect(await decide(email)).toEqual({ kind: 'in-person', to: email });
      expect(await recoveryNeedsCode(db, id)).toBe(true);
      await town.load([
        rosa({ email: 'rosa.new@example.org', student_email: email, last_modified: '2026-11-11T00:00:00Z' }),
      ]);
      expect(await decide(email)).toEqual({ kind: 'silent' });
    });

    it('is none where only a feed holds it: the earlier address is named, not told', async () => {
      await town.load([rosa()]);
      await registered();
      await town.load([rosa({ email: 'rosa.new@example.org', last_modified: later })]);
      expect(await decide('rosa.new@example.org')).toEqual({ kind: 'earlier-address', to: 'rosa.new@example.org' });
    });

    it('is in person where its account signs in by a name, and nobody by it: it is not called unconfirmed', async () => {
      await town.load([rosa()]);
      await account(db, { email, sign_in_name: 'rosa' }, await contactId(db, 'Rosa'));
      expect(await decide(email)).toEqual({ kind: 'in-person', to: email });
      await town.load([rosa({ email: 'rosa.new@example.org', last_modified: later }), luis()]);
      expect(await decide(email)).toEqual({ kind: 'silent' });
    });

    it('works without current contacts', async () => {
      await town.load([...bystanders, rosa()]);
      const id = await registered();
      await town.load(bystanders);
      expect(await decide(email)).toMatchObject({ kind: 'recover', accountId: id });
    });

    it.each(['nobody@example.org', 'nobody', '', 'a b c'])('is silent for %p', async (typed) => {
      await town.load([rosa()]);
      expect(await decide(typed)).toEqual({ kind: 'silent' });
    });

    it('is silent for a contact without an account, and leads a suspended one to the school', async () => {
      await town.load([rosa()]);
      expect(await decide(email)).toEqual({ kind: 'silent' });
      await account(db, { email, disabled_at: new Date(), disabled_as: 'suspended' }, await contactId(db, 'Rosa'));
      expect(await decide(email)).toEqual({ kind: 'in-person', to: email });
    });
  });
});
