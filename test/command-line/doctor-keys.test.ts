import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setScene } from './doctor-scene.js';
import type { Scene } from './doctor-scene.js';

let scene: Scene;
beforeAll(async () => {
  scene = await setScene();
});
afterAll(() => scene.close());

describe('doctor, of keys that are late', () => {
  const set = (change: Record<string, Date>, state: 'current' | 'previous') =>
    scene.database.db
      .updateTable('signing_keys')
      .set(change)
      .where('state', '=', state)
      .where('alg', '=', 'ES256')
      .execute();
  const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

  it('one that should have been rotated, or removed, and a next one that is missing, are warnings', async () => {
    const { db } = scene.database;
    const { kid } = await db
      .selectFrom('signing_keys')
      .select('kid')
      .where('state', '=', 'current')
      .where('alg', '=', 'ES256')
      .executeTakeFirstOrThrow();
    const late = async (): Promise<string[]> =>
      (await scene.ask()).checks
        .filter(({ state, name }) => state === 'warning' && name.startsWith(`key ES256`))
        .map(({ found }) => found);
    await set({ became_current_at: daysAgo(96) }, 'current');
    expect(await late()).toEqual([]);
    await set({ became_current_at: daysAgo(98) }, 'current');
    expect(await late()).toEqual([expect.stringMatching(/^It should have been rotated on \d{4}-/)]);
    await db.updateTable('signing_keys').set({ state: 'previous' }).where('kid', '=', kid).execute();
    await set({ became_previous_at: daysAgo(38) }, 'previous');
    expect(await late()).toEqual([
      'There is no current one.',
      expect.stringMatching(/^It should have been removed on/),
    ]);
    await db
      .updateTable('signing_keys')
      .set({ state: 'current', became_current_at: new Date(), became_previous_at: null })
      .where('kid', '=', kid)
      .execute();
    const next = await db
      .deleteFrom('signing_keys')
      .where('state', '=', 'next')
      .where('alg', '=', 'ES256')
      .returningAll()
      .executeTakeFirstOrThrow();
    expect(await late()).toEqual([expect.stringContaining('There is no next one')]);
    await db.insertInto('signing_keys').values(next).execute();
    expect(await late()).toEqual([]);
  });
});

describe('doctor, of secrets that an operator ended', () => {
  it('the line that does not say so is a warning; the last one ended is a failure', async () => {
    const { db } = scene.database;
    const [one, two] = ['a'.repeat(64), 'b'.repeat(64)];
    const changes = {
      CLIENTS_FILE: scene.clients({
        secrets: [
          { name: 'one', sha256: one },
          { name: 'two', sha256: two },
        ],
      }),
    };
    const end = (sha256: string) =>
      db.insertInto('client_secrets').values({ client_id: 'bus', sha256, ends_at: new Date() }).execute();
    await end(one);
    const said = await scene.ask(changes);
    expect(said.of('ended secrets of bus')).toMatchObject({
      state: 'warning',
      found: expect.stringMatching(/^"one" was ended on/),
    });
    expect(said.code).toBe(0);
    await end(two);
    const last = await scene.ask(changes);
    expect(last.of('ended secrets of bus').state).toBe('failed');
    expect(last.code).toBe(2);
    await db.deleteFrom('client_secrets').execute();
  });
});
