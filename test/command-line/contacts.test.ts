import { beforeAll, describe, expect, it } from '@jest/globals';
import { auditLog } from '../../src/audit/audit.js';
import { parseConfig } from '../../src/config.js';
import { systemClock } from '../../src/database/clock.js';
import type { Database } from '../../src/database/database.js';
import { deskCommands } from '../../src/desk/run.js';
import type { Desk } from '../../src/desk/desk.js';
import { bulkLoader } from '../../src/sis/loader.js';
import { account, contactId } from '../accounts/people.js';
import { district, feedsFile, row } from '../sis/extract.js';
import { useDatabase } from '../support/suite-database.js';

const email = 'rosa@example.org';
const rosa = { given_name: 'Rosa', email };
const nowhere = '00000000-0000-4000-8000-000000000000';
const why = ['--reason', 'asked at the school'];

describe('contacts at the command line', () => {
  let db: Database;
  let desk: Desk;
  let id: string;

  useDatabase('postgres', async (taken, opened) => {
    db = taken;
    desk = {
      config: parseConfig({}),
      clock: systemClock,
      db,
      audit: auditLog(systemClock),
      feeds: async () => feedsFile(),
      load: bulkLoader(opened),
      secretsKey: null,
      keysFollowed: async () => {},
      tellApps: () => {},
    };
    const town = await district(opened);
    await town.load([row('Ana', 'E1', { ...rosa, ed_rights: 'yes' }), row('Kim', 'Nina', { phone1: '2135550188' })]);
    id = await account(db, { email }, await contactId(db, 'E1'));
    await town.load([row('Luis', 'S1', { ...rosa, sis: 'secondary', phone1: '2135550177' })], 'secondary');
  });

  const command = (...args: string[]): Promise<string> =>
    deskCommands.get('contacts')?.(desk, args) ?? Promise.reject(new Error('no such command'));
  const list = async (...more: string[]) =>
    JSON.parse(await command('proposals', '--json', ...more)) as Array<{ id: string; decision: string | null }>;
  let proposal = '';
  beforeAll(async () => {
    proposal = (await list())[0]?.id ?? '';
  });

  it('lists what waits, with the evidence in plain words and nobody’s name, address or phone', async () => {
    const listed = await command('proposals');
    expect(listed).toMatch(/^proposal +account +contact +since +by +agrees +stands against it +can be accepted\n/);
    expect(listed).toContain(`${proposal}  ${id}  secondary:S1`);
    expect(listed).toMatch(/system  name, mailbox  no phone in common, rights are not an explicit yes  yes$/);
    expect(listed).not.toMatch(/Rosa|Luis|López|example\.org|555/i);
  });

  it('accepts, undoes by the proposal, and keeps who and why', async () => {
    expect(await command('accept', proposal, ...why)).toMatch(/^Accepted: /);
    expect(await command('proposals')).toBe('There are none.');
    await expect(command('accept', proposal, ...why)).rejects.toThrow('The proposal is accepted already.');
    expect(await command('undo', proposal, ...why)).toMatch(/^Undone: /);
    expect(await command('proposals', '--all')).toMatch(/undone by operator: asked at the school$/);
    await expect(command('undo', proposal, ...why)).rejects.toThrow('The account does not have this contact.');
    const events = await db.selectFrom('audit_events').select(['kind', 'actor', 'subject', 'details']).execute();
    expect(events.filter(({ kind }) => kind.startsWith('contact.'))).toEqual(
      ['accepted', 'undone'].map((what) => ({
        kind: `contact.${what}`,
        actor: 'operator',
        subject: `account:${id}`,
        details: expect.objectContaining({ proposal, reason: 'asked at the school' }),
      })),
    );
    expect(JSON.stringify(events)).not.toMatch(/Rosa|Luis|example\.org|555/);
  });

  it('proposes by hand, also under another name, and declines', async () => {
    const proposed = await command('propose', '--account', email, '--contact', 'elementary:Nina', ...why);
    const [{ id: made } = { id: '' }] = await list();
    expect(proposed).toBe(`Proposed: ${made}.`);
    expect(await command('proposals')).toContain('operator  nothing  another name, a contact of the same SIS, ');
    await expect(command('propose', '--account', id, '--contact', 'elementary:Nina', ...why)).rejects.toThrow(
      `It is proposed already: ${made}.`,
    );
    expect(await command('decline', made, ...why)).toMatch(/^Declined: /);
    expect((await list('--all')).map(({ decision }) => decision)).toEqual(['declined', 'undone']);
  });

  it.each<[string[], string]>([
    [[], 'Say what to do: contacts proposals, propose, accept, decline or undo.'],
    [['accept'], 'Say which: contacts accept PROPOSAL; `contacts proposals` lists them.'],
    [['accept', nowhere], 'Say why, in a few words without names: --reason "…".'],
    [['accept', nowhere, ...why], 'There is no such proposal; `contacts proposals` lists them.'],
    [['decline', "x'; drop table", ...why], 'There is no such proposal; `contacts proposals` lists them.'],
    [['accept', nowhere, nowhere, ...why], 'Say one proposal at a time.'],
    [['undo', ...why], 'Say which, by one of them: contacts undo PROPOSAL, or --account ACCOUNT --contact SIS:ID.'],
    [['undo', nowhere, '--account', email, ...why], 'Say which, by one of them: contacts undo PROPOSAL, or'],
    [['propose', '--contact', 'elementary:Nina', ...why], 'Say which account: --account with its id, e-mail'],
    [['propose', '--account', email, ...why], 'Say which contact: --contact SIS:ID.'],
    [['propose', '--account', email, '--contact', 'Nina', ...why], 'There is no such contact; say it as SIS:ID.'],
    [['propose', '--account', email, '--contact', 'elementary:E1', ...why], 'The account has this contact already.'],
    [['undo', '--account', email, '--contact', 'elementary:E1', ...why], 'It is the only contact of the account'],
  ])('%j is refused in one sentence', async (args, sentence) => {
    await expect(command(...args)).rejects.toThrow(sentence);
  });

  it('takes no e-mail that two accounts have for the one of them that signs in by it', async () => {
    const other = await account(db, { email, sign_in_name: 'luis' });
    const at = (room: string, ...args: string[]): Promise<string> =>
      deskCommands.get(room)?.(desk, args) ?? Promise.reject(new Error('no such command'));
    for (const [room, ...args] of [
      ['accounts', 'close', '--account', email, ...why],
      ['sessions', 'revoke', '--account', 'ROSA@example.org'],
      ['contacts', 'propose', '--account', email, '--contact', 'secondary:S1', ...why],
    ] as const) {
      const refused = await at(room, ...args).catch((error: unknown) => String(error));
      expect(refused).toContain('2 accounts have this e-mail; say the id of the one you mean: ');
      expect(refused).toContain(`${id} (signs in by the e-mail)`);
      expect(refused).toContain(`${other} (luis)`);
    }
    expect(await at('accounts', 'close', '--account', 'luis', ...why)).toContain(other);
    expect(await at('accounts', 'suspend', '--account', id, ...why)).toContain(id);
  });
});
