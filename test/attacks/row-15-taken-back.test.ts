import { beforeEach, describe, expect, it } from '@jest/globals';
import { decideRegistration } from '../../src/accounts/decide-registration.js';
import { undoJoin } from '../../src/accounts/join-decisions.js';
import { disableAccount } from '../../src/accounts/standing.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { entitledStudents } from '../../src/families/entitlement.js';
import { markJoinsDue } from '../../src/families/joins.js';
import { joinAfterRuns } from '../../src/sis/join-after.js';
import { account, contactId, emptyAll } from '../accounts/people.js';
import { district, now, row, timeZone } from '../sis/extract.js';
import type { District } from '../sis/extract.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';

const why = { actor: 'operator', reason: 'another person registered' };
const crowd = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`, { phone1: '2135550999' }));
const mother = row('Ana', 'Rosa', { ed_rights: 'yes' });
const asked = {
  email: 'rosa@example.org',
  phone: '+12135550100',
  sisOrder: ['elementary'],
  studentDomains: [],
  timeZone,
};

describe.each(ruledDatabases)('row 15: a parent in whose place another registered, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;
  useDatabase(kind, (taken, whole) => {
    [db, opened] = [taken, whole];
  });
  beforeEach(async () => {
    await emptyAll(db);
    town = await district(opened);
  });

  it('registers once staff have corrected the record, closed that account and taken the contact from it', async () => {
    const wrong = { email: 'ex@example.org', phone1: '(213) 555-0177', last_modified: '2026-10-01T08:00:00Z' };
    await town.load([...crowd, { ...mother, ...wrong }]);
    const contact = await contactId(db, 'Rosa');
    const accountId = await account(db, { email: 'ex@example.org' }, contact);
    await town.load([...crowd, { ...mother, last_modified: '2026-11-01T08:00:00Z' }]);
    const registers = async (): Promise<string> => (await decideRegistration(db, () => now, asked)).kind;
    expect(await registers()).toBe('already');

    const parts = { db, clock: () => now, timeZone, audit: async () => {} };
    const undo = (): Promise<void> => undoJoin(parts, { accountId, contactId: contact }, why);
    await disableAccount(db, parts.audit, parts.clock, { accountId, as: 'suspended', ...why });
    await expect(undo()).rejects.toThrow('close the account first');
    await disableAccount(db, parts.audit, parts.clock, { accountId, as: 'closed', ...why });
    await undo();
    expect(await registers()).toBe('activate');
    expect(await entitledStudents(db, { accountId, now, timeZone })).toEqual([]);
    await expect(undo()).rejects.toThrow('does not have this contact');
  });

  it('does not get again, by registering anew, the child that staff took from the account, and gets the own one that a wrong account had', async () => {
    const audit = async (): Promise<void> => {};
    const at = (minutes: number) => ({ db, clock: () => new Date(now.getTime() + minutes * 60_000), timeZone, audit });
    const email = 'rosa@example.org';
    await town.load([...crowd, mother]);
    const first = await contactId(db, 'Rosa');
    let accountId = await account(db, { email }, first);
    const other = { sis: 'secondary', given_name: 'ROSA', email, ed_rights: 'yes' };
    await town.load([row('Luis', 'S1', other)], 'secondary');
    const second = await contactId(db, 'S1', 'secondary');
    const children = async (): Promise<string[]> =>
      (await entitledStudents(db, { accountId, now, timeZone })).map(({ givenName }) => givenName);
    /** The account is closed, what it has is taken from it, and its parent registers by the contact. */
    const anew = async (contact: string, had: readonly string[]): Promise<string[]> => {
      await disableAccount(db, audit, at(1).clock, { accountId, as: 'closed', ...why });
      for (const each of had) await undoJoin(at(2), { accountId, contactId: each }, why);
      const gone = { email: `${accountId}@example.org`, sign_in_name: `gone-${accountId.slice(0, 8)}` };
      await db.updateTable('accounts').set(gone).where('id', '=', accountId).execute();
      accountId = await account(db, { email }, contact);
      await markJoinsDue(db, accountId);
      await joinAfterRuns(db, at(3));
      return children();
    };
    expect(await children()).toEqual(['Ana', 'Luis']);
    await undoJoin(at(0), { accountId, contactId: second }, why);
    expect(await anew(first, [first])).toEqual(['Ana']);
    expect(await anew(second, [first])).toEqual(['Luis']);

    await db.deleteFrom('join_proposals').execute();
    expect(await anew(first, [second])).toEqual(['Ana', 'Luis']);
    expect(await anew(first, [second, first])).toEqual(['Ana', 'Luis']);
  });
});
