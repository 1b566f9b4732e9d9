import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { activate } from '../../src/accounts/activate.js';
import { acceptJoin, declineJoin, undoJoin } from '../../src/accounts/join-decisions.js';
import { listProposals } from '../../src/accounts/join-proposals.js';
import { passwordHasher } from '../../src/accounts/password-hasher.js';
import { pendingFor } from '../../src/accounts/pending.js';
import { disableAccount, reopenAccount } from '../../src/accounts/standing.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { entitledStudents } from '../../src/families/entitlement.js';
import { joinAfterRuns } from '../../src/sis/join-after.js';
import { bulkLoader } from '../../src/sis/loader.js';
import { rollBackRun } from '../../src/sis/roll-back.js';
import { account, activationOf, contactId, emptyAll } from '../accounts/people.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { district, now, row, timeZone } from './extract.js';
import type { District, Row } from './extract.js';

const email = 'rosa@example.org';
const rights = { ed_rights: 'yes' };
const order = { restricted: 'yes', restriction_type: 'custody' };
const later = new Date(now.getTime() + 86_400_000);
const crowd = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`, { phone1: '2135550999' }));
const why = { actor: 'operator', reason: 'the school asked' };

describe.each(ruledDatabases)('who joins after an import, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;
  let rosas: string;
  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });
  beforeEach(async () => {
    await emptyAll(db);
    town = await district(opened);
  });

  const here = (cells: Row = {}): Row => row('Ana', 'E1', { email, given_name: 'Rosa', ...rights, ...cells });
  const there = (cells: Row = {}): Row =>
    row('Luis', 'S1', { sis: 'secondary', email, given_name: 'ROSA', ...rights, ...cells });
  /** Another of the same mailbox and phone, in a crowd in which one may be missing. */
  const shared = [row('Kim', 'S9', { sis: 'secondary', email })];
  const many = crowd.map((cells) => ({ ...cells, sis: 'secondary', email: `s${cells.email}` }));
  const luis = (cells: Row = {}): Row => row('Leo', 'E9', { email, given_name: 'Luis', ...rights, ...cells });

  const tools = () => ({
    clock: () => later,
    timeZone,
    audit: async (_trx: unknown, event: (typeof town.events)[number]) => void town.events.push(event),
  });
  const parts = () => ({ db, ...tools() });

  /** Rosa has an account by her contact in the elementary SIS, and then the secondary sends its file. */
  async function registered(first: readonly Row[] = [here()], second: readonly Row[] = []): Promise<void> {
    await town.load([...crowd, ...first]);
    rosas = await account(db, { email }, await contactId(db, 'E1'));
    if (second.length > 0) await town.load(second, 'secondary');
  }
  const children = async (id = rosas): Promise<string[]> =>
    (await entitledStudents(db, { accountId: id, now: later, timeZone })).map(({ givenName }) => givenName);
  const proposals = (all = false) => listProposals(db, { clock: () => later, timeZone }, all);
  const hasNews = async (): Promise<boolean> => (await pendingFor(db, rosas, [])).news;
  /** What the rule did: `joined`, or what stands against it, or nothing. */
  async function outcome(): Promise<string[] | 'joined' | null> {
    if ((await children()).includes('Luis')) return 'joined';
    const [proposal] = await proposals();
    return proposal?.obstacles ?? null;
  }

  it('joins the same person of the other SIS by itself, is told of at the next sign-in, and stands in the audit', async () => {
    await registered([here()], [there()]);
    expect(await children()).toEqual(['Ana', 'Luis']);
    expect(await hasNews()).toBe(true);
    expect(await proposals()).toEqual([]);
    expect(town.events.at(-1)).toMatchObject({
      kind: 'contact.joined',
      actor: 'system',
      subject: `account:${rosas}`,
      details: { joined: [await contactId(db, 'S1', 'secondary')] },
    });
    const events = town.events.length;
    await joinAfterRuns(db, tools());
    expect(town.events).toHaveLength(events);
  });

  const cases: Array<[what: string, second: Row[], then: Row[], expected: string[] | 'joined']> = [
    ['when the account’s own side is corrected', [there()], [here({ phone1: '2135550100' })], 'joined'],
    ['not with unknown rights', [there({ ed_rights: '' })], [], ['other_phone', 'rights_not_explicit']],
    ['not with another mailbox', [there({ email: 'r@example.org', phone1: '2135550111' })], [], ['other_mailbox']],
    [
      'when the one in the way moves off the mailbox',
      [there({ phone1: '2135550111' }), row('Kim', 'S9', { sis: 'secondary', email, phone1: '2135550111' })],
      [],
      ['pair_not_unique'],
    ],
  ];
  it.each(cases)('%s', async (what, second, then, expected) => {
    await registered([here({ phone1: '2135550111' })], second);
    if (then.length > 0) await town.load([...crowd, ...then], 'elementary', later);
    expect(await outcome()).toEqual(expected);
    if (!what.includes('moves off')) return;
    // A third person's change is a change too.
    const moved = second.map((cells) => (cells.contact_id === 'S9' ? { ...cells, email: 'kim@example.org' } : cells));
    await town.load(moved, 'secondary', later);
    expect(await outcome()).toBe('joined');
    expect(await proposals(true)).toMatchObject([{ decision: 'joined', decidedBy: 'system' }]);
  });

  it('never within one SIS, also by way of the other', async () => {
    const again = (cells: Row): Row => ({ ...here(), student_id: 'Mia', contact_id: 'E2', ...cells });
    await registered([here()], [there({ phone2: '2135550177' })]);
    expect(await outcome()).toBe('joined');
    await town.load([...crowd, here(), again({ phone1: '2135550177', email: 'x@example.org' })], 'elementary', later);
    await town.load([...crowd, again({ phone1: '2135550177' })], 'elementary', new Date(later.getTime() + 1));
    expect(await children()).toEqual(['Luis']);
    expect((await proposals())[0]?.obstacles).toContain('same_sis');
  });

  it.each<[string, Row[], Row[]]>([
    ['the contact', [here()], [there(order)]],
    ['the account’s contact', [here(order)], [there()]],
    [
      'the same person as another contact',
      [
        here({ phone2: '2135550122' }),
        { ...here(order), student_id: 'Mia', contact_id: 'E5', email: 'z@example.org', phone1: '2135550122' },
      ],
      [there()],
    ],
    [
      'the same person, known by what only the new contact has',
      [here(), { ...here(order), student_id: 'Mia', contact_id: 'E5', email: 'z@example.org', phone1: '2135550133' }],
      [there({ phone2: '2135550133' })],
    ],
  ])('never where %s is restricted, nor by staff', async (_what, first, second) => {
    await registered(first, second);
    expect(await children()).not.toContain('Luis');
    const found = (await proposals()).find(({ contact }) => contact.id === 'S1');
    expect(found).toMatchObject({ blocked: 'restricted' });
    expect(found?.obstacles).toContain('somebody_restricted');
    await expect(acceptJoin(parts(), found?.id ?? '', why)).rejects.toThrow('A restriction or a hold is on a contact');
  });

  it('tells separated parents who share mailbox and phone nothing of each other', async () => {
    await registered([here(), luis()], [there({ given_name: 'Luis', contact_id: 'S2', student_id: 'Tom' })]);
    expect(await children()).toEqual(['Ana']);
    expect([await hasNews(), await proposals()]).toEqual([false, []]);
    // The other's own comes to no account either, because who is meant cannot be told.
    const his = await account(db, { email, sign_in_name: 'luis' }, await contactId(db, 'E9'));
    await town.load([there(), there({ given_name: 'Luis', contact_id: 'S2', student_id: 'Tom' })], 'secondary', later);
    expect([await children(), await children(his)]).toEqual([['Ana'], ['Leo']]);
    const proposed = (await proposals()).map(({ accountId, contact }) => `${accountId} ${contact.id}`);
    expect(proposed.toSorted()).toEqual([`${rosas} S1`, `${his} S2`].toSorted());
  });

  it.each(['before it was seen who is near', 'between two contacts'])(
    'makes up for a process that was killed %s',
    async (when) => {
      await registered();
      const early = when.startsWith('before');
      if (early) await sql`alter table joins_due rename to joins_elsewhere`.execute(db);
      const report = await town.load([there()], 'secondary', later, {
        audit: async (_trx, event) => {
          if (event.kind === 'contact.joined') throw new Error('killed');
        },
      });
      if (early) await sql`alter table joins_elsewhere rename to joins_due`.execute(db);
      expect([report.state, await children()]).toEqual(['applied', ['Ana']]);
      await joinAfterRuns(db, tools());
      expect(await children()).toEqual(['Ana', 'Luis']);
    },
  );

  it('misses nobody who registers while an import is applied', async () => {
    await town.load([...crowd, here()]);
    const contact = await contactId(db, 'E1');
    await activationOf(db, contact, later);
    const { id } = await db.selectFrom('account_requests').select('id').executeTakeFirstOrThrow();
    const request = { id, kind: 'registration' as const, contactId: contact, accountId: null };
    const activation = {
      request: { ...request, clientId: null, interactionUid: null, identifier: email, browser: null },
      studentDomains: [],
      password: 'a long way to school',
      signInName: null,
      locale: 'en',
      timeZone,
      shared: false,
      secretsKey: new Uint8Array(32),
    };
    const hasher = await passwordHasher(1, 1);
    const done = await activate(
      db,
      () => later,
      hasher,
      async () => void (await town.load([there()], 'secondary')),
      activation,
    );
    rosas = done.kind === 'done' ? done.accountId : '';
    await joinAfterRuns(db, tools());
    expect(await children()).toEqual(['Ana', 'Luis']);
  });

  it('keeps what was undone apart, and proposes it anew when it changed in what makes it alike', async () => {
    await registered([here()], [there()]);
    const pair = { accountId: rosas, contactId: await contactId(db, 'S1', 'secondary') };
    await undoJoin(parts(), pair, why);
    expect(town.events.at(-1)).toMatchObject({ kind: 'contact.undone', actor: 'operator', details: { how: 'join' } });
    await town.load([there({ grade: '5', ed_rights: 'yes', language: 'en' })], 'secondary', later);
    await town.load([...crowd, here({ language: 'en' })], 'elementary', later);
    expect([await children(), await proposals()]).toEqual([['Ana'], []]);
    await town.load([there({ phone2: '2135550144' })], 'secondary', later);
    expect(await children()).toEqual(['Ana']);
    const [again] = await proposals();
    expect(again).toMatchObject({ obstacles: ['refused_before'], blocked: null });
    await declineJoin(parts(), again?.id ?? '', why);
    await town.load([there({ phone2: '2135550144', grade: '6', language: 'es-MX' })], 'secondary', later);
    expect([await children(), await proposals()]).toEqual([['Ana'], []]);
    await expect(acceptJoin(parts(), again?.id ?? '', why)).rejects.toThrow('The proposal is declined already.');
  });

  it('leaves an account its last contact, and gives one contact to one account of several at once', async () => {
    await registered([here({ phone1: '2135550111' }), luis({ phone1: '2135550122', given_name: 'Rosa' })], [there()]);
    const other = await account(db, { email, sign_in_name: 'rosa2' }, await contactId(db, 'E9'));
    const alone = { accountId: rosas, contactId: await contactId(db, 'E1') };
    await expect(undoJoin(parts(), alone, why)).rejects.toThrow('close the account first');
    await town.load([there({ ed_rights: '', phone2: '2135550122' })], 'secondary', later);
    const found = (await proposals()).filter(({ contact }) => contact.id === 'S1');
    expect(found.map(({ accountId }) => accountId).toSorted()).toEqual([rosas, other].toSorted());
    const ends = await Promise.allSettled(found.map(({ id }) => acceptJoin(parts(), id, why)));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await proposals()).find(({ contact }) => contact.id === 'S1')).toMatchObject({
      blocked: 'another-account',
    });
  });

  it('gives nothing to a suspended account before it is reopened', async () => {
    await registered();
    await disableAccount(db, tools().audit, () => later, { accountId: rosas, as: 'suspended', ...why });
    await town.load([there()], 'secondary', later);
    await joinAfterRuns(db, tools());
    expect([await children(), await proposals()]).toEqual([['Ana'], []]);
    await reopenAccount(db, tools().audit, { accountId: rosas, ...why });
    await joinAfterRuns(db, tools());
    expect(await children()).toEqual(['Ana', 'Luis']);
  });

  it('takes back with a run what joined by it, and not what joins without it', async () => {
    await registered([here()], [there({ phone1: '2135550111' })]);
    expect(await outcome()).toEqual(['other_phone']);
    const run = await town.load([there()], 'secondary', later);
    expect(await outcome()).toBe('joined');
    const decision = { runId: run.runId, ...why, load: bulkLoader(opened), ...tools() };
    await rollBackRun(db, decision, () => 'secondary');
    expect(await children()).toEqual(['Ana']);
    expect(await outcome()).toEqual(['other_phone']);
    const gone = town.events.filter(({ kind: of }) => of === 'contact.taken-back');
    expect(gone).toMatchObject([{ subject: `account:${rosas}`, details: { run: run.runId } }]);
  });

  it.each<[string, Row[], Row[]]>([
    ['a right that it gave', [there({ ed_rights: '' })], [there()]],
    ['a restriction that it lifted', [there(order)], [there({ restricted: 'no' })]],
    ['another on the mailbox and phone whom it lost', [there(), ...shared, ...many], [there(), ...many]],
  ])('takes back with a run what joined by %s', async (_what, second, then) => {
    await registered([here()], second);
    expect(await children()).toEqual(['Ana']);
    const run = await town.load(then, 'secondary', later);
    expect([run.state, await children()]).toEqual(['applied', ['Ana', 'Luis']]);
    const decision = { runId: run.runId, ...why, load: bulkLoader(opened), ...tools() };
    await rollBackRun(db, decision, () => 'secondary');
    const { rows } = await sql`select how from proven_contacts where account_id = ${rosas}`.execute(db);
    expect(rows).toEqual([{ how: 'registration' }]);
    const gone = town.events.filter(({ kind: of }) => of === 'contact.taken-back');
    expect(gone).toMatchObject([{ subject: `account:${rosas}`, details: { run: run.runId } }]);
  });

  it('gives a contact that returns back to the same account', async () => {
    await registered();
    await town.load(crowd, 'elementary', later);
    expect(await children()).toEqual([]);
    await town.load([...crowd, here()], 'elementary', later);
    expect(await children()).toEqual(['Ana']);
    const { rows } = await sql`select account_id, how from proven_contacts`.execute(db);
    expect(rows).toEqual([{ account_id: rosas, how: 'registration' }]);
    expect([await hasNews(), await proposals()]).toEqual([false, []]);
  });
});
