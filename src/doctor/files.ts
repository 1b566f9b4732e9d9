import { constants, existsSync, readFileSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config.js';
import { allowsSamples, readFeeds } from '../foundation.js';
import { appSchema } from '../provider/app-registration.js';
import type { AppRegistration } from '../provider/app-registration.js';
import { ClientsFileError, readClientsFile } from '../provider/clients-file.js';
import { FeedsFileError } from '../sis/feeds-file.js';
import type { FeedsFile } from '../sis/feeds-file.js';
import { failed, ok, reasonOf, warning } from './check.js';
import type { Check } from './check.js';

/** Reads the apps. Where the file has problems, those apps that can be understood are checked all the same. */
export function readApps(config: Config): { apps: AppRegistration[]; checks: Check[] } {
  try {
    const apps = readClientsFile(config.clientsFile, { production: config.production, demos: allowsSamples(config) });
    return { apps, checks: [ok('clients file', `${apps.length} apps, all in order.`)] };
  } catch (error) {
    if (!(error instanceof ClientsFileError)) throw error;
    const repair = `Mend ${config.clientsFile} and run \`parent-access clients check\`.`;
    return {
      apps: understood(config.clientsFile),
      checks: error.problems.map((problem) => failed('clients file', `${oneLine(problem)}.`, repair)),
    };
  }
}

function understood(path: string): AppRegistration[] {
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as { clients?: unknown };
    const entries: unknown[] = Array.isArray(file.clients) ? file.clients : [];
    return entries.flatMap((entry) => {
      const parsed = appSchema.safeParse(entry);
      return parsed.success ? [parsed.data] : [];
    });
  } catch {
    return [];
  }
}

/** Reads the feeds file; null where it cannot be used. */
export async function readFeedsChecked(config: Config): Promise<{ feeds: FeedsFile | null; checks: Check[] }> {
  try {
    const feeds = await readFeeds(config);
    const names = feeds.feeds.map((feed) => feed.name).join(', ');
    return { feeds, checks: [ok('feeds file', names === '' ? 'No feeds.' : `In order: ${names}.`)] };
  } catch (error) {
    if (!(error instanceof FeedsFileError)) throw error;
    const checks = error.message
      .split('\n')
      .map((problem) => failed('feeds file', `${oneLine(problem)}.`, `Mend ${config.feedsFile}.`));
    return { feeds: null, checks };
  }
}

function oneLine(problem: string): string {
  return problem.replaceAll(/\s+/g, ' ').replace(/\.$/, '');
}

/** With less free space than this the database stops at a bad moment. */
const enoughBytes = 256 * 2 ** 20;

/** The data folder of the embedded database can be written and is not full. */
export async function dataFolder({ dataDir }: Config): Promise<Check> {
  const name = 'data folder';
  // A folder that is not there yet is made by the first start, where the one above it allows that.
  let place = dataDir;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    await access(place, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(place);
    if (bavail * bsize < enoughBytes) {
      return warning(name, `Less than 256 MB are free for DATA_DIR ${dataDir}.`, 'Make room on that disk.');
    }
    return ok(name, `${dataDir} can be written.`);
  } catch (error) {
    return failed(
      name,
      `DATA_DIR ${dataDir} cannot be written: ${reasonOf(error)}.`,
      'Give the folder to the user that runs the server, or set another DATA_DIR.',
    );
  }
}
