import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { auditLog } from '../audit/audit.js';
import type { Config } from '../config.js';
import { askDesk } from '../control.js';
import { systemClock } from '../database/clock.js';
import { keptSecretsKey } from '../database/data-folder.js';
import { folderHolder } from '../database/folder-lock.js';
import { migrationState } from '../database/migrate.js';
import { openDatabase, readFeeds } from '../foundation.js';
import { bulkLoader } from '../sis/loader.js';
import { values } from '../values.js';
import { contactsCommand } from './contacts.js';
import { coverageCommand } from './coverage.js';
import { DeskRefused } from './desk.js';
import type { Desk, DeskCommand } from './desk.js';
import { holdsCommand } from './holds.js';
import { importCommand } from './imports.js';
import { invitationsCommand } from './invitations.js';
import { keysCommand } from './keys.js';
import { mailCommand } from './mail.js';
import { rightsCommand } from './rights.js';
import { roomCommand } from './rooms.js';
import { secretsCommand } from './secrets.js';

/** The commands that work on the database, by name; a map, because every object also has names that nobody gave it. */
export const deskCommands: ReadonlyMap<string, DeskCommand> = new Map([
  ['keys', keysCommand],
  ['secret', secretsCommand],
  ['coverage', coverageCommand],
  ['invitations', invitationsCommand],
  ['import', importCommand],
  ['holds', holdsCommand],
  ['contacts', contactsCommand],
  ['mail', mailCommand],
  ['rights', rightsCommand],
  ...['accounts', 'sessions', 'clients', 'deliveries'].map((room) => [room, roomCommand(room)] as const),
]);

/** What looks at every contact of a district; no request waits for it. */
const longWork: ReadonlySet<string> = new Set(['import', 'coverage', 'rights']);

/**
 * Runs a command here, or lets the server run it that holds the embedded database.
 *
 * @returns what to print
 * @throws DeskRefused, KeysRefused, or ControlRefused with the server's sentence
 */
export async function runAtDesk(
  config: Config,
  name: string,
  args: string[],
  onProgress?: Desk['onProgress'],
): Promise<string> {
  const command = deskCommands.get(name);
  if (command === undefined) throw new DeskRefused(`There is no command ${name}.`);
  if (config.databaseUrl === null) {
    if (folderHolder(config.dataDir) !== null) return askDesk(config.dataDir, name, args, onProgress);
    if (!existsSync(join(config.dataDir, 'database', 'PG_VERSION'))) {
      throw new DeskRefused('There is no database yet: the first start of a server makes it.');
    }
  }
  const database = await openDatabase(config, { patient: longWork.has(name) });
  try {
    if ((await migrationState(database.db)).pending.length > 0) {
      throw new DeskRefused('The database is of an earlier version: run `parent-access migrate` first.');
    }
    return await command(
      {
        config,
        clock: systemClock,
        db: database.db,
        audit: auditLog(systemClock),
        feeds: () => readFeeds(config),
        load: bulkLoader(database),
        ...(onProgress === undefined ? {} : { onProgress }),
        secretsKey: config.secretsKey ?? keptSecretsKey(config.dataDir),
        // Each server looks every few seconds; one more for its answer.
        tellApps: () => {},
        keysFollowed: () => pause((values.keysLookedAt + 1) * 1000),
      },
      args,
    );
  } finally {
    await database.close();
  }
}
