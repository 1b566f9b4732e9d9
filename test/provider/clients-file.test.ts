import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditLog } from '../../src/audit/audit.js';
import type { Database } from '../../src/database/database.js';
import { appSchema } from '../../src/provider/app-registration.js';
import type { AppRegistration } from '../../src/provider/app-registration.js';
import { syncClients } from '../../src/provider/client-registry.js';
import { ClientsFileError, clientsJsonSchema, readClientsFile } from '../../src/provider/clients-file.js';
import { libraryMetadata, matchingDigest } from '../../src/provider/metadata.js';
import { databases, freshDatabase } from '../support/database.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sha256 = 'a'.repeat(64);
const app = {
  client_id: 'tutoring',
  client_name: 'Tutoring',
  redirect_uris: ['https://tutoring.example.org/callback'],
  initiate_login_uri: 'https://tutoring.example.org/login',
  scope: 'openid profile students',
  party: 'district',
  student_facts: ['name'],
  secrets: [{ name: 'first', sha256 }],
};
const anywhere = { production: false, demos: true };
const production = { production: true, demos: false };

describe('clients.json', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'parent-access-clients-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function read(text: string, rules = anywhere): AppRegistration[] {
    const path = join(folder, 'clients.json');
    writeFileSync(path, text);
    return readClientsFile(path, rules);
  }
  /** What is said of a file; nothing where it is accepted. */
  function problems(clients: unknown, rules = anywhere): string[] {
    try {
      read(typeof clients === 'string' ? clients : JSON.stringify({ clients }), rules);
      return [];
    } catch (error) {
      if (error instanceof ClientsFileError) return error.problems;
      throw error;
    }
  }

  it('is accepted with what an app needs; the rest has its standard value', () => {
    expect(problems([app])).toEqual([]);
    expect(problems([app], production)).toEqual([]);
    expect(read(JSON.stringify({ clients: [app] }))[0]).toMatchObject({
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      subject_type: 'public',
      id_token_signed_response_alg: 'ES256',
      demo: false,
    });
  });

  it('of the project is in order, holds no secret, and is what its JSON Schema says', () => {
    const text = readFileSync(join(root, 'clients.json'), 'utf8');
    expect(read(text).map(({ client_id: id }) => id)).toEqual([
      'echoices',
      'isis-family-module',
      'cafeteria',
      'homework-helper',
    ]);
    expect(text).not.toMatch(/secret/);
    expect(JSON.parse(readFileSync(join(root, 'docs/clients.schema.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(clientsJsonSchema())),
    );
  });

  const wrong: Array<[what: string, change: Record<string, unknown>, place: string]> = [
    ['an id with capitals', { client_id: 'Tutoring' }, 'app Tutoring › client_id'],
    ['no name', { client_name: '' }, 'app tutoring › client_name'],
    ['a name that turns the words around it', { client_name: 'Ev\u202eil' }, 'app tutoring › client_name'],
    ['such a name in Spanish', { 'client_name#es': 'Ev\u2067il' }, 'app tutoring › client_name#es'],
    [
      'such words on its tile',
      { tile: { order: 1, sentence: { en: 'Ev\u202eil', es: 'Evil' } } },
      'app tutoring › tile › sentence › en',
    ],
    ['no redirect', { redirect_uris: [] }, 'app tutoring › redirect_uris'],
    ['a redirect with a fragment', { redirect_uris: ['https://t.example.org/#x'] }, 'app tutoring › redirect_uris › 0'],
    ['the id of our own pages', { client_id: 'parent-access-portal' }, 'app parent-access-portal › client_id'],
    ['a redirect that is none', { redirect_uris: ['nonsense'] }, 'app tutoring › redirect_uris › 0'],
    [
      'a redirect with a password',
      { redirect_uris: ['https://:p@t.example.org/'] },
      'app tutoring › redirect_uris › 0',
    ],
    ['a redirect with a space', { redirect_uris: ['https://t.example.org/a b'] }, 'app tutoring › redirect_uris › 0'],
    ['a redirect to any host', { redirect_uris: ['https://*.example.org/'] }, 'app tutoring › redirect_uris › 0'],
    ['a host that ends a policy', { redirect_uris: ['https://t;sandbox/'] }, 'app tutoring › redirect_uris › 0'],
    ['keys at a user’s address', { jwks_uri: 'https://u:p@t.example.org/jwks' }, 'app tutoring › jwks_uri'],
    ['a private key', { jwks: { keys: [{ kty: 'EC', d: 'x' }] } }, 'app tutoring › jwks › keys › 0'],
    [
      'an app that anybody is, in its own name',
      { token_endpoint_auth_method: 'none', grant_types: ['client_credentials'] },
      'app tutoring › grant_types',
    ],
    ['a redirect with a user', { redirect_uris: ['https://u@t.example.org/'] }, 'app tutoring › redirect_uris › 0'],
    [
      'a redirect into an app on a phone',
      { redirect_uris: ['tutoring://callback'] },
      'app tutoring › redirect_uris › 0',
    ],
    ['a redirect that is script', { redirect_uris: ['javascript:alert(1)'] }, 'app tutoring › redirect_uris › 0'],
    ['the implicit grant', { grant_types: ['implicit'] }, 'app tutoring › grant_types › 0'],
    ['tokens in the redirect', { response_types: ['id_token'] }, 'app tutoring › response_types › 0'],
    [
      'a secret as the signing key of an assertion',
      { token_endpoint_auth_method: 'client_secret_jwt' },
      'app tutoring › token_endpoint_auth_method',
    ],
    [
      'ID tokens that nobody signed',
      { id_token_signed_response_alg: 'none' },
      'app tutoring › id_token_signed_response_alg',
    ],
    ['an unknown scope', { scope: 'openid grades' }, 'app tutoring › scope'],
    ['a scope without openid', { scope: 'profile' }, 'app tutoring › scope'],
    ['an unknown fact', { student_facts: ['address'] }, 'app tutoring › student_facts › 0'],
    ['facts without the scope', { scope: 'openid' }, 'app tutoring › student_facts'],
    ['a vendor that sees the same sub as others', { party: 'vendor' }, 'app tutoring › subject_type'],
    ['no party', { party: undefined }, 'app tutoring › party'],
    ['no digest', { secrets: [] }, 'app tutoring › secrets'],
    [
      'a secret in place of its digest',
      { secrets: [{ name: 'first', sha256: 'the secret itself' }] },
      'app tutoring › secrets › 0 › sha256',
    ],
    ['a secret beside its digest', { secrets: [{ name: 'first', sha256, secret: 'x' }] }, 'app tutoring › secrets › 0'],
    ['a secret in the library’s own field', { client_secret: 'x' }, 'client_secret'],
    ['a secret of a demo app', { demo: true }, 'app tutoring › secrets'],
    ['no keys for private_key_jwt', { token_endpoint_auth_method: 'private_key_jwt' }, 'app tutoring › jwks_uri'],
    [
      'a tile in one language',
      { tile: { order: 1, sentence: { en: 'Learn.' } } },
      'app tutoring › tile › sentence › es',
    ],
    ['a misspelt field', { redirect_uri: 'https://t.example.org/' }, 'redirect_uri'],
  ];
  it.each(wrong)('refuses %s, and says where', (_, change, place) => {
    const found = problems([{ ...app, ...change }]);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(place);
    expect(found[0]?.length).toBeGreaterThan(place.length + 5);
  });

  it.each([
    ['redirect_uris › 0', { redirect_uris: ['http://tutoring.example.org/callback'] }],
    ['initiate_login_uri', { initiate_login_uri: undefined }],
    ['initiate_login_uri', { initiate_login_uri: 'http://tutoring.example.org/login' }],
    ['backchannel_logout_uri', { backchannel_logout_uri: 'http://tutoring.example.org/logout' }],
    ['jwks_uri', { jwks_uri: 'http://tutoring.example.org/jwks' }],
    ['client_uri', { client_uri: 'http://tutoring.example.org/' }],
    ['logo_uri', { logo_uri: 'http://tutoring.example.org/logo.png' }],
    ['post_logout_redirect_uris › 0', { post_logout_redirect_uris: ['http://tutoring.example.org/'] }],
  ])('refuses in production alone: %s', (place, change) => {
    expect(problems([{ ...app, ...change }])).toEqual([]);
    expect(problems([{ ...app, ...change }], production)[0]).toContain(`app tutoring › ${place}`);
  });

  it('names every problem of every app at once, one without an id by its number', () => {
    const found = problems([
      { ...app, scope: 'x', party: 'friend' },
      { client_name: 'Nameless' },
      { ...app, client_id: 'bus', secrets: undefined },
    ]);
    expect(found.filter((line) => line.startsWith('app tutoring ›'))).toHaveLength(3);
    expect(found.some((line) => line.startsWith('app number 2 › client_id'))).toBe(true);
    expect(found.some((line) => line.startsWith('app bus › secrets'))).toBe(true);
  });

  it('refuses an app that stands twice, and a demo app where there may be none', () => {
    expect(problems([app, app])).toEqual(['app tutoring: stands twice in the file']);
    const demo = { ...app, secrets: undefined, demo: true };
    expect(problems([demo])).toEqual([]);
    expect(problems([demo], production)[0]).toContain('app tutoring: is a demo app');
  });

  it('refuses what is no such file', () => {
    expect(problems('{"clients": [')[0]).toContain('is not JSON');
    expect(problems('[]')[0]).toContain('clients.json');
    expect(problems('{}')[0]).toContain('clients');
    expect(problems('{"clients": [], "apps": []}')[0]).toContain('apps');
    expect(problems([null, 'x'])).toHaveLength(2);
    expect(() => readClientsFile(join(folder, 'nowhere.json'), anywhere)).toThrow(/nowhere\.json: cannot be read/);
  });

  it('secrets are compared by digest, several at once, until each ends', () => {
    const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex');
    const at = (moment: string) => () => new Date(moment);
    const registered = appSchema.parse({
      ...app,
      secrets: [
        { name: 'old', sha256: digest('the old secret'), expires_at: '2026-12-01T00:00:00Z' },
        { name: 'new', sha256: digest('the new secret') },
      ],
    });
    expect(matchingDigest(registered, 'the old secret', at('2026-11-30T23:59:59Z'))).toBe(digest('the old secret'));
    expect(matchingDigest(registered, 'the old secret', at('2026-12-01T00:00:00Z'))).toBeNull();
    expect(matchingDigest(registered, 'the new secret', at('2027-01-01T00:00:00Z'))).toBe(digest('the new secret'));
    expect(matchingDigest(registered, digest('the new secret'), at('2026-11-01T00:00:00Z'))).toBeNull();
    expect(matchingDigest(registered, '', at('2026-11-01T00:00:00Z'))).toBeNull();
  });

  it('the library is told no digest, and a placeholder of each process', () => {
    const [one, other] = [libraryMetadata(appSchema.parse(app)), libraryMetadata(appSchema.parse(app))];
    expect(JSON.stringify(one)).not.toContain(sha256);
    expect(one.client_secret).toHaveLength(43);
    expect(one.client_secret).not.toBe(other.client_secret);
    expect(one).not.toHaveProperty('party');
  });
});

describe.each(databases)('the registry of apps on %s', (kind) => {
  let db: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const opened = await freshDatabase(kind);
    db = opened.db;
    close = () => opened.close();
  });
  afterAll(() => close());

  it('adds, changes, disables what left the file, takes back what returns, and tells each once', async () => {
    const now = new Date('2026-11-20T18:00:00Z');
    const sync = (...apps: Array<Record<string, unknown>>) =>
      syncClients(
        db,
        apps.map((each) => appSchema.parse(each)),
        () => now,
        auditLog(() => now),
      );
    const nothing = { added: [], changed: [], returned: [], disabled: [] };
    const bus = { ...app, client_id: 'bus' };
    expect(await sync(app, bus)).toEqual({ ...nothing, added: ['tutoring', 'bus'] });
    expect(await sync(app, bus)).toEqual(nothing);
    expect(await sync({ ...app, client_name: 'Tutors' }, bus)).toEqual({ ...nothing, changed: ['tutoring'] });
    expect(await sync(bus)).toEqual({ ...nothing, disabled: ['tutoring'] });
    expect(await sync(bus)).toEqual(nothing);
    expect(await sync(app, bus)).toEqual({ ...nothing, returned: ['tutoring'] });
    const rows = await db.selectFrom('clients').select(['client_id', 'disabled_at']).orderBy('client_id').execute();
    expect(rows).toEqual([
      { client_id: 'bus', disabled_at: null },
      { client_id: 'tutoring', disabled_at: null },
    ]);
    const events = await db.selectFrom('audit_events').select(['kind', 'subject']).orderBy('id').execute();
    expect(events.map(({ kind: what, subject }) => `${what} ${subject}`)).toEqual([
      'client.added client:tutoring',
      'client.added client:bus',
      'client.changed client:tutoring',
      'client.disabled client:tutoring',
      'client.returned client:tutoring',
    ]);
  });
});
