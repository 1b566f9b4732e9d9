import { createHash, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLinkedApp } from '../../examples/linked-app/linked-app.js';
import type { LinkedApp } from '../../examples/linked-app/linked-app.js';
import { openHouse } from '../../src/app.js';
import { auditLog } from '../../src/audit/audit.js';
import type { House } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import type { Config } from '../../src/config.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { sealer } from '../../src/database/secrets.js';
import type { Desk } from '../../src/desk/desk.js';
import { runImport } from '../../src/imports.js';
import type { KeyParts } from '../../src/keys/states.js';
import { appSchema } from '../../src/provider/app-registration.js';
import type { AppRegistration } from '../../src/provider/app-registration.js';
import { syncClients } from '../../src/provider/client-registry.js';
import { syncFeeds } from '../../src/sis/feeds-file.js';
import type { Feed, FeedsFile } from '../../src/sis/feeds-file.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { RunReport } from '../../src/sis/runs.js';
import { makeLogger } from '../../src/telemetry/logger.js';
import { extract, feedsFile } from '../sis/extract.js';
import type { Row } from '../sis/extract.js';
import { severalHouses } from './balancer.js';
import { freshDatabase } from './database.js';
import type { DatabaseKind } from './database.js';
import { startMailbox } from './mailbox.js';
import type { Mailbox } from './mailbox.js';
import { keepLogged } from './run-log.js';

/** An app of a test: registered, and running as the example program where `run` is said. */
export interface TestApp {
  registration: Partial<AppRegistration> & { client_id: string; scope: string };
  run?: boolean;
}

export interface TestHouse {
  issuer: string;
  db: Database;
  pool: OpenDatabase['pool'];
  /** With which keys are changed, as the command line does beside the instances. */
  keys: KeyParts;
  /** What commands of the command line stand on here. */
  desk: Desk;
  mailbox: Mailbox;
  /** The secret of every registered app. */
  secret: string;
  apps: Map<string, AppRegistration>;
  running: Map<string, LinkedApp>;
  /** Moves the clock of the house on; the library's own expiry goes by the machine's. */
  advance(seconds: number): void;
  house: House;
  /** All instances, `house` first. */
  instances: readonly House[];
  /** Sends every request to one instance from now on; null to each in turn. */
  pin(instance: number | null): void;
  /** Every line that the house logged. */
  log: string[];
  load(sis: 'elementary' | 'secondary', rows: readonly Row[]): Promise<RunReport>;
  close(): Promise<void>;
}

export interface TestHouseOptions {
  kind?: DatabaseKind;
  elementary?: readonly Row[];
  secondary?: readonly Row[];
  apps?: readonly TestApp[];
  environment?: Record<string, string>;
  /** The rate of invitations; none are sent without. */
  invitations?: FeedsFile['invitations'];
  /** The folder into which the files of the elementary feed are dropped, which otherwise has one file. */
  inbox?: string;
  /** How many instances run on the one database, each request going to the next of them; one by default. */
  instances?: number;
}

/** Ports that were given in this suite: one that nobody listens on yet is not free for the next who asks. */
const given = new Set<number>();

/**
 * A port that is free now and stays so: below those that the system gives to outgoing connections, and in a range of this
 * worker's own.
 */
export async function freePort(): Promise<number> {
  const worker = Number(process.env['JEST_WORKER_ID'] ?? '1') % 4;
  for (let tries = 0; tries < 50; tries += 1) {
    const port = 12_000 + worker * 5_000 + randomInt(5_000);
    if (given.has(port)) continue;
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (!free) continue;
    given.add(port);
    return port;
  }
  throw new Error('no free port');
}

const secret = 'the-secret-of-every-app-of-the-tests';
const sha256 = createHash('sha256').update(secret).digest('hex');

function register({ registration }: TestApp, port: number): AppRegistration {
  const home = `http://localhost:${port}`;
  const usesSecret = (registration.token_endpoint_auth_method ?? 'client_secret_basic').startsWith('client_secret');
  return appSchema.parse({
    client_name: registration.client_id,
    redirect_uris: [`${home}/callback`],
    post_logout_redirect_uris: [`${home}/`],
    backchannel_logout_uri: `${home}/backchannel-logout`,
    initiate_login_uri: `${home}/login`,
    client_uri: `${home}/`,
    grant_types: ['authorization_code', 'refresh_token'],
    party: 'district',
    ...(usesSecret ? { secrets: [{ name: 'test', sha256 }] } : {}),
    ...registration,
  });
}

/** Two district apps, as most journeys need them. */
export const twoApps: readonly TestApp[] = [
  {
    registration: {
      client_id: 'echoices',
      client_name: 'eChoices',
      scope: 'openid profile email students offline_access',
      student_facts: ['name', 'school', 'grade'],
    },
    run: true,
  },
  {
    registration: {
      client_id: 'cafeteria',
      client_name: 'Cafeteria',
      scope: 'openid profile students offline_access',
      student_facts: ['name', 'meals'],
    },
    run: true,
  },
];

function dropped(feed: Feed, folder: string): Feed {
  return feed.name === 'elementary' ? { ...feed, place: { folder }, schedule: undefined } : feed;
}

/** The whole house on a fresh database, a real mail server, and real apps, all on loopback. */
export async function startTestHouse(options: TestHouseOptions = {}): Promise<TestHouse> {
  const count = options.instances ?? 1;
  const database = await freshDatabase(options.kind);
  const mailbox = await startMailbox();
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-test-'));
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const secretsKey = Buffer.alloc(32, 7);
  let offset = 0;
  const clock = (): Date => new Date(Date.now() + offset);
  const configure = (own: number): Config =>
    parseConfig({
      ISSUER: issuer,
      PORT: String(own),
      DATA_DIR: folder,
      MAIL_FROM: 'Parent Access <no-reply@example.org>',
      THROTTLE_SCALE: '1000',
      ...options.environment,
    });
  const config = configure(port);
  const log: string[] = [];
  // The logger that `serve` has, so that what the tests read is what would be written.
  const write = (line: string): void => {
    log.push(line);
    keepLogged(line);
  };
  const logger = makeLogger({ logLevel: 'debug' }, { write });
  const said = feedsFile();
  const feeds = {
    ...said,
    invitations: options.invitations,
    feeds: options.inbox === undefined ? said.feeds : said.feeds.map((feed) => dropped(feed, options.inbox ?? '')),
  };
  await syncFeeds(database.db, feeds, clock);

  const apps: AppRegistration[] = [];
  for (const app of options.apps ?? []) apps.push(register(app, await freePort()));
  await syncClients(database.db, apps, clock, auditLog(clock));
  const open = (own: OpenDatabase, at: Config): Promise<House> =>
    openHouse({
      config: at,
      clock,
      logger,
      database: own,
      importDatabase: own,
      secretsKey,
      apps,
      feeds,
      mailbox: null,
      smtpUrl: mailbox.url,
    });
  const several =
    count === 1 ? null : await severalHouses(count, port, database, (own, at) => open(own, configure(at)));
  const house = several?.houses[0] ?? (await open(database, config));
  const running = new Map<string, LinkedApp>();
  for (const [index, app] of apps.entries()) {
    if (options.apps?.[index]?.run !== true) continue;
    running.set(
      app.client_id,
      await startLinkedApp({
        name: app.client_name,
        clientId: app.client_id,
        clientSecret: secret,
        port: Number(new URL(app.redirect_uris[0] ?? '').port),
        issuer: config.issuer,
        scope: app.scope,
      }),
    );
  }
  const importing = bulkLoader(database);
  const parts = {
    db: database.db,
    load: importing,
    clock,
    timeZone: config.timeZone,
    dataDir: folder,
    feeds,
    audit: house.audit,
  };
  const load = async (sis: 'elementary' | 'secondary', rows: readonly Row[]): Promise<RunReport> => {
    writeFileSync(join(folder, `${sis}.csv`), extract(rows.map((cells) => ({ ...cells, sis }))));
    return runImport(parts, sis, 'test');
  };
  if (options.elementary !== undefined) await load('elementary', options.elementary);
  if (options.secondary !== undefined) await load('secondary', options.secondary);
  return {
    issuer: config.issuer,
    db: database.db,
    pool: database.pool,
    keys: { db: database.db, sealer: sealer(secretsKey), clock, audit: house.audit },
    desk: {
      config,
      db: database.db,
      clock,
      audit: house.audit,
      feeds: async () => feeds,
      load: importing,
      secretsKey,
      tellApps: house.tellApps,
      keysFollowed: async () => {
        for (const instance of several?.houses ?? [house]) await instance.lookAtKeys();
      },
    },
    mailbox,
    secret,
    apps: new Map(apps.map((app) => [app.client_id, app])),
    running,
    advance: (seconds) => {
      offset += seconds * 1000;
    },
    house,
    instances: several?.houses ?? [house],
    pin: (instance) => several?.balancer.pin(instance),
    log,
    load,
    async close() {
      for (const app of running.values()) await app.close();
      await (several ?? house).close();
      await mailbox.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
