import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../src/commands.js';
import { parseMoment } from '../../src/desk/moment.js';
import { appSchema } from '../../src/provider/app-registration.js';
import { freshDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/database.js';

const app = {
  client_id: 'tutoring',
  client_name: 'Tutoring',
  redirect_uris: ['https://tutoring.example.org/callback'],
  scope: 'openid',
  party: 'district',
};

describe('parent-access clients secret', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-secrets-'));
  const file = join(folder, 'clients.json');
  let database: FreshDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (...clients: object[]): void => writeFileSync(file, JSON.stringify({ clients }));
  async function said(...args: string[]) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await run(
      ['clients', 'secret', ...args],
      { DATABASE_URL: database.url ?? '', DATA_DIR: folder, CLIENTS_FILE: file },
      { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    );
    return { code, out: out.join('\n'), err: err.join('\n') };
  }
  /** What `add` prints: the secret, and the line. */
  function parts(out: string): { secret: string; line: Record<string, string> } {
    const lines = out.split('\n');
    return { secret: lines[2]?.trim() ?? '', line: JSON.parse(lines.at(-1) ?? '') as Record<string, string> };
  }

  it('add makes the first secret of a new app: 256 bits, shown once and written nowhere', async () => {
    write(app);
    const { code, out, err } = await said('add', 'tutoring', '2027');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { secret, line } = parts(out);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(line).toEqual({ name: '2027', sha256: createHash('sha256').update(secret).digest('hex') });
    expect(out.split(secret)).toHaveLength(2);
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name), 'utf8')).not.toContain(secret);
    expect(parts((await said('add', 'tutoring', '2027')).out).secret).not.toBe(secret);
    // The line as it is printed is one that the file takes.
    expect(appSchema.parse({ ...app, secrets: [line] }).secrets).toEqual([line]);
  });

  it('add --expires takes a day of the district, or a moment', async () => {
    write(app);
    const day = parts((await said('add', 'tutoring', 'a', '--expires', '2031-07-01')).out).line;
    expect(day['expires_at']).toBe('2031-07-01T07:00:00.000Z');
    const moment = parts((await said('add', 'tutoring', 'a', '--expires', '2031-07-01T17:00:00+02:00')).out).line;
    expect(moment['expires_at']).toBe('2031-07-01T15:00:00.000Z');
    expect(appSchema.safeParse({ ...app, secrets: [day, moment] }).success).toBe(true);
  });

  it.each([
    [['add', 'nobody', 'a'], /^There is no app "nobody" in/],
    [['add', 'tutoring'], /^Say what to do/],
    [['add', 'tutoring', 'first'], /^tutoring has a secret "first" already/],
    [['add', 'tutoring', 'a b'], /^A name has 1 to 40/],
    [['add', 'tutoring', 'a', '--expires', '2031-02-29'], /^--expires is a date like/],
    [['add', 'tutoring', 'a', '--expires', 'x'], /^--expires is a date like/],
    [['add', 'tutoring', 'a', '--expires', '2020-01-01'], /^--expires is in the past/],
    [['add', 'keyed', 'a'], /^keyed uses private_key_jwt, and no secret\.$/],
    [['add', 'demo', 'a'], /^demo is a demo app/],
    [['nonsense'], /^Say what to do/],
    [[], /^Say what to do/],
    [['expire', 'tutoring', 'second'], /^tutoring has no secret "second"; it has: first\.$/],
  ] as Array<[string[], RegExp]>)('%j is refused in one sentence', async (args, sentence) => {
    write(
      { ...app, secrets: [{ name: 'first', sha256: 'a'.repeat(64) }] },
      { ...app, client_id: 'keyed', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } },
      { ...app, client_id: 'demo', demo: true },
    );
    const { code, out, err } = await said(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(sentence);
    expect(err.split('\n')).toHaveLength(1);
  });

  it('list and expire work beside the servers', async () => {
    write({ ...app, secrets: [{ name: 'first', sha256: 'a'.repeat(64) }] });
    expect((await said('list', 'tutoring')).out).toMatch(/^first +in force +never +never$/m);
    expect((await said('expire', 'tutoring', 'first', '--at', '2031-07-01')).code).toBe(0);
    // An end that an operator has set is put off by nobody, and may come sooner.
    expect(await said('expire', 'tutoring', 'first', '--at', '2032-07-01')).toMatchObject({
      code: 2,
      err: expect.stringContaining('ends sooner already, on 2031-07-01'),
    });
    expect((await said('expire', 'tutoring', 'first')).code).toBe(0);
    expect((await said('list', 'tutoring')).out).toMatch(/^first +ended +\d{4}-\d\d-\d\d \d\d:\d\d UTC +never$/m);
    // The same secret under another name, as if it were new, stays ended.
    write({ ...app, secrets: [{ name: 'again', sha256: 'a'.repeat(64) }] });
    expect((await said('list', 'tutoring')).out).toMatch(/^again +ended/m);
  });

  it('a file with a problem is refused as everywhere', async () => {
    writeFileSync(file, '{');
    for (const args of [
      ['add', 'tutoring', 'a'],
      ['list', 'tutoring'],
    ]) {
      expect(await said(...args)).toMatchObject({ code: 2, out: '' });
    }
    write({ ...app, secrets: [] });
    expect((await said('list', 'tutoring')).err).toContain('needs at least one digest');
    write({ ...app, secrets: ['one', 'two'].map((name) => ({ name, sha256: 'a'.repeat(64) })) });
    expect((await said('list', 'tutoring')).err).toContain('secrets › 1 › sha256: stands twice');
  });
});

describe('a moment', () => {
  const zone = 'America/Los_Angeles';
  it.each([
    ['2027-01-15', '2027-01-15T08:00:00.000Z'],
    ['2027-07-15', '2027-07-15T07:00:00.000Z'],
    // The clocks change in the night after midnight.
    ['2027-03-14', '2027-03-14T08:00:00.000Z'],
    ['2027-11-07', '2027-11-07T07:00:00.000Z'],
    ['2027-11-08', '2027-11-08T08:00:00.000Z'],
    ['2028-02-29', '2028-02-29T08:00:00.000Z'],
    ['2027-01-15T10:00Z', '2027-01-15T10:00:00.000Z'],
    ['2027-01-15T10:00:30.5-08:00', '2027-01-15T18:00:30.500Z'],
  ])('%s is %s', (text, moment) => {
    expect(parseMoment(text, zone)?.toISOString()).toBe(moment);
  });

  it.each([
    '',
    '2027',
    '2027-1-5',
    '2027-02-29',
    '2027-13-01',
    '2027-01-15T10:00',
    '2027-01-15T25:00Z',
    '15.1.2027',
    'now',
  ])('%j is none', (text) => {
    expect(parseMoment(text, zone)).toBeNull();
  });
});
