import type { Logger } from 'pino';
import { auditLog } from './audit/audit.js';
import type { Config } from './config.js';
import type { Clock } from './database/clock.js';
import { folderSecretsKey } from './database/data-folder.js';
import { migrate } from './database/migrate.js';
import type { OpenDatabase } from './database/postgres.js';
import { openPostgres } from './database/postgres.js';
import { withDemoSecrets } from './demo.js';
import type { ImportApart } from './import-apart.js';
import { startDevMailbox } from './mail/dev-mailbox.js';
import type { DevMailbox } from './mail/dev-mailbox.js';
import type { AppRegistration } from './provider/app-registration.js';
import { syncClients } from './provider/client-registry.js';
import { readClientsFile } from './provider/clients-file.js';
import { FeedsFileError, readFeedsFile, syncFeeds } from './sis/feeds-file.js';
import type { FeedsFile } from './sis/feeds-file.js';

/** What the house is built on. */
export interface Foundation {
  config: Config;
  clock: Clock;
  logger: Logger;
  database: OpenDatabase;
  /** The same with patience, for imports: long work on connections of its own, so that no request waits for one. */
  importDatabase: OpenDatabase;
  secretsKey: Uint8Array;
  /** As registered, the demo apps' digests filled in. */
  apps: AppRegistration[];
  feeds: FeedsFile;
  /** The mailbox of development; null where mail goes to SMTP_URL. */
  mailbox: DevMailbox | null;
  smtpUrl: string;
  /** Imports elsewhere than in this process; absent where they are done here. */
  importApart?: ImportApart;
}

/**
 * Opens the database that the configuration names: PostgreSQL, or the embedded one in the data folder.
 *
 * @param patient for long work: no statement is given up
 */
export async function openDatabase(config: Config, { patient = false } = {}): Promise<OpenDatabase> {
  if (config.databaseUrl !== null) return openPostgres(config.databaseUrl, patient ? { size: 3, patient } : {});
  // Loaded only where it is used: its start is the slowest part of ours.
  const { openPglite } = await import('./database/pglite.js');
  return openPglite(config.dataDir);
}

/** Whether demo apps and the sample district may exist: outside production, on a loopback issuer. */
export function allowsSamples(config: Config): boolean {
  return !config.production && config.loopback;
}

/** Reads the feeds, and refuses sample ones where they may not be. */
export async function readFeeds(config: Config): Promise<FeedsFile> {
  const feeds = await readFeedsFile(config.feedsFile);
  const sample = feeds.feeds.find((feed) => feed.sample);
  if (sample !== undefined && !allowsSamples(config)) {
    throw new FeedsFileError(
      `${config.feedsFile}: the feed ${sample.name} is a sample; samples exist only outside production, on a loopback issuer.`,
    );
  }
  return feeds;
}

/**
 * Lays what the house stands on: checks the files, opens and migrates the database, tells it the apps and feeds, and has
 * a mail server.
 *
 * @throws ClientsFileError, FeedsFileError, FolderInUse
 */
export async function layFoundation(config: Config, clock: Clock, logger: Logger): Promise<Foundation> {
  const registered = readClientsFile(config.clientsFile, {
    production: config.production,
    demos: allowsSamples(config),
  });
  const feeds = await readFeeds(config);
  const database = await openDatabase(config);
  try {
    await migrate(database.db);
    const apps = withDemoSecrets(registered, config.dataDir);
    const change = await syncClients(database.db, apps, clock, auditLog(clock));
    if (change.disabled.length > 0) logger.warn({ apps: change.disabled }, 'apps that left clients.json are disabled');
    const gone = await syncFeeds(database.db, feeds, clock);
    if (gone.length > 0) logger.warn({ feeds: gone }, 'feeds that left the feeds file are not loaded any more');
    const mailbox = config.smtpUrl === null ? await startDevMailbox() : null;
    return {
      config,
      clock,
      logger,
      database,
      importDatabase: database.kind === 'postgres' ? await openDatabase(config, { patient: true }) : database,
      secretsKey: config.secretsKey ?? folderSecretsKey(config.dataDir),
      apps,
      feeds,
      mailbox,
      smtpUrl: mailbox?.url ?? config.smtpUrl ?? '',
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
