import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { SMTPServer } from 'smtp-server';
import { run } from '../../src/commands.js';
import { systemClock } from '../../src/database/clock.js';
import { sealer } from '../../src/database/secrets.js';
import type { Check } from '../../src/doctor/check.js';
import { migrateJobs } from '../../src/jobs/jobs.js';
import { ensureKeys } from '../../src/keys/keys.js';
import { parseFeedsFile, syncFeeds } from '../../src/sis/feeds-file.js';
import { freshDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/database.js';

type Environment = Record<string, string>;

/** What a run of `doctor` said. */
export interface Said {
  code: number;
  checks: Check[];
  err: string;
  /** The check of this name. @throws where there is none */
  of(name: string): Check;
}

/** Everything a server stands on, in order, for a test to break one thing of. */
export interface Scene {
  folder: string;
  database: FreshDatabase;
  environment: Environment;
  /** Where the app's server listens. */
  app: string;
  /** Passwords and keys: no output may hold one. */
  secrets: string[];
  /** Runs `doctor --json` in this process. */
  ask(changes?: Environment): Promise<Said>;
  /** Writes a clients file with one app that differs, and returns its path. */
  clients(changes: Record<string, unknown>): string;
  close(): Promise<void>;
}

const smtpPassword = 'mail pass/word';

async function listening(server: Server | SMTPServer['server']): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
}

/** A mail server that takes letters only from who signs in with the right password. */
async function mailServer(): Promise<{ url: string; close(): void }> {
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 50,
    onAuth({ username, password }, _session, done) {
      if (password === smtpPassword) done(null, { user: username });
      // A server that repeats what it was told must not make us repeat it.
      else done(new Error(`no ${String(username)} with ${String(password)}`));
    },
  });
  server.on('error', () => {});
  const port = await listening(server.server);
  return { url: `smtp://mailer:${encodeURIComponent(smtpPassword)}@127.0.0.1:${port}`, close: () => server.close() };
}

async function answers(base: () => string): Promise<Record<string, (response: ServerResponse) => void>> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const json = (value: unknown) => (response: ServerResponse) =>
    void response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
  const publicJwk = await exportJWK(publicKey);
  return {
    '/jwks': json({ keys: [publicJwk] }),
    '/none': json({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }, { kty: 'EC' }, null] }),
    '/private': json({ keys: [await exportJWK(privateKey)] }),
    '/list': json(['an', 'array']),
    '/null': json(null),
    '/sector': json([`${base()}/callback`]),
    '/text': (response) => void response.end('<html>'),
    '/big': json({ keys: [publicJwk], more: 'x'.repeat(1_100_000) }),
    '/500': (response) => void response.writeHead(500).end(),
    '/moved': (response) => void response.writeHead(302, { Location: '/jwks' }).end(),
  };
}

/** Sets the scene: PostgreSQL with keys and a loaded feed, a mail server with sign-in, and a linked app. */
export async function setScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-doctor-'));
  const database = await freshDatabase();
  await migrateJobs(database.pool, database.kind);
  const key = randomBytes(32);
  await ensureKeys(database.db, sealer(key), systemClock);

  const feeds = JSON.stringify({
    feeds: [
      {
        name: 'elementary',
        sis: 'elementary',
        format: 'district-extract',
        place: { file: 'elementary.csv' },
        schedule: '0 2 * * *',
        unknown_rights: 'deny',
      },
    ],
  });
  writeFileSync(join(folder, 'feeds.json'), feeds);
  writeFileSync(join(folder, 'elementary.csv'), '');
  await syncFeeds(database.db, parseFeedsFile(feeds, 'feeds.json'), systemClock);
  await database.db.updateTable('feeds').set({ last_loaded_at: new Date() }).execute();

  const routes: Record<string, (response: ServerResponse) => void> = {};
  const server = createServer((request, response) => {
    const answer = routes[request.url?.split('?')[0] ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else answer(response);
  });
  const app = `http://127.0.0.1:${await listening(server)}`;
  Object.assign(routes, await answers(() => app));
  const mail = await mailServer();

  let files = 0;
  const clients = (changes: Record<string, unknown>): string => {
    const path = join(folder, `clients-${(files += 1)}.json`);
    const bus = {
      client_id: 'bus',
      client_name: 'Bus',
      redirect_uris: [`${app}/callback`],
      scope: 'openid',
      party: 'district',
      jwks_uri: `${app}/jwks`,
      backchannel_logout_uri: `${app}/logout`,
      secrets: [{ name: 'one', sha256: createHash('sha256').update('x').digest('hex') }],
      ...changes,
    };
    writeFileSync(path, JSON.stringify({ clients: [bus] }));
    return path;
  };
  const environment = {
    DATABASE_URL: database.url ?? '',
    DATA_DIR: folder,
    CLIENTS_FILE: clients({}),
    FEEDS_FILE: join(folder, 'feeds.json'),
    SECRETS_KEY: key.toString('base64url'),
    SMTP_URL: mail.url,
  };
  const databasePassword = new URL(environment.DATABASE_URL).password;
  return {
    folder,
    database,
    environment,
    app,
    clients,
    secrets: [smtpPassword, encodeURIComponent(smtpPassword), databasePassword, environment.SECRETS_KEY],
    ask: (changes = {}) => ask({ ...environment, ...changes }),
    async close() {
      server.closeAllConnections();
      server.close();
      mail.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ask(environment: Environment): Promise<Said> {
  let out = '';
  let err = '';
  const terminal = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  const code = await run(['doctor', '--json'], environment, terminal);
  const checks = JSON.parse(out) as Check[];
  return {
    code,
    checks,
    err,
    of(name) {
      const found = checks.find((check) => check.name === name);
      if (found === undefined) throw new Error(`No check "${name}" in ${out}`);
      return found;
    },
  };
}
