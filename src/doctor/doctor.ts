import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { askToDiagnose } from '../control.js';
import { systemClock } from '../database/clock.js';
import type { Clock } from '../database/clock.js';
import { keptSecretsKey } from '../database/data-folder.js';
import { folderHolder } from '../database/folder-lock.js';
import { openDatabase } from '../foundation.js';
import type { AppRegistration } from '../provider/app-registration.js';
import type { FeedsFile } from '../sis/feeds-file.js';
import { appChecks } from './apps.js';
import { bounded, failed, notChecked, reasonOf, warning } from './check.js';
import type { Check } from './check.js';
import { readConfiguration } from './configuration.js';
import type { ReadConfiguration } from './configuration.js';
import { feedPlaces } from './feeds.js';
import { dataFolder, readApps, readFeedsChecked } from './files.js';
import { houseChecks } from './house.js';
import { smtp } from './smtp.js';

/**
 * Looks at everything that a server on this environment stands on, changes nothing, and never throws: one broken thing
 * hides none of the others.
 */
export async function doctor(
  environment: Record<string, string | undefined>,
  clock: Clock = systemClock,
): Promise<Check[]> {
  const read = readConfiguration(environment);
  const { config, broken } = read;
  const { apps, checks: clients } = readApps(config);
  const { feeds, checks: feedsFile } = await readFeedsChecked(config);
  const embedded = config.databaseUrl === null && !broken.has('DATABASE_URL');
  const groups = await Promise.all([
    embedded && !broken.has('DATA_DIR') ? bounded('data folder', 'See to that disk.', () => dataFolder(config)) : [],
    house(read, feeds, apps, clock),
    broken.has('SMTP_URL')
      ? [notChecked('smtp', 'SMTP_URL is wrong')]
      : bounded('smtp', 'See what the mail server is busy with.', () => smtp(config)),
    appChecks(apps, clock),
    feeds === null ? [] : feedPlaces(feeds, config.dataDir),
  ]);
  return [...read.checks, ...clients, ...feedsFile, ...groups.flat()];
}

async function house(
  read: ReadConfiguration,
  feeds: FeedsFile | null,
  apps: readonly AppRegistration[],
  clock: Clock,
): Promise<Check[]> {
  const { config, broken } = read;
  for (const name of ['DATABASE_URL', 'DATA_DIR']) {
    if (broken.has(name)) return [notChecked('database', `${name} is wrong`)];
  }
  if (config.databaseUrl === null) {
    const holder = folderHolder(config.dataDir);
    if (holder !== null) return bounded('server', restart(holder), () => asked(config, holder), 60_000);
    if (!existsSync(join(config.dataDir, 'database', 'PG_VERSION'))) {
      return [warning('database', 'There is no embedded database yet.', 'Start the server once: it makes it.')];
    }
  }
  const secretsKeyProblem = broken.has('SECRETS_KEY') ? 'SECRETS_KEY is wrong' : null;
  const opening = openDatabase(config);
  const opened = await bounded('database', openRepair, async () => {
    await opening;
    return [];
  });
  if (opened.length > 0) {
    // One that opens after we lost patience is closed again, so that the folder is free for the server.
    opening.then((late) => late.close()).catch(() => {});
    return opened;
  }
  const database = await opening;
  try {
    return await houseChecks({
      database,
      clock,
      timeZone: config.timeZone,
      secretsKey: config.secretsKey ?? keptSecretsKey(config.dataDir),
      secretsKeyProblem,
      feeds,
      apps,
    });
  } finally {
    await bounded('closing', '', async () => {
      await database.close();
      return [];
    });
  }
}

const openRepair =
  'Run this as the user that runs the server; if the data folder does not open then, restore it from the last backup.';

function restart(holder: number): string {
  return `Look into the log of process ${holder}, and restart that server.`;
}

/** The embedded database belongs to the server that runs on the folder: it looks at it itself. */
async function asked(config: Config, holder: number): Promise<Check[]> {
  try {
    return await askToDiagnose(config.dataDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${reasonOf(error)}.`;
    return [failed('server', `The server that holds the data folder was asked. ${reason}`, restart(holder))];
  }
}
