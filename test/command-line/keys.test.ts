import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../src/commands.js';
import { systemClock } from '../../src/database/clock.js';
import { sealer } from '../../src/database/secrets.js';
import { ensureKeys } from '../../src/keys/keys.js';
import type { ListedKey } from '../../src/keys/states.js';
import { freshDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/database.js';

describe('parent-access keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-keys-'));
  const secretsKey = randomBytes(32);
  let database: FreshDatabase;
  let environment: Record<string, string> = {};
  beforeAll(async () => {
    database = await freshDatabase();
    await ensureKeys(database.db, sealer(secretsKey), systemClock);
    environment = {
      DATABASE_URL: database.url ?? '',
      DATA_DIR: folder,
      SECRETS_KEY: secretsKey.toString('base64url'),
    };
  });
  afterAll(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function said(args: string[], changes: Record<string, string> = {}) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await run(
      ['keys', ...args],
      { ...environment, ...changes },
      { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    );
    return { code, out: out.join('\n'), err: err.join('\n') };
  }
  async function listed(): Promise<ListedKey[]> {
    return JSON.parse((await said(['list', '--json'])).out) as ListedKey[];
  }

  it('list tells each key, its state, and what comes next and when, for people and for programs', async () => {
    const all = await listed();
    expect(all.map(({ use, alg, state }) => `${use} ${alg} ${state}`).sort()).toEqual([
      'cookie HMAC current',
      'cookie HMAC next',
      'pairwise HMAC current',
      'sig ES256 current',
      'sig ES256 next',
      'sig RS256 current',
      'sig RS256 next',
    ]);
    const { out, code } = await said(['list']);
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatch(/^kid +use +alg +state +created +became current +next step$/);
    for (const { kid } of all) expect(lines.filter((line) => line.startsWith(`${kid} `))).toHaveLength(1);
    expect(out).toMatch(/next +\d{4}-\d\d-\d\d \d\d:\d\d UTC +signs \d{4}-/);
    expect(out).toContain('never changes');
    const rows = await database.db.selectFrom('signing_keys').select('sealed').execute();
    for (const { sealed } of rows) expect(out).not.toContain(sealed);
  });

  it('rotate is refused before its time in one sentence that says when; --now does it, and says what it costs', async () => {
    const before = await listed();
    const refused = await said(['rotate']);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(
      /^The next key has not been published long enough .*: rotate at \d{4}-.* UTC or later,/,
    );
    expect(refused.err.split('\n')).toHaveLength(1);
    expect(await listed()).toEqual(before);
    const done = await said(['rotate', '--now', '--use', 'sig']);
    expect(done.code).toBe(0);
    expect(done.out).toMatch(/^ES256: \S+ signs; \S+ verifies until .* UTC\.$/m);
    expect(done.out).toMatch(/^Apps whose copy of the key set is older may refuse sign-ins until .* UTC\.$/m);
    expect((await listed()).filter(({ state }) => state === 'previous')).toHaveLength(2);
    const cookie = await said(['rotate', '--now', '--use', 'cookie']);
    expect(cookie.out).toContain('lose sign-ins under way, for 5 seconds');
    expect(cookie.out).not.toContain('Apps');
  });

  it.each([
    [[], /^Say what to do/],
    [['list', 'more'], /^Say what to do/],
    [['nonsense'], /^Say what to do/],
    [['rotate', '--use', 'pairwise'], /^The use is sig or cookie\.$/],
    [['revoke'], /^Say which key/],
    [['revoke', 'a', 'b'], /^Say which key/],
    [['revoke', '--no-such-key'], /^There is no key "--no-such-key"/],
  ] as Array<[string[], RegExp]>)('%j is refused in one sentence, and changes nothing', async (args, sentence) => {
    const before = await listed();
    const { code, err, out } = await said(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(sentence);
    expect(err.split('\n')).toHaveLength(1);
    expect(await listed()).toEqual(before);
  });

  it('changes nothing without the SECRETS_KEY that the keys were made with', async () => {
    const [first] = await listed();
    const before = await listed();
    for (const secrets of [randomBytes(32).toString('base64url'), '']) {
      for (const args of [
        ['rotate', '--now'],
        ['revoke', first?.kid ?? '', '--yes'],
      ]) {
        const { code, err } = await said(args, { SECRETS_KEY: secrets });
        expect(code).toBe(2);
        expect(err).toContain('SECRETS_KEY');
      }
    }
    expect(await listed()).toEqual(before);
  });

  it('revoke tells the cost with 2, and does it with --yes', async () => {
    const kid = (await listed()).find(({ state, alg }) => state === 'next' && alg === 'RS256')?.kid ?? '';
    const asked = await said(['revoke', kid]);
    expect(asked).toMatchObject({ code: 2, out: '' });
    expect(asked.err).toContain('ends no sign-in');
    const done = await said(['revoke', kid, '--yes']);
    expect(done).toMatchObject({ code: 0, err: '' });
    const again = await said(['revoke', kid, '--yes']);
    expect(again.code).toBe(2);
    expect(again.err).toContain('was revoked already');
  });

  it('says what is missing where there is no database, or an older one', async () => {
    expect(await said(['list'], { DATABASE_URL: '' })).toMatchObject({
      code: 2,
      err: 'There is no database yet: the first start of a server makes it.',
    });
    const bare = await freshDatabase();
    await bare.pool.query("delete from kysely_migration where name = '0007_keys'");
    expect(await said(['list'], { DATABASE_URL: bare.url ?? '' })).toMatchObject({
      code: 2,
      err: 'The database is of an earlier version: run `parent-access migrate` first.',
    });
    await bare.close();
  });
});
