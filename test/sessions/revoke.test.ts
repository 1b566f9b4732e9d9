import { describe, expect, it } from '@jest/globals';
import { auditLog } from '../../src/audit/audit.js';
import { artifacts } from '../../src/sessions/artifacts.js';
import { expireSessions } from '../../src/sessions/expire.js';
import { revoke } from '../../src/sessions/revoke.js';
import { sessionStore } from '../../src/sessions/session-store.js';
import { account } from '../accounts/people.js';
import { databases } from '../support/database.js';
import { deliveryScene, hour } from './delivery-scene.js';

describe.each(databases)('what is revoked, on %s', (kind) => {
  const scene = deliveryScene(kind);
  const { clock, advance, app, session, end, deliver, rows, settled } = scene;

  it('end what is named and nothing else: a session, an account but one, an app, an app of an account, one part', async () => {
    await app('echoices');
    await app('cafeteria');
    const father = await account(scene.db, { email: 'pedro@example.org' });
    const fill = async (): Promise<void> => {
      await scene.db.deleteFrom('revocations').execute();
      for (const uid of ['a', 'b']) await session(uid, 'echoices', 'cafeteria');
      await sessionStore(scene.db, clock).save('his', { uid: 'his', accountId: father, loginTs: 1 }, hour);
      await sessionStore(scene.db, clock).authorize('his', 'echoices', async () => {
        await artifacts(scene.db, clock, 'Grant').save('grant his', { accountId: father, clientId: 'echoices' }, hour);
        return 'grant his';
      });
    };
    const reached = async (): Promise<string[]> =>
      (await scene.db.selectFrom('deliveries').select(['session_uid', 'client_id']).execute())
        .map((row) => `${row.session_uid} ${row.client_id}`)
        .toSorted();
    const left = async (): Promise<string[]> =>
      (await scene.db.selectFrom('artifacts').select('id_hash').where('kind', '=', 'Grant').execute())
        .map((row) => row.id_hash.replace('grant ', ''))
        .toSorted();

    await fill();
    expect(await end({ session: 'a' })).toMatchObject({ sessions: 1, grants: 2, deliveries: 2 });
    expect(await reached()).toEqual(['a cafeteria', 'a echoices']);
    expect(await left()).toEqual(['b cafeteria', 'b echoices', 'his']);

    await scene.db.deleteFrom('sessions').execute();
    await fill();
    expect(await end({ account: scene.mother, except: 'a' })).toMatchObject({ sessions: 1, deliveries: 2 });
    expect(await reached()).toEqual(['b cafeteria', 'b echoices']);
    expect(await left()).toEqual(['a cafeteria', 'a echoices', 'his']);

    await scene.db.deleteFrom('sessions').execute();
    await fill();
    const { sid } = await sessionStore(scene.db, clock).authorize('a', 'cafeteria', async () => '');
    expect(await end({ app: 'cafeteria', sid })).toMatchObject({ sessions: 0, deliveries: 1 });
    expect(await reached()).toEqual(['a cafeteria']);
    expect(await end({ app: 'echoices', account: scene.mother })).toMatchObject({ sessions: 0, deliveries: 2 });
    expect(await reached()).toEqual(['a cafeteria', 'a echoices', 'b echoices']);
    expect(await left()).toEqual(['b cafeteria', 'his']);
    expect(await end({ app: 'echoices' })).toMatchObject({ sessions: 0, deliveries: 1 });
    expect(await left()).toEqual(['b cafeteria']);
    expect(await end({ apps: ['cafeteria'], accounts: [scene.mother] })).toMatchObject({ sessions: 0, deliveries: 1 });
    expect(await left()).toEqual([]);
    expect(await scene.db.selectFrom('sessions').select('uid').where('revoked_at', 'is', null).execute()).toHaveLength(
      3,
    );
    expect(await end({ app: 'echoices' })).toEqual({ id: null, sessions: 0, grants: 0, deliveries: 0 });
  });

  it('exist if and only if the end does', async () => {
    await app('echoices');
    await session('u', 'echoices');
    const failed = scene.db.transaction().execute(async (trx) => {
      await revoke(trx, auditLog(clock), clock, { session: 'u' }, 'signed-out', 'operator');
      throw new Error('the rest failed');
    });
    await expect(failed).rejects.toThrow('the rest failed');
    expect(await rows()).toEqual([]);
    expect(await sessionStore(scene.db, clock).find('cookie u')).toBeDefined();
  });

  it('of sessions that expired or idled out are written by the job, once', async () => {
    const echoices = await app('echoices');
    await session('u', 'echoices');
    await session('v', 'echoices');
    advance(hour - 60);
    expect(await expireSessions(scene.db, auditLog(clock), clock)).toBe(0);
    advance(61);
    expect(
      (await Promise.all([1, 2].map(() => expireSessions(scene.db, auditLog(clock), clock)))).reduce((a, b) => a + b),
    ).toBe(2);
    deliver();
    expect((await settled(2)).map(({ state }) => state)).toEqual(['confirmed', 'confirmed']);
    expect(echoices.tokens).toHaveLength(2);
    expect(await expireSessions(scene.db, auditLog(clock), clock)).toBe(0);
    expect(await scene.db.selectFrom('sessions').select('revoked_because').execute()).toEqual([
      { revoked_because: 'expired' },
      { revoked_because: 'expired' },
    ]);
  });
});
