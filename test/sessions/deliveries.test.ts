import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { auditLog } from '../../src/audit/audit.js';
import type { Database } from '../../src/database/database.js';
import { artifacts } from '../../src/sessions/artifacts.js';
import { startDeliverer } from '../../src/sessions/deliverer.js';
import type { Deliverer } from '../../src/sessions/deliverer.js';
import { confirmationsOf, retryDeliveries, takeDueDeliveries, waitAfter } from '../../src/sessions/deliveries.js';
import { deliveryHealth } from '../../src/sessions/delivery-health.js';
import { expireSessions } from '../../src/sessions/expire.js';
import { revoke } from '../../src/sessions/revoke.js';
import type { Revoked, Target } from '../../src/sessions/revoke.js';
import { sessionStore } from '../../src/sessions/session-store.js';
import { values } from '../../src/values.js';
import { account, emptyAll } from '../accounts/people.js';
import { databases, freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startReceiver } from '../support/receiver.js';
import type { Receiver } from '../support/receiver.js';

const hour = 3_600;

describe.each(databases)('deliveries on %s', (kind) => {
  let db: Database;
  let closeDatabase: () => Promise<void>;
  let now: Date;
  let mother: string;
  let deliverers: Deliverer[] = [];
  let receivers: Receiver[] = [];
  const clock = (): Date => now;
  const advance = (seconds: number): void => {
    now = new Date(now.getTime() + seconds * 1000);
  };
  beforeAll(async () => {
    const opened = await freshDatabase(kind);
    db = opened.db;
    closeDatabase = () => opened.close();
  });
  afterAll(() => closeDatabase());
  beforeEach(async () => {
    now = new Date('2026-11-20T18:00:00Z');
    for (const table of ['artifacts', 'session_authorizations', 'sessions'] as const)
      await db.deleteFrom(table).execute();
    await emptyAll(db);
    await db.deleteFrom('clients').execute();
    mother = await account(db, { email: 'maria@example.org' });
  });
  afterEach(async () => {
    await Promise.all(deliverers.map((each) => each.stop()));
    await Promise.all(receivers.map((each) => each.close()));
    deliverers = [];
    receivers = [];
  });

  /** An app with a receiver of its own. */
  async function app(clientId: string): Promise<Receiver> {
    const receiver = await startReceiver();
    receivers.push(receiver);
    await register(clientId, receiver.address);
    return receiver;
  }
  async function register(clientId: string, address: string | null): Promise<void> {
    await db
      .insertInto('clients')
      .values({
        client_id: clientId,
        name: clientId,
        digest: '',
        first_seen_at: now,
        changed_at: now,
        backchannel_logout_uri: address,
        sector: null,
      })
      .execute();
  }
  /** A session that these apps were opened from. */
  async function session(uid: string, ...apps: string[]): Promise<void> {
    const payload = { uid, accountId: mother, loginTs: Math.floor(now.getTime() / 1000) };
    await sessionStore(db, clock).save(`cookie ${uid}`, payload, hour);
    for (const clientId of apps) {
      await sessionStore(db, clock).authorize(uid, clientId, async () => {
        await artifacts(db, clock, 'Grant').save(`grant ${uid} ${clientId}`, { accountId: mother, clientId }, hour);
        return `grant ${uid} ${clientId}`;
      });
    }
  }
  const end = (target: Target): Promise<Revoked> =>
    db.transaction().execute((trx) => revoke(trx, auditLog(clock), clock, target, 'signed-out', 'operator'));
  function deliver(): Deliverer {
    const made = startDeliverer({
      db,
      clock,
      logger: pino({ level: 'silent' }),
      fetch,
      sign: async ({ id, tries }) => `${id} ${tries}`,
      every: 20,
    });
    deliverers.push(made);
    return made;
  }
  const rows = () => db.selectFrom('deliveries').select(['client_id', 'state', 'tries']).orderBy('client_id').execute();
  const tries = () => db.selectFrom('delivery_tries').select(['number', 'status', 'words']).orderBy('number').execute();
  const settled = async (count: number) =>
    eventually(rows, (all) => all.filter(({ state }) => state !== 'waiting').length >= count);

  it('are one per app that was reached, and are told; an app without an address is said to be so', async () => {
    const echoices = await app('echoices');
    const cafeteria = await app('cafeteria');
    await register('isis', null);
    await session('u', 'echoices', 'cafeteria', 'isis');
    await session('other', 'echoices');
    const { id, deliveries } = await end({ session: 'u' });
    expect(deliveries).toBe(3);
    deliver();
    expect(await settled(3)).toEqual([
      { client_id: 'cafeteria', state: 'confirmed', tries: 1 },
      { client_id: 'echoices', state: 'confirmed', tries: 1 },
      { client_id: 'isis', state: 'unreachable', tries: 0 },
    ]);
    expect([echoices.tokens.length, cafeteria.tokens.length]).toEqual([1, 1]);
    expect(await confirmationsOf(db, id ?? '', now)).toEqual({
      accountId: mother,
      apps: [
        { clientId: 'cafeteria', name: 'cafeteria', state: 'confirmed' },
        { clientId: 'echoices', name: 'echoices', state: 'confirmed' },
        { clientId: 'isis', name: 'isis', state: 'unreachable' },
      ],
    });
  });

  it('end what is named and nothing else: a session, an account but one, an app, an app of an account, one part', async () => {
    await app('echoices');
    await app('cafeteria');
    const father = await account(db, { email: 'pedro@example.org' });
    const fill = async (): Promise<void> => {
      await db.deleteFrom('revocations').execute();
      for (const uid of ['a', 'b']) await session(uid, 'echoices', 'cafeteria');
      await sessionStore(db, clock).save('his', { uid: 'his', accountId: father, loginTs: 1 }, hour);
      await sessionStore(db, clock).authorize('his', 'echoices', async () => {
        await artifacts(db, clock, 'Grant').save('grant his', { accountId: father, clientId: 'echoices' }, hour);
        return 'grant his';
      });
    };
    const reached = async (): Promise<string[]> =>
      (await db.selectFrom('deliveries').select(['session_uid', 'client_id']).execute())
        .map((row) => `${row.session_uid} ${row.client_id}`)
        .toSorted();
    const left = async (): Promise<string[]> =>
      (await db.selectFrom('artifacts').select('id_hash').where('kind', '=', 'Grant').execute())
        .map((row) => row.id_hash.replace('grant ', ''))
        .toSorted();

    await fill();
    expect(await end({ session: 'a' })).toMatchObject({ sessions: 1, grants: 2, deliveries: 2 });
    expect(await reached()).toEqual(['a cafeteria', 'a echoices']);
    expect(await left()).toEqual(['b cafeteria', 'b echoices', 'his']);

    await db.deleteFrom('sessions').execute();
    await fill();
    expect(await end({ account: mother, except: 'a' })).toMatchObject({ sessions: 1, deliveries: 2 });
    expect(await reached()).toEqual(['b cafeteria', 'b echoices']);
    expect(await left()).toEqual(['a cafeteria', 'a echoices', 'his']);

    await db.deleteFrom('sessions').execute();
    await fill();
    const { sid } = await sessionStore(db, clock).authorize('a', 'cafeteria', async () => '');
    expect(await end({ app: 'cafeteria', sid })).toMatchObject({ sessions: 0, deliveries: 1 });
    expect(await reached()).toEqual(['a cafeteria']);
    expect(await end({ app: 'echoices', account: mother })).toMatchObject({ sessions: 0, deliveries: 2 });
    expect(await reached()).toEqual(['a cafeteria', 'a echoices', 'b echoices']);
    expect(await left()).toEqual(['b cafeteria', 'his']);
    expect(await end({ app: 'echoices' })).toMatchObject({ sessions: 0, deliveries: 1 });
    expect(await left()).toEqual(['b cafeteria']);
    expect(await end({ apps: ['cafeteria'], accounts: [mother] })).toMatchObject({ sessions: 0, deliveries: 1 });
    expect(await left()).toEqual([]);
    expect(await db.selectFrom('sessions').select('uid').where('revoked_at', 'is', null).execute()).toHaveLength(3);
    expect(await end({ app: 'echoices' })).toEqual({ id: null, sessions: 0, grants: 0, deliveries: 0 });
  });

  it('exist if and only if the end does', async () => {
    await app('echoices');
    await session('u', 'echoices');
    const failed = db.transaction().execute(async (trx) => {
      await revoke(trx, auditLog(clock), clock, { session: 'u' }, 'signed-out', 'operator');
      throw new Error('the rest failed');
    });
    await expect(failed).rejects.toThrow('the rest failed');
    expect(await rows()).toEqual([]);
    expect(await sessionStore(db, clock).find('cookie u')).toBeDefined();
  });

  it('are tried again with a token of their own each time, while the app fails or is away', async () => {
    const echoices = await app('echoices');
    await session('u', 'echoices');
    const says = [503, 302, 500, 204];
    echoices.answer = (response) =>
      response.writeHead(says[echoices.tokens.length - 1] ?? 200, { location: echoices.address }).end();
    await end({ session: 'u' });
    const deliverer = deliver();
    for (let count = 1; count <= 4; count += 1) {
      await eventually(tries, (made) => made.length === count);
      advance(2 * (values.deliveryWaits[count - 1] ?? 0));
      deliverer.wake();
    }
    expect(await settled(1)).toEqual([{ client_id: 'echoices', state: 'confirmed', tries: 4 }]);
    expect(await tries()).toMatchObject(says.map((status, index) => ({ number: index + 1, status })));
    expect(new Set(echoices.tokens).size).toBe(4);
  });

  it('wait longer each time, for 24 hours; then people see it, and may have it tried anew', async () => {
    const echoices = await app('echoices');
    await echoices.close();
    await session('u', 'echoices');
    await end({ session: 'u' });
    const deliverer = deliver();
    let last = 0;
    for (let rounds = 0; rounds < 40; rounds += 1) {
      const made = await eventually(tries, (all) => all.length > last);
      last = made.length;
      if ((await rows())[0]?.state !== 'waiting') break;
      advance(values.deliveryWaits[Math.min(last, values.deliveryWaits.length) - 1] ?? 0);
      advance(values.deliveryWaits[Math.min(last, values.deliveryWaits.length) - 1] ?? 0);
      deliverer.wake();
    }
    expect((await rows())[0]).toMatchObject({ state: 'given-up' });
    expect(last).toBeGreaterThan(values.deliveryWaits.length);
    expect((await tries())[0]).toMatchObject({ status: null, words: 'ECONNREFUSED' });
    const [health] = await deliveryHealth(db, clock, 'echoices');
    expect(health).toMatchObject({ clientId: 'echoices', confirmed: 0 });
    await echoices.open();
    expect(await retryDeliveries(db, clock, 'echoices')).toBe(1);
    deliverer.wake();
    expect(await settled(1)).toMatchObject([{ state: 'confirmed' }]);
  });

  it('a 400 is the app’s own word: it is shown, and not tried again', async () => {
    const echoices = await app('echoices');
    await session('u', 'echoices');
    echoices.answer = (response) =>
      response
        .writeHead(400)
        .end(`{"error":"invalid_request",\n\u0007"error_description":"no such sid"}${'x'.repeat(9_999)}`);
    await end({ session: 'u' });
    deliver();
    expect(await settled(1)).toEqual([{ client_id: 'echoices', state: 'refused', tries: 1 }]);
    const [made] = await tries();
    expect(made?.words).toMatch(/^\{"error":"invalid_request", "error_description":"no such sid"\}x/);
    expect(made?.words).toHaveLength(200);
    const [health] = await deliveryHealth(db, clock, null);
    expect(health).toMatchObject({ refused: 1, lastFailure: { status: 400, words: made?.words } });
  });

  it('a slow app delays nobody else, and has a bounded number at once', async () => {
    const slow = await app('slow');
    const quick = await app('quick');
    const held: Array<() => void> = [];
    slow.answer = (response) => held.push(() => response.writeHead(200).end());
    for (let each = 0; each < 30; each += 1) await session(`u${each}`, 'slow', 'quick');
    await end({ account: mother });
    deliver();
    const done = await eventually(rows, (all) => all.filter(({ state }) => state === 'confirmed').length >= 30);
    expect(done.filter(({ client_id, state }) => client_id === 'quick' && state === 'confirmed')).toHaveLength(30);
    expect(quick.tokens).toHaveLength(30);
    expect(slow.busy.most).toBe(values.deliveriesAtOnce);
    slow.answer = (response) => response.writeHead(200).end();
    for (const release of held) release();
    expect((await settled(60)).every(({ state }) => state === 'confirmed')).toBe(true);
    expect(slow.tokens).toHaveLength(30);
  });

  it('an app that is back hears at once what had to wait for hours', async () => {
    const echoices = await app('echoices');
    await session('u', 'echoices');
    await session('v', 'echoices');
    await end({ session: 'u' });
    await db
      .updateTable('deliveries')
      .set({ tries: 8, next_try_at: new Date(now.getTime() + 3_600_000) })
      .execute();
    await end({ session: 'v' });
    deliver();
    expect((await settled(2)).map(({ state }) => state)).toEqual(['confirmed', 'confirmed']);
    expect(echoices.tokens).toHaveLength(2);
  });

  it('of a process that died in the middle come up again; those of one that lives are nobody else’s', async () => {
    await app('echoices');
    await session('u', 'echoices');
    await end({ session: 'u' });
    expect(await takeDueDeliveries(db, clock, new Map())).toHaveLength(1);
    expect(await takeDueDeliveries(db, clock, new Map())).toHaveLength(0);
    advance(values.deliveryLease + 1);
    expect(await takeDueDeliveries(db, clock, new Map())).toMatchObject([{ clientId: 'echoices', tries: 2 }]);
  });

  it('are told once each by two instances together', async () => {
    const echoices = await app('echoices');
    for (let each = 0; each < 20; each += 1) await session(`u${each}`, 'echoices');
    await end({ account: mother });
    deliver();
    deliver();
    expect((await settled(20)).every(({ state, tries: made }) => state === 'confirmed' && made === 1)).toBe(true);
    expect(echoices.tokens).toHaveLength(20);
  });

  it('of sessions that expired or idled out are written by the job, once', async () => {
    const echoices = await app('echoices');
    await session('u', 'echoices');
    await session('v', 'echoices');
    advance(hour - 60);
    expect(await expireSessions(db, auditLog(clock), clock)).toBe(0);
    advance(61);
    expect(
      (await Promise.all([1, 2].map(() => expireSessions(db, auditLog(clock), clock)))).reduce((a, b) => a + b),
    ).toBe(2);
    deliver();
    expect((await settled(2)).map(({ state }) => state)).toEqual(['confirmed', 'confirmed']);
    expect(echoices.tokens).toHaveLength(2);
    expect(await expireSessions(db, auditLog(clock), clock)).toBe(0);
    expect(await db.selectFrom('sessions').select('revoked_because').execute()).toEqual([
      { revoked_because: 'expired' },
      { revoked_because: 'expired' },
    ]);
  });

  it('come a little earlier or later than planned, so that many do not come together', () => {
    expect(waitAfter(1, () => 0)).toBeCloseTo(0.8);
    expect(waitAfter(1, () => 1)).toBeCloseTo(1.2);
    expect(waitAfter(99, () => 0.5)).toBe(values.deliveryWaits.at(-1));
  });
});
