import { describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../src/audit/audit.js';
import { administer } from '../../src/desk/administration.js';
import {
  confirmationsOf,
  openDeliveries,
  retryDeliveries,
  takeDueDeliveries,
  waitAfter,
} from '../../src/sessions/deliveries.js';
import { deliveryHealth } from '../../src/sessions/delivery-health.js';
import { values } from '../../src/values.js';
import { databases } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { deliveryScene } from './delivery-scene.js';

describe.each(databases)('deliveries on %s', (kind) => {
  const scene = deliveryScene(kind);
  const { clock, advance, app, register, session, end, deliver, rows, tries, settled } = scene;

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
    expect(await confirmationsOf(scene.db, id ?? '', clock())).toEqual([
      { clientId: 'cafeteria', name: 'cafeteria', state: 'confirmed' },
      { clientId: 'echoices', name: 'echoices', state: 'confirmed' },
      { clientId: 'isis', name: 'isis', state: 'unreachable' },
    ]);
    expect(await confirmationsOf(scene.db, id ?? '', new Date(clock().getTime() + 1))).toEqual([]);
  });

  it('are tried again with a token of their own each time, while the app fails or is away', async () => {
    const echoices = await app('echoices');
    await session('u', 'echoices');
    const says = [503, 302, 500, 204];
    echoices.answer = (response) => {
      const status = says[echoices.tokens.length - 1] ?? 200;
      const say = (): unknown => response.writeHead(status, { location: echoices.address }).end();
      setTimeout(say, status === 302 ? 50 : 0);
    };
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
    // Each try with its moment and what it took.
    const recorded = await scene.db
      .selectFrom('delivery_tries')
      .select(['tried_at', 'milliseconds'])
      .orderBy('number')
      .execute();
    const waited = recorded
      .slice(1)
      .map((each, at) => each.tried_at.getTime() - (recorded[at]?.tried_at.getTime() ?? 0));
    expect(waited).toEqual(values.deliveryWaits.slice(0, 3).map((seconds) => 2_000 * seconds));
    expect(recorded.every(({ milliseconds }) => (milliseconds ?? -1) >= 0)).toBe(true);
    expect(recorded[1]?.milliseconds).toBeGreaterThanOrEqual(45);
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
    const [health] = await deliveryHealth(scene.db, clock, 'echoices');
    expect(health).toMatchObject({ clientId: 'echoices', confirmed: 0 });
    await echoices.open();
    expect(await retryDeliveries(scene.db, clock, 'echoices')).toBe(1);
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
    const [health] = await deliveryHealth(scene.db, clock, null);
    expect(health).toMatchObject({ refused: 1, lastFailure: { status: 400, words: made?.words } });
    expect(await openDeliveries(scene.db, 'echoices')).toMatchObject([
      { accountId: scene.mother, state: 'refused', tries: 1, nextTryAt: null, lastStatus: 400, lastWords: made?.words },
    ]);
    expect(await openDeliveries(scene.db, 'cafeteria')).toEqual([]);
  });

  it('a slow app delays nobody else, and has a bounded number at once', async () => {
    const slow = await app('slow');
    const quick = await app('quick');
    const held: Array<() => void> = [];
    slow.answer = (response) => held.push(() => response.writeHead(200).end());
    for (let each = 0; each < 30; each += 1) await session(`u${each}`, 'slow', 'quick');
    await end({ account: scene.mother });
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
    await scene.db
      .updateTable('deliveries')
      .set({ tries: 8, next_try_at: new Date(clock().getTime() + 3_600_000) })
      .execute();
    await end({ session: 'v' });
    deliver();
    expect((await settled(2)).map(({ state }) => state)).toEqual(['confirmed', 'confirmed']);
    expect(echoices.tokens).toHaveLength(2);
  });

  it('that wait for hours are told now where an operator says so; a try at work is left alone', async () => {
    const echoices = await app('echoices');
    await session('u', 'echoices');
    await session('v', 'echoices');
    await end({ account: scene.mother });
    const [first] = await takeDueDeliveries(scene.db, clock, new Map([['echoices', values.deliveriesAtOnce - 1]]));
    await scene.db
      .updateTable('deliveries')
      .set({ tries: 8, next_try_at: new Date(clock().getTime() + 3_600_000) })
      .where('id', '<>', first?.id ?? '')
      .execute();
    const events: AuditEvent[] = [];
    const operator = { db: scene.db, clock, audit: async (_: unknown, event: AuditEvent) => void events.push(event) };
    const retry = () => administer(operator, 'deliveries retry', { client: 'echoices' });
    expect(await retry()).toEqual({ retried: 1 });
    deliver();
    await settled(1);
    expect(echoices.tokens).toHaveLength(1);
    expect(await retry()).toEqual({ retried: 0 });
    expect(events).toEqual([
      { kind: 'deliveries.retried', actor: 'operator', subject: 'client:echoices', details: { retried: 1 } },
    ]);
  });

  it('of a process that died in the middle come up again; those of one that lives are nobody else’s', async () => {
    await app('echoices');
    await session('u', 'echoices');
    await end({ session: 'u' });
    expect(await takeDueDeliveries(scene.db, clock, new Map())).toHaveLength(1);
    expect(await takeDueDeliveries(scene.db, clock, new Map())).toHaveLength(0);
    advance(values.deliveryLease + 1);
    expect(await tries()).toEqual([]);
    expect(await takeDueDeliveries(scene.db, clock, new Map())).toMatchObject([{ clientId: 'echoices', tries: 2 }]);
    // The try that died is in the record, and is not held against the app.
    expect(await tries()).toEqual([{ number: 1, status: null, words: 'the server ended before the answer' }]);
    expect(await deliveryHealth(scene.db, clock, 'echoices')).toMatchObject([{ lastFailure: null }]);
  });

  it('are told once each by two instances together', async () => {
    const echoices = await app('echoices');
    for (let each = 0; each < 20; each += 1) await session(`u${each}`, 'echoices');
    await end({ account: scene.mother });
    deliver();
    deliver();
    expect((await settled(20)).every(({ state, tries: made }) => state === 'confirmed' && made === 1)).toBe(true);
    expect(echoices.tokens).toHaveLength(20);
  });

  it('come a little earlier or later than planned, so that many do not come together', () => {
    expect(waitAfter(1, () => 0)).toBeCloseTo(0.8);
    expect(waitAfter(1, () => 1)).toBeCloseTo(1.2);
    expect(waitAfter(99, () => 0.5)).toBe(values.deliveryWaits.at(-1));
  });
});
