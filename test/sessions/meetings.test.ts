import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { changePassword } from '../../src/accounts/change-password.js';
import { giveConsent, hasConsent } from '../../src/accounts/consents.js';
import { endSessions } from '../../src/accounts/end-sessions.js';
import { passwordHasher } from '../../src/accounts/password-hasher.js';
import { disableAccount, reopenAccount } from '../../src/accounts/standing.js';
import { auditLog } from '../../src/audit/audit.js';
import { syncClients } from '../../src/provider/client-registry.js';
import { artifacts } from '../../src/sessions/artifacts.js';
import { cleanSessions } from '../../src/sessions/cleaning.js';
import { expireSessions } from '../../src/sessions/expire.js';
import { isLasting } from '../../src/sessions/live-session.js';
import { revoke } from '../../src/sessions/revoke.js';
import { sessionStore } from '../../src/sessions/session-store.js';
import { account } from '../accounts/people.js';
import { eventually } from '../support/eventually.js';
import { deliveryScene, hour } from './delivery-scene.js';

/** What happens to one account at the same moment, on real PostgreSQL, where transactions really run side by side. */
describe('ends that meet', () => {
  const scene = deliveryScene('postgres');
  const { clock, end, register, rows, session } = scene;
  const store = () => sessionStore(scene.db, clock);

  it('never wait for each other in a ring', async () => {
    const audit = auditLog(clock);
    const faults: string[] = [];
    for (const app of ['a', 'b', 'c']) await register(app, null);
    for (let round = 0; round < 60; round += 1) {
      await sql`update clients set disabled_at = null`.execute(scene.db);
      const { session_generation: generation } = await scene.db
        .selectFrom('accounts')
        .select('session_generation')
        .where('id', '=', scene.mother)
        .executeTakeFirstOrThrow();
      const uids = Array.from({ length: 6 }, (_, index) => `${round} ${index}`);
      for (const uid of uids) await session(uid, 'a', 'b', 'c');
      await sql`update sessions set generation = ${generation} where revoked_at is null`.execute(scene.db);
      await sql`update sessions set expires_at = ${clock()} where uid = any(${uids.slice(4)}::text[])`.execute(
        scene.db,
      );
      const [first = '', second = '', third = '', fourth = ''] = uids;
      const mother = { accountId: scene.mother, reason: 'a test', actor: 'operator' };
      const met = await Promise.allSettled([
        disableAccount(scene.db, audit, clock, { ...mother, as: 'suspended' }),
        end({ session: first }),
        end({ session: second }),
        round % 3 === 0 ? syncClients(scene.db, [], clock, audit) : end({ app: 'a' }),
        end({ apps: ['a', 'c'], accounts: [scene.mother] }),
        endSessions(scene.db, audit, clock, { uid: third, accountId: scene.mother }, 'others'),
        expireSessions(scene.db, audit, clock),
        cleanSessions(scene.db, clock),
        store().save(`cookie ${fourth}`, { uid: fourth, accountId: scene.mother, loginTs: 1 }, hour),
      ]);
      for (const one of met) if (one.status === 'rejected') faults.push(String(one.reason));
      await reopenAccount(scene.db, audit, mother);
    }
    expect(faults).toEqual([]);
  }, 120_000);

  it('miss no sign-in that comes in the middle: it waits, and is dead on arrival', async () => {
    await register('echoices', null);
    let usable: Promise<boolean> | undefined;
    await scene.db.transaction().execute(async (trx) => {
      await revoke(trx, auditLog(clock), clock, { account: scene.mother }, 'signed-out-everywhere', 'operator');
      let done = false;
      usable = session('new', 'echoices')
        .then(() => store().find('cookie new'))
        .then((found) => found !== undefined)
        .finally(() => {
          done = true;
        });
      await eventually(
        async () =>
          done ||
          (await sql`select from pg_stat_activity where wait_event_type = 'Lock'`.execute(scene.db)).rows.length > 0,
        (reached) => reached,
      );
    });
    const told = async (): Promise<number> => (await rows()).length;
    expect([await usable, await told()]).toEqual([false, 0]);
  });

  it('are not undone by a save that knows an app from before', async () => {
    await register('echoices', null);
    await register('cafeteria', null);
    await session('u', 'echoices', 'cafeteria');
    const before = await store().find('cookie u');
    await end({ app: 'echoices', account: scene.mother });
    await store().save('cookie u', before ?? {}, hour);
    expect(Object.keys((await store().find('cookie u'))?.['authorizations'] ?? {})).toEqual(['cafeteria']);

    const anew = await store().authorize('u', 'echoices', async () => {
      await artifacts(scene.db, clock, 'Grant').save('anew', { accountId: scene.mother, clientId: 'echoices' }, hour);
      return 'anew';
    });
    await store().save('cookie u', before ?? {}, hour);
    expect((await store().find('cookie u'))?.['authorizations']).toMatchObject({
      echoices: { sid: anew.sid, grantId: 'anew' },
    });
  });

  it('leave no way to pass a session on to another account', async () => {
    const father = await account(scene.db, { email: 'pedro@example.org' });
    await session('u');
    const loginTs = Math.floor(clock().getTime() / 1000);
    await store().save('his cookie', { uid: 'u', accountId: father, loginTs }, hour);
    expect(await store().find('his cookie')).toBeUndefined();
    expect(await store().find('cookie u')).toMatchObject({ accountId: scene.mother });
  });

  it('have the last word over what an ended session was in the middle of', async () => {
    const audit = auditLog(clock);
    const hasher = await passwordHasher(1, 1);
    const hash = async () =>
      scene.db.selectFrom('accounts').select('password_hash').where('id', '=', scene.mother).executeTakeFirstOrThrow();
    const change = (uid: string, generation: number) =>
      changePassword(scene.db, clock, hasher, audit, async () => {}, {
        accountId: scene.mother,
        sessionUid: uid,
        generation,
        password: 'a long way home from school',
      });
    const earlier = await hasher.hash('an old way home from school');
    await scene.db.updateTable('accounts').set({ password_hash: earlier }).where('id', '=', scene.mother).execute();
    const before = await hash();
    await session('thief');
    await end({ account: scene.mother });
    expect(await change('thief', 0)).toBe('over');
    expect(await hash()).toEqual(before);

    const { session_generation: generation } = await scene.db
      .selectFrom('accounts')
      .select('session_generation')
      .where('id', '=', scene.mother)
      .executeTakeFirstOrThrow();
    const loginTs = Math.floor(clock().getTime() / 1000);
    await store().save('owner', { uid: 'owner', accountId: scene.mother, loginTs, generation }, hour);
    const thief = { uid: 'thief', accountId: scene.mother };
    expect(await endSessions(scene.db, audit, clock, thief, 'all')).toMatchObject({ sessions: 0 });
    expect(await store().find('owner')).toBeDefined();
    expect(await change('owner', generation - 1)).toBe('outdated');
    expect(await hash()).toEqual(before);
    expect(await isLasting(scene.db, 'owner')).toBe(true);
    expect(await change('owner', generation)).toBe('set');
    expect(await hash()).not.toEqual(before);
    // Until the browser has another, which follows: a copy of this one could speak first.
    expect(await isLasting(scene.db, 'owner')).toBe(false);
    expect(await store().find('owner')).toBeDefined();
    // The later of two presses.
    expect(await change('owner', generation)).toBe('already');
  });

  it('let an ended session allow nothing to a vendor any more', async () => {
    const audit = auditLog(clock);
    await register('homework', null);
    const allow = (uid: string): Promise<void> =>
      giveConsent(scene.db, clock, audit, {
        session: { uid, accountId: scene.mother },
        clientId: 'homework',
        facts: ['name'],
      });
    await session('thief');
    await session('owner');
    await end({ session: 'thief' });
    await allow('thief');
    expect(await hasConsent(scene.db, scene.mother, 'homework', ['name'])).toBe(false);
    await allow('owner');
    expect(await hasConsent(scene.db, scene.mother, 'homework', ['name'])).toBe(true);
  });

  it('reach an app in more sessions than are taken at once', async () => {
    await register('echoices', null);
    await register('cafeteria', null);
    await sql`
      insert into sessions (uid, account_id, created_at, last_used_at, expires_at)
      select 'many ' || n, ${scene.mother}::uuid, ${clock()}, ${clock()}, ${clock()}::timestamptz + interval '1 hour'
      from generate_series(1, 10001) n`.execute(scene.db);
    await sql`
      insert into session_authorizations
      select 'many ' || n, 'echoices', 'sid ' || n, 'grant ' || n, ${clock()}::timestamptz from generate_series(1, 10001) n`.execute(
      scene.db,
    );
    await session('u', 'echoices', 'cafeteria');
    expect(await end({ app: 'echoices' })).toMatchObject({ grants: 10_002, deliveries: 10_002 });
    expect(await scene.db.selectFrom('session_authorizations').select('client_id').execute()).toEqual([
      { client_id: 'cafeteria' },
    ]);
  });
});
