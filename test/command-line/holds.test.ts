import { describe, expect, it } from '@jest/globals';
import { auditLog } from '../../src/audit/audit.js';
import { parseConfig } from '../../src/config.js';
import { systemClock } from '../../src/database/clock.js';
import type { Database } from '../../src/database/database.js';
import { deskCommands } from '../../src/desk/run.js';
import type { Desk } from '../../src/desk/desk.js';
import { entitledStudents } from '../../src/families/entitlement.js';
import { bulkLoader } from '../../src/sis/loader.js';
import { account, contactId } from '../accounts/people.js';
import { district, feedsFile, row, timeZone } from '../sis/extract.js';
import type { District } from '../sis/extract.js';
import { useDatabase } from '../support/suite-database.js';

const rosa = { given_name: 'Rosa', email: 'rosa@example.org', ed_rights: 'yes' };
const order = { restricted: 'yes', restriction_type: 'protection_order' };
const why = ['--reason', 'the court lets her'];

describe('holds at the command line', () => {
  let db: Database;
  let desk: Desk;
  let town: District;
  let id: string;

  useDatabase('postgres', async (taken, opened) => {
    db = taken;
    const tools = { clock: systemClock, audit: auditLog(systemClock), load: bulkLoader(opened) };
    const beside = { secretsKey: null, keysFollowed: async () => {}, tellApps: () => {} };
    desk = { config: parseConfig({}), db, feeds: async () => feedsFile(), ...tools, ...beside };
    town = await district(opened);
    await town.load([row('Luis', 'S1', { ...rosa, sis: 'secondary' })], 'secondary');
    id = await account(db, { email: rosa.email }, await contactId(db, 'S1', 'secondary'));
    await town.load([row('Ana', 'E1', { ...rosa, ...order }), row('Eva', 'E2')]);
  });

  const command = (...args: string[]): Promise<string> =>
    deskCommands.get('holds')?.(desk, args) ?? Promise.reject(new Error('no such command'));
  const children = async (): Promise<string[]> =>
    (await entitledStudents(db, { accountId: id, now: new Date(), timeZone })).map(({ givenName }) => givenName);

  it('lists what an order in the other SIS closed, with ids and nobody’s name', async () => {
    expect(await children()).toEqual([]);
    const listed = await command('list');
    expect(listed).toMatch(/^hold +contact +student +because of +on +since +decided\n/);
    expect(listed).toMatch(
      / {2}secondary:S1 +secondary:Luis +protection order +elementary:E1 with elementary:Ana .* no$/,
    );
    expect(await command('list', '--contact', 'secondary:S1')).toBe(listed);
    expect(await command('list', '--contact', 'elementary:E1')).toBe(listed);
    expect(await command('list', '--contact', 'elementary:E2')).toBe('There are none.');
    // One that is spelt wrong is nobody, and not one whom nothing holds.
    for (const wrong of ['elementary:Ana', 'S1', 'Secondary:S1', 'secondary:s1', '']) {
      await expect(command('list', '--contact', wrong)).rejects.toThrow('There is no such contact');
    }
    expect(listed).not.toMatch(/Rosa|López|example\.org|555/i);
  });

  it('releases one: the child is seen again, also after the next import, and who and why is kept', async () => {
    const [hold] = JSON.parse(await command('list', '--json')) as Array<{ id: string }>;
    const holdId = hold?.id ?? '';
    await expect(command('release', holdId)).rejects.toThrow('Say why');
    await expect(command('release', holdId, '--reason', 'x'.repeat(201))).rejects.toThrow('200 characters at most');
    expect(await command('release', holdId, ...why)).toMatch(/^Released: /);
    expect(await children()).toEqual(['Luis']);
    await town.load([row('Ana', 'E1', { ...rosa, ...order, grade: '4' }), row('Eva', 'E2')]);
    expect([await children(), await command('list')]).toEqual([['Luis'], 'There are none.']);
    expect(await command('list', '--all')).toContain(holdId);
    await expect(command('release', holdId, ...why)).rejects.toThrow('The hold is released already.');
    await expect(command('release', 'nothing', ...why)).rejects.toThrow('There is no such hold.');
    await expect(command('keep')).rejects.toThrow('Say what to do');
    const events = await db.selectFrom('audit_events').select(['kind', 'actor', 'details']).execute();
    expect(events.filter(({ kind }) => kind === 'hold.released')).toMatchObject([
      { actor: 'operator', details: { reason: 'the court lets her' } },
    ]);
  });
});
