import { beforeEach, describe, expect, it } from '@jest/globals';
import { decideRegistration } from '../../src/accounts/decide-registration.js';
import { undoJoin } from '../../src/accounts/join-decisions.js';
import { disableAccount } from '../../src/accounts/standing.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { entitledStudents } from '../../src/families/entitlement.js';
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
});
