import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { run } from './program.js';

describe('the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-commands-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function ended(
    args: string[],
    environment: Record<string, string> = {},
    input = '',
    from: 'built' | 'source' = 'built',
  ) {
    const started = run(args, environment, input, from);
    return { code: await started.ended, out: started.out(), err: started.err() };
  }

  it('refuses production with what is missing, each by name', async () => {
    const { code, err } = await ended(['serve'], { NODE_ENV: 'production', DATA_DIR: folder });
    expect(code).toBe(2);
    for (const name of ['ISSUER', 'SECRETS_KEY', 'SMTP_URL', 'MAIL_FROM'])
      expect(err).toMatch(new RegExp(`^${name}:`, 'm'));
  });

  it('refuses production with a demo app or a sample feed', async () => {
    const production = {
      NODE_ENV: 'production',
      ISSUER: 'https://parents.example.org',
      SECRETS_KEY: Buffer.alloc(32, 1).toString('base64url'),
      SMTP_URL: 'smtp://127.0.0.1:1',
      MAIL_FROM: 'no-reply@example.org',
      DATA_DIR: folder,
    };
    const demo = await ended(['serve'], production);
    expect(demo.code).toBe(2);
    expect(demo.err).toContain('app echoices: is a demo app');
    const clients = join(folder, 'none.json');
    writeFileSync(clients, '{"clients":[]}');
    const sample = await ended(['serve'], { ...production, CLIENTS_FILE: clients });
    expect(sample.code).toBe(2);
    expect(sample.err).toContain('the feed elementary is a sample');
  });

  it('clients check names the place and the reason of every problem', async () => {
    const good = await ended(['clients', 'check', '--json'], {}, '', 'source');
    expect(good.code).toBe(0);
    expect(JSON.parse(good.out)).toEqual(['echoices', 'isis-family-module', 'cafeteria', 'homework-helper']);
    const file = join(folder, 'wrong.json');
    const app = {
      client_id: 'tutoring',
      client_name: 'Tutoring',
      redirect_uris: ['https://t.example.org/#x'],
      scope: 'students',
      party: 'friend',
      typo: 1,
    };
    const vendor = {
      client_id: 'bus',
      client_name: 'Bus',
      redirect_uris: ['https://b.example.org/cb'],
      scope: 'openid',
      party: 'vendor',
    };
    writeFileSync(file, JSON.stringify({ clients: [app, vendor] }));
    const bad = await ended(['clients', 'check'], { CLIENTS_FILE: file });
    expect(bad.code).toBe(2);
    for (const place of [
      'app tutoring › redirect_uris › 0',
      'app tutoring › scope',
      'app tutoring › party',
      'typo',
      'app bus › subject_type',
      'app bus › secrets',
    ]) {
      expect(bad.err).toContain(place);
    }
  });

  it('clients digest prints the digest of a secret, and refuses a short one', async () => {
    const secret = 'a-secret-of-thirty-two-characters';
    const { code, out } = await ended(['clients', 'digest'], {}, `${secret}\n`);
    expect({ code, out: out.trim() }).toEqual({ code: 0, out: createHash('sha256').update(secret).digest('hex') });
    expect((await ended(['clients', 'digest'], {}, 'short\n')).code).toBe(2);
  });

  it('sample writes the same bytes for the same seed', async () => {
    const out = join(folder, 'sample');
    const { code, out: said } = await ended(['sample', '--contacts', '200', '--seed', '7', '--out', out]);
    expect(code).toBe(0);
    expect(said).toContain('elementary.csv');
    expect((await ended(['sample', '--contacts', '5', '--out', out])).code).toBe(2);
  });

  it.each([['nonsense'], ['clients'], ['import'], ['import', '--nonsense'], ['sample']])(
    '%s %s is refused with a word of help',
    async (...args) => {
      const { code, err } = await ended(args.filter((arg) => arg !== undefined));
      expect(code).toBe(2);
      expect(err.trim()).not.toBe('');
      expect(err).not.toMatch(/\bat .*\.[jt]s:\d+/);
    },
  );
});
