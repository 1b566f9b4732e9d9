import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JWK } from 'jose';
import { auditLog } from '../../src/audit/audit.js';
import { sealer } from '../../src/database/secrets.js';
import { ensureKeys, loadKeys } from '../../src/keys/keys.js';
import { listKeys, rotateKeys, tendKeys } from '../../src/keys/states.js';
import type { KeyParts, ListedKey } from '../../src/keys/states.js';
import { utcMinute } from '../../src/locales/dates.js';
import { after, values } from '../../src/values.js';
import { databases, freshDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/database.js';

/*
 *   (made) -> next -> current -> previous -> (gone)
 */
describe.each(databases)('keys, on %s', (kind) => {
  let database: FreshDatabase;
  let parts: KeyParts;
  let now = new Date('2027-01-01T00:00:00Z');
  const pass = (seconds: number): void => {
    now = after(now, seconds);
  };
  const operator = { now: false, actor: 'operator' };

  beforeAll(async () => {
    database = await freshDatabase(kind);
    const clock = () => now;
    parts = { db: database.db, sealer: sealer(Buffer.alloc(32, 3)), clock, audit: auditLog(clock) };
    await ensureKeys(parts.db, parts.sealer, clock);
  });
  afterAll(() => database.close());

  async function states(alg: string): Promise<string[]> {
    const listed = await listKeys(database.db);
    return listed.filter((key) => key.alg === alg && key.use !== 'pairwise').map(({ state }) => state);
  }
  const find = async (alg: string, state: string): Promise<ListedKey> => {
    const found = (await listKeys(database.db)).find(
      (key) => key.alg === alg && key.state === state && key.use !== 'pairwise',
    );
    if (found === undefined) throw new Error(`no ${state} ${alg}`);
    return found;
  };

  it('begin with one that signs and one that will, of each kind, and one pairwise that stays', async () => {
    for (const alg of ['ES256', 'RS256', 'HMAC']) expect((await states(alg)).sort()).toEqual(['current', 'next']);
    await Promise.all([
      ensureKeys(parts.db, parts.sealer, parts.clock),
      ensureKeys(parts.db, parts.sealer, parts.clock),
    ]);
    expect(await listKeys(database.db)).toHaveLength(7);
    const pairwise = (await listKeys(database.db)).filter(({ use }) => use === 'pairwise');
    expect(pairwise).toMatchObject([{ state: 'current', nextStep: null, nextStepAt: null }]);
  });

  it('a next key says when it signs, a current one when it stops', async () => {
    expect(await find('ES256', 'next')).toMatchObject({
      nextStep: 'signs',
      nextStepAt: after(now, values.keyRotation),
    });
    expect(await find('ES256', 'current')).toMatchObject({
      becameCurrentAt: now,
      nextStep: 'verifies only',
      nextStepAt: after(now, values.keyRotation),
    });
  });

  it('the next key signs only when every app may know it; asked before, all stays and the sentence says when', async () => {
    pass(values.keyPublished - 1);
    const before = await listKeys(database.db);
    // The minute after, so that who follows the words is not refused.
    const ready = utcMinute(after(now, 61));
    await expect(rotateKeys(parts, operator)).rejects.toThrow(`rotate at ${ready} or later, or now with --now`);
    expect(await listKeys(database.db)).toEqual(before);
    pass(1);
    const next = await find('ES256', 'next');
    const rotated = await rotateKeys(parts, operator);
    expect(rotated.map(({ alg }) => alg)).toEqual(['ES256', 'RS256', 'HMAC']);
    expect(rotated[0]?.to).toBe(next.kid);
    for (const alg of ['ES256', 'RS256', 'HMAC']) {
      expect((await states(alg)).sort()).toEqual(['current', 'next', 'previous']);
    }
    expect(await find('ES256', 'current')).toMatchObject({ kid: next.kid, becameCurrentAt: now });
  });

  it('in the ring the current ones come first, so that they sign', async () => {
    const ring = await loadKeys(database.db, parts.sealer);
    const first = (alg: string): JWK | undefined => ring.signing.find((jwk) => jwk.alg === alg);
    for (const alg of ['ES256', 'RS256']) expect(first(alg)?.kid).toBe((await find(alg, 'current')).kid);
    expect(ring.signing.map(({ kid }) => kid)).toHaveLength(6);
    expect(ring.cookies.length).toBe(3);
  });

  it('--now rotates all the same, and one use alone', async () => {
    const [cookie, es] = [await find('HMAC', 'next'), await find('ES256', 'current')];
    await rotateKeys(parts, { use: 'cookie', now: true, actor: 'operator' });
    expect((await find('HMAC', 'current')).kid).toBe(cookie.kid);
    expect((await find('ES256', 'current')).kid).toBe(es.kid);
    const event = await database.db
      .selectFrom('audit_events')
      .selectAll()
      .where('subject', '=', `key:${cookie.kid}`)
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({
      kind: 'key.rotated',
      actor: 'operator',
      details: { use: 'cookie', alg: 'HMAC', early: true },
    });
  });

  it('of many who rotate at once one does, and each place keeps one current and one next', async () => {
    pass(values.keyPublished);
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => rotateKeys(parts, operator)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const alg of ['ES256', 'RS256', 'HMAC']) {
      const found = await states(alg);
      expect(found.filter((state) => state === 'current')).toHaveLength(1);
      expect(found.filter((state) => state === 'next')).toHaveLength(1);
    }
  });

  it('with another SECRETS_KEY nothing is written', async () => {
    pass(values.keyPublished);
    const before = await listKeys(database.db);
    const stranger = { ...parts, sealer: sealer(randomBytes(32)) };
    await expect(rotateKeys(stranger, operator)).rejects.toThrow('SECRETS_KEY does not open');
    await expect(tendKeys(stranger)).rejects.toThrow('SECRETS_KEY does not open');
    const next = await database.db.deleteFrom('signing_keys').where('state', '=', 'next').returningAll().execute();
    await expect(ensureKeys(stranger.db, stranger.sealer, parts.clock)).rejects.toThrow('SECRETS_KEY does not open');
    expect((await listKeys(database.db)).filter(({ state }) => state === 'next')).toEqual([]);
    await database.db.insertInto('signing_keys').values(next).execute();
    expect(await listKeys(database.db)).toEqual(before);
  });

  it('the job rotates what is due, removes what nothing needs any more, and nothing else', async () => {
    expect(await tendKeys(parts)).toEqual({ rotated: [], removed: [] });
    const previous = (await listKeys(database.db)).filter(({ state }) => state === 'previous');
    const [oldest] = previous.toSorted((a, b) => Number(a.nextStepAt) - Number(b.nextStepAt));
    now = after(oldest?.nextStepAt ?? now, -1);
    expect((await tendKeys(parts)).removed).toEqual([]);
    pass(1);
    expect((await tendKeys(parts)).removed).toContain(oldest?.kid);
    now = (await find('RS256', 'current')).nextStepAt ?? now;
    const { rotated, removed } = await tendKeys(parts);
    expect(rotated.map(({ alg }) => alg)).toEqual(['ES256', 'RS256', 'HMAC']);
    expect(removed.length).toBeGreaterThan(0);
    expect(await tendKeys(parts)).toEqual({ rotated: [], removed: [] });
    const kinds = await database.db.selectFrom('audit_events').select('kind').distinct().orderBy('kind').execute();
    expect(kinds.map(({ kind: event }) => event)).toEqual(['key.removed', 'key.rotated']);
    expect((await listKeys(database.db)).filter(({ use }) => use === 'pairwise')).toHaveLength(1);
  });

  it('a next key that is missing is made by the job', async () => {
    await database.db.deleteFrom('signing_keys').where('state', '=', 'next').execute();
    await expect(rotateKeys(parts, operator)).rejects.toThrow('There is no next key yet');
    await tendKeys(parts);
    expect(await find('ES256', 'next')).toMatchObject({ createdAt: now });
  });
});
