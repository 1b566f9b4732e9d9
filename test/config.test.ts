import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, parseConfig } from '../src/config.js';
import { allowsSamples, readFeeds } from '../src/foundation.js';
import { readClientsFile } from '../src/provider/clients-file.js';

const key = Buffer.alloc(32, 1).toString('base64url');
const production = {
  NODE_ENV: 'production',
  ISSUER: 'https://parentaccess.example.org',
  SECRETS_KEY: key,
  SMTP_URL: 'smtp://mail.example.org',
  MAIL_FROM: 'Parent Access <no-reply@example.org>',
};

/** The sentences of a refusal; none where the environment is accepted. */
function problems(environment: Record<string, string | undefined>): string[] {
  try {
    parseConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe('the configuration', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'parent-access-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it('takes the secrets of feeds by their names, also from files', () => {
    const config = parseConfig({
      FEED_ELEMENTARY_AUTHORIZATION: 'Bearer abc',
      FEED_NORTH_WEST_AUTHORIZATION_FILE: file('north', 'Basic bWU6eW91\n'),
      FEED_EMPTY_AUTHORIZATION: '',
    });
    expect([...config.feedAuthorization]).toEqual([
      ['elementary', 'Bearer abc'],
      ['north-west', 'Basic bWU6eW91'],
    ]);
    expect(problems({ FEED_A_AUTHORIZATION: 'two\r\nlines' })).toEqual([
      'FEED_A_AUTHORIZATION: must be the value of an Authorization header, such as "Bearer …", in one line.',
    ]);
  });

  it('needs nothing to start on a developer’s machine', () => {
    expect(parseConfig({})).toEqual({
      production: false,
      issuer: 'http://localhost:3000',
      port: 3000,
      host: '127.0.0.1',
      loopback: true,
      dataDir: resolve('.data'),
      databaseUrl: null,
      clientsFile: resolve('clients.json'),
      feedsFile: resolve('feeds.json'),
      feedAuthorization: new Map(),
      timeZone: 'America/Los_Angeles',
      secretsKey: null,
      smtpUrl: null,
      mailFrom: expect.stringContaining('@'),
      trustedProxies: [],
      throttleScale: 1,
      logLevel: 'info',
    });
  });

  it('is frozen, and takes an empty variable for none', () => {
    expect(Object.isFrozen(parseConfig({}))).toBe(true);
    expect(parseConfig({ PORT: '', DATABASE_URL: '', TRUSTED_PROXIES: '' })).toEqual(parseConfig({}));
  });

  it('listens on every interface only for an issuer that is not loopback', () => {
    for (const issuer of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000']) {
      expect(parseConfig({ ISSUER: issuer })).toMatchObject({ host: '127.0.0.1', loopback: true });
    }
    for (const issuer of [
      'http://localhost.evil.example',
      'http://10.0.0.1:3000',
      'https://parentaccess.example.org',
    ]) {
      expect(parseConfig({ ISSUER: issuer })).toMatchObject({ host: '0.0.0.0', loopback: false });
    }
  });

  it('reads a secret from the file that NAME_FILE names; the variable itself wins', () => {
    const path = file('key', `${key}\n`);
    expect(parseConfig({ SECRETS_KEY_FILE: path }).secretsKey).toEqual(Buffer.alloc(32, 1));
    const other = Buffer.alloc(32, 2).toString('base64url');
    expect(parseConfig({ SECRETS_KEY_FILE: path, SECRETS_KEY: other }).secretsKey).toEqual(Buffer.alloc(32, 2));
    const url = file('url', 'postgres://parent:secret@db/parent_access\n');
    expect(parseConfig({ DATABASE_URL_FILE: url }).databaseUrl).toBe('postgres://parent:secret@db/parent_access');
    expect(problems({ SECRETS_KEY_FILE: join(folder, 'nowhere') })).toEqual([
      'SECRETS_KEY_FILE: the file cannot be read.',
    ]);
  });

  it.each([
    ['ISSUER', 'localhost:3000'],
    ['ISSUER', 'ftp://parentaccess.example.org'],
    ['ISSUER', 'http://localhost:3000/'],
    ['ISSUER', 'https://example.org/parents'],
    ['ISSUER', 'https://example.org?a=b'],
    ['ISSUER', 'https://user:word@example.org'],
    ['PORT', 'http'],
    ['PORT', '0'],
    ['PORT', '65536'],
    ['PORT', '3000.5'],
    ['DATABASE_URL', 'mysql://db/parents'],
    ['TIME_ZONE', 'Pacific'],
    ['SECRETS_KEY', 'short'],
    ['SECRETS_KEY', Buffer.alloc(33).toString('base64url')],
    ['SMTP_URL', 'http://mail.example.org'],
    ['TRUSTED_PROXIES', 'proxy.example.org'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.1, 10.0.0.0/x'],
    ['TRUSTED_PROXIES', '::1/129'],
    ['THROTTLE_SCALE', '0.5'],
    ['THROTTLE_SCALE', 'off'],
    ['LOG_LEVEL', 'loud'],
  ])('names %s where it is %s, and does not repeat the value', (name, value) => {
    const found = problems({ [name]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${name}: must be`));
    const secret = name === 'SECRETS_KEY' || name === 'DATABASE_URL';
    expect(secret && found[0]?.includes(value)).toBe(false);
  });

  it('takes proxies as addresses and ranges', () => {
    expect(parseConfig({ TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16,::1 , fd00::/8,' }).trustedProxies).toEqual([
      '10.0.0.1',
      '10.1.0.0/16',
      '::1',
      'fd00::/8',
    ]);
  });

  it('names all that is wrong at once', () => {
    const found = problems({ NODE_ENV: 'production', PORT: 'x', LOG_LEVEL: 'y' });
    expect(found.map((sentence) => sentence.split(':')[0]).toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
      'ISSUER',
      'LOG_LEVEL',
      'MAIL_FROM',
      'PORT',
      'SECRETS_KEY',
      'SMTP_URL',
    ]);
  });

  describe('in production', () => {
    it('starts with all it needs', () => {
      expect(problems(production)).toEqual([]);
      expect(parseConfig(production)).toMatchObject({ production: true, loopback: false, host: '0.0.0.0' });
    });

    it.each(['SECRETS_KEY', 'SMTP_URL', 'MAIL_FROM'])('does not start without %s', (name) => {
      const found = problems({ ...production, [name]: undefined });
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(new RegExp(`^${name}: is missing`));
    });

    it.each(['http://parentaccess.example.org', 'http://localhost:3000', undefined])(
      'does not start with the issuer %s',
      (issuer) => {
        expect(problems({ ...production, ISSUER: issuer })).toEqual([
          'ISSUER: must be an https address in production.',
        ]);
      },
    );
  });

  describe('demo apps and sample feeds', () => {
    const demo = {
      client_id: 'demo',
      client_name: 'Demo',
      redirect_uris: ['http://localhost:4001/callback'],
      initiate_login_uri: 'http://localhost:4001/login',
      scope: 'openid',
      party: 'district',
      demo: true,
    };
    const sample = {
      name: 'elementary',
      sis: 'elementary',
      format: 'district-extract',
      place: { file: 'sample/elementary.csv' },
      unknown_rights: 'allow',
      sample: true,
    };
    const elsewhere: Array<[string, Record<string, string>]> = [
      ['production', production],
      ['production on a loopback issuer', { ...production, ISSUER: 'https://localhost:3000' }],
      ['an issuer that is not loopback', { ISSUER: 'http://10.0.0.1:3000' }],
    ];

    it('are there on a loopback issuer outside production', async () => {
      const config = parseConfig({
        CLIENTS_FILE: file('clients.json', JSON.stringify({ clients: [demo] })),
        FEEDS_FILE: file('feeds.json', JSON.stringify({ student_domains: [], feeds: [sample] })),
      });
      expect(allowsSamples(config)).toBe(true);
      expect(readClientsFile(config.clientsFile, { production: false, demos: allowsSamples(config) })).toHaveLength(1);
      expect((await readFeeds(config)).feeds).toHaveLength(1);
    });

    it.each(elsewhere)('are refused by name in %s', async (_, environment) => {
      const config = parseConfig({
        ...environment,
        CLIENTS_FILE: file('clients.json', JSON.stringify({ clients: [demo] })),
        FEEDS_FILE: file('feeds.json', JSON.stringify({ student_domains: [], feeds: [sample] })),
      });
      const read = () =>
        readClientsFile(config.clientsFile, { production: config.production, demos: allowsSamples(config) });
      expect(read).toThrow(/^app demo: is a demo app/m);
      await expect(readFeeds(config)).rejects.toThrow(/the feed elementary is a sample/);
    });
  });
});
