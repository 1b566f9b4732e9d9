import { beforeEach, describe, expect, it } from '@jest/globals';
import { auditLog } from '../../src/audit/audit.js';
import type { Database } from '../../src/database/database.js';
import { artifacts, pastRequest } from '../../src/sessions/artifacts.js';
import type { Payload } from '../../src/sessions/artifacts.js';
import { cleanSessions } from '../../src/sessions/cleaning.js';
import { revoke } from '../../src/sessions/revoke.js';
import type { Revoked, Target } from '../../src/sessions/revoke.js';
import { sessionStore } from '../../src/sessions/session-store.js';
import { account, emptyAll } from '../accounts/people.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';

const hour = 3_600;

describe.each(databases)('sessions on %s', (kind) => {
  let db: Database;
  let now: Date;
  let mother: string;
  const clock = (): Date => now;
  const advance = (seconds: number): void => {
    now = new Date(now.getTime() + seconds * 1000);
  };
  useDatabase(kind, (opened) => {
    db = opened;
  });
  beforeEach(async () => {
    now = new Date('2026-11-20T18:00:00Z');
    for (const table of ['artifacts', 'session_authorizations', 'sessions'] as const)
      await db.deleteFrom(table).execute();
    await emptyAll(db);
    mother = await account(db, { email: 'maria@example.org' });
  });

  const store = () => sessionStore(db, clock);
  const session = (uid: string, more: Payload = {}): Payload => ({
    kind: 'Session',
    uid,
    accountId: mother,
    loginTs: Math.floor(now.getTime() / 1000),
    ...more,
  });
  const end = (target: Target): Promise<Revoked> =>
    db.transaction().execute((trx) => revoke(trx, auditLog(clock), clock, target, 'signed-out', 'operator'));
  const grant = async (id: string): Promise<string> => {
    await artifacts(db, clock, 'Grant').save(id, { jti: id }, hour);
    return id;
  };

  it('are found by cookie and by uid; the cookie itself is nowhere', async () => {
    await store().save('the-cookie', { ...session('u'), jti: 'the-cookie' }, hour);
    expect(await store().find('the-cookie')).toEqual({
      ...session('u'),
      jti: 'the-cookie',
      shown: expect.any(Object),
      exp: expect.any(Number),
    });
    expect(await store().findByUid('u')).toEqual({ ...session('u'), exp: expect.any(Number) });
    expect(JSON.stringify(await db.selectFrom('artifacts').selectAll().execute())).not.toContain('the-cookie');
    expect(await store().find('another')).toBeUndefined();
    expect(await store().findByUid('another')).toBeUndefined();
  });

  it('go on under the next cookie when that of nobody is forgotten', async () => {
    const { accountId: _, loginTs: __, ...anonymous } = session('u');
    await store().save('before', anonymous, hour);
    await store().forget('before');
    await store().save('after', session('u'), hour);
    expect(await store().find('before')).toBeUndefined();
    expect(await store().find('after')).toMatchObject({ uid: 'u' });
  });

  it('end under every cookie by which somebody was in, the one before a lost answer too', async () => {
    await store().save('before', session('u'), hour);
    await store().forget('before');
    advance(60);
    await store().save('lost', session('u', { device: 'shared' }), 900);
    expect(await store().find('before')).toMatchObject({ ...session('u'), device: 'shared' });
    await end({ session: 'u' });
    expect(await store().find('before')).toBeUndefined();
    expect(await store().find('lost')).toBeUndefined();
  });

  it('go on under the last cookie alone once the browser has shown it', async () => {
    await store().save('before', session('u'), hour);
    await store().save('next', session('u'), hour);
    await store().forget('before');
    expect(await store().findByUid('u')).toMatchObject({ uid: 'u' });
    // A save of the one before does not make it the last again.
    await store().save('before', (await store().find('before')) ?? {}, hour);
    const inFlight = (await store().find('before')) ?? {};
    expect(inFlight).toEqual({ ...(await store().findByUid('u')), jti: 'before', shown: expect.any(Object) });
    expect(await store().find('next')).toMatchObject({ uid: 'u' });
    expect(await store().find('before')).toBeUndefined();
    // Nor does one that found the session by it and ends only now.
    expect(await store().save('before', inFlight, hour)).toBe(false);
    expect(await store().find('before')).toBeUndefined();
    expect(await store().save('third', inFlight, hour)).toBe(false);
    expect(await store().find('third')).toBeUndefined();
    expect(await store().find('next')).toMatchObject({ uid: 'u' });
  });

  it('go on under a new cookie alone, whatever copies of the one before had brought or bring', async () => {
    await store().save('before', session('u'), hour);
    const inFlight = (await store().find('before')) ?? {};
    await store().save('kept back', inFlight, hour);
    await store().save('new', inFlight, hour);
    await store().outdateOthers('u', 'new', false);
    // Where the answer that brings the new one is lost, the browser signs out by the one before.
    expect(await store().find('before')).toMatchObject({ uid: 'u' });
    await store().save('brought late', inFlight, hour);
    expect(await store().find('brought late')).toMatchObject({ uid: 'u' });
    expect(await store().find('new')).toMatchObject({ uid: 'u' });
    for (const copy of ['before', 'kept back', 'brought late']) expect(await store().find(copy)).toBeUndefined();
    // Who says it by a copy, and is answered only now, puts nobody out.
    expect(await store().save('of a copy', inFlight, hour)).toBe(false);
    expect(await store().outdateOthers('u', 'of a copy', false)).toBe(false);
    await store().find('new');
    expect(await store().find('new')).toMatchObject({ uid: 'u' });
  });

  it('are not taken back by a request from before the sign-in that ends after it', async () => {
    const { accountId: _, loginTs: __, ...anonymous } = session('u');
    await store().save('before', anonymous, hour);
    await store().forget('before');
    await store().save('after', session('u', { device: 'shared' }), hour);
    await store().save('before', anonymous, 12 * hour);
    expect(await store().find('before')).toBeUndefined();
    expect(await store().find('after')).toMatchObject({ accountId: mother, device: 'shared' });
    const row = await db.selectFrom('sessions').select(['account_id', 'device']).executeTakeFirstOrThrow();
    expect(row).toEqual({ account_id: mother, device: 'shared' });
  });

  it('end at their time by the passed clock', async () => {
    await store().save('c', session('u'), 12 * hour);
    advance(12 * hour - 1);
    expect(await store().find('c')).toBeDefined();
    advance(1);
    expect(await store().find('c')).toBeUndefined();
  });

  it('merge the authorizations of two requests that each knew only their own', async () => {
    await store().save('c', session('u'), hour);
    const first = { sid: 's1', grantId: await grant('g1') };
    const second = { sid: 's2', grantId: await grant('g2') };
    await Promise.all([
      store().save('c', session('u', { authorizations: { echoices: first } }), hour),
      store().save('c', session('u', { authorizations: { cafeteria: second } }), hour),
    ]);
    expect((await store().find('c'))?.['authorizations']).toEqual({ echoices: first, cafeteria: second });
    await store().save('c', session('u'), hour);
    expect((await store().find('c'))?.['authorizations']).toEqual({ echoices: first, cafeteria: second });
  });

  it('leave out an authorization that is only half made', async () => {
    await store().save('c', session('u', { authorizations: { echoices: { sid: 's' } } }), hour);
    expect((await store().find('c'))?.['authorizations']).toBeUndefined();
  });

  it('give all tabs that open an app at once the one authorization', async () => {
    await store().save('c', session('u'), hour);
    let made = 0;
    const propose = async (): Promise<string> => {
      made += 1;
      return grant(`g${made}`);
    };
    const given = await Promise.all(Array.from({ length: 10 }, () => store().authorize('u', 'echoices', propose)));
    expect(new Set(given.map(({ sid, grantId }) => `${sid} ${grantId}`)).size).toBe(1);
    expect(given.filter((each) => each.made)).toHaveLength(1);
    const again = await store().authorize('u', 'echoices', propose);
    expect(again).toMatchObject({ grantId: given[0]?.grantId, made: false });
  });

  it('get a new grant for the same sid where the old one was ended', async () => {
    await store().save('c', session('u'), hour);
    const first = await store().authorize('u', 'echoices', () => grant('g1'));
    await artifacts(db, clock, 'Grant').destroy('g1');
    const second = await store().authorize('u', 'echoices', () => grant('g2'));
    expect(second).toEqual({ sid: first.sid, grantId: 'g2', made: true });
  });

  it('stay ended: no later save of a request in flight revives one', async () => {
    await store().save('c', session('u'), hour);
    const { grantId } = await store().authorize('u', 'echoices', () => grant('g'));
    await artifacts(db, clock, 'RefreshToken').save('r', { jti: 'r', grantId }, hour);
    await artifacts(db, clock, 'Interaction').save('i', { jti: 'i', grantId, params: { client_id: 'echoices' } }, hour);
    expect(await end({ session: 'u' })).toMatchObject({ sessions: 1, grants: 1 });
    await store().save('c', session('u', { authorizations: { echoices: { sid: 's', grantId } } }), hour);
    await store().save('another-cookie', session('u'), hour);
    expect(await store().find('c')).toBeUndefined();
    expect(await store().find('another-cookie')).toBeUndefined();
    expect(await store().findByUid('u')).toBeUndefined();
    // Nothing is written for it either, so that no other way of reading could find it.
    expect(await db.selectFrom('artifacts').select('uid').where('kind', '=', 'Session').execute()).toEqual([]);
    expect(await artifacts(db, clock, 'RefreshToken').find('r')).toBeUndefined();
    expect(await artifacts(db, clock, 'Grant').find(grantId)).toBeUndefined();
    // A page that stood open does nothing more, and knows the way back.
    expect(await artifacts(db, clock, 'Interaction').find('i')).toBeUndefined();
    expect(await pastRequest(db, 'i')).toMatchObject({ params: { client_id: 'echoices' } });
    expect(await db.selectFrom('session_authorizations').selectAll().execute()).toEqual([]);
    expect(await end({ session: 'u' })).toEqual({ id: null, sessions: 0, grants: 0, deliveries: 0 });
  });

  it('of an account all end but the one at hand, and nobody else’s', async () => {
    const father = await account(db, { email: 'pedro@example.org' });
    await store().save('phone', session('phone'), hour);
    await store().save('laptop', session('laptop'), hour);
    await store().save('his', session('his', { accountId: father }), hour);
    expect(await end({ account: mother, except: 'laptop' })).toMatchObject({ sessions: 1 });
    expect(await store().find('phone')).toBeUndefined();
    expect(await store().find('laptop')).toBeDefined();
    expect(await end({ account: mother })).toMatchObject({ sessions: 1 });
    expect(await store().find('laptop')).toBeUndefined();
    expect(await store().find('his')).toBeDefined();
  });

  it('that were proved before the account’s were all ended are dead on arrival, later ones live; no clock plays a part', async () => {
    await store().save('early', session('early', { accountId: undefined, loginTs: undefined }), hour);
    await store().save('flight', session('flight', { accountId: undefined, loginTs: undefined }), hour);
    await end({ account: mother });
    advance(60);
    await store().save('flight', session('flight', { generation: 0 }), hour);
    expect(await store().find('flight')).toBeUndefined();
    // Another instance's clock is two hours behind.
    advance(-2 * hour);
    await store().save('early', session('early', { generation: 1 }), hour);
    expect(await store().find('early')).toMatchObject({ uid: 'early' });
  });

  it('go along when all others end, however late a request that began before is saved', async () => {
    await store().save('c', session('u'), hour);
    const before = session('u', { generation: 0 });
    await end({ account: mother, except: 'u' });
    await store().save('c', before, hour);
    expect(await store().find('c')).toMatchObject({ uid: 'u' });
  });

  it('keep what a later sign-in of the same person said, whatever is saved after it', async () => {
    const before = session('u', { device: 'kept' });
    await store().save('c', before, hour);
    advance(60);
    await store().save('c', session('u', { device: 'shared' }), hour);
    await store().save('c', before, hour);
    expect(await store().find('c')).toMatchObject({ device: 'shared' });
    expect(await db.selectFrom('sessions').select('device').execute()).toEqual([{ device: 'shared' }]);
  });

  it('stay in a browser to which an earlier sign-in gives a new cookie, as what the later one said', async () => {
    const before = session('u', { device: 'kept', generation: 0 });
    advance(60);
    await store().save('c', session('u', { device: 'shared' }), hour);
    await store().save('d', before, 30 * 24 * hour);
    expect(await store().find('d')).toMatchObject({ ...session('u'), device: 'shared' });
    advance(hour + 1);
    expect(await store().find('d')).toBeUndefined();
  });

  it('of a disabled account are none', async () => {
    await store().save('c', session('u'), hour);
    await db
      .updateTable('accounts')
      .set({ disabled_at: now, disabled_as: 'suspended' })
      .where('id', '=', mother)
      .execute();
    expect(await store().find('c')).toBeUndefined();
    expect(await store().findByUid('u')).toBeUndefined();
  });

  it('keep their tombstones as long as a cookie could come back, and then go', async () => {
    await store().save('c', session('u'), hour);
    await end({ session: 'u' });
    advance(29 * 24 * hour);
    await cleanSessions(db, clock);
    expect(await db.selectFrom('sessions').select('uid').execute()).toHaveLength(1);
    advance(2 * 24 * hour);
    await cleanSessions(db, clock);
    expect(await db.selectFrom('sessions').select('uid').execute()).toHaveLength(0);
  });
});
