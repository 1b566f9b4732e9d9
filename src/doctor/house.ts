import type { Clock } from '../database/clock.js';
import type { OpenDatabase } from '../database/postgres.js';
import type { AppRegistration } from '../provider/app-registration.js';
import type { FeedsFile } from '../sis/feeds-file.js';
import { bounded, notChecked } from './check.js';
import type { Check } from './check.js';
import { clocks } from './clock.js';
import { auditTrigger, queues, reachable, rights, schema } from './database.js';
import { deliveryChecks } from './deliveries.js';
import { feedFreshness } from './feeds.js';
import { keys } from './keys.js';
import { endedSecrets } from './secrets.js';

/** What the checks of the database need: of the command line, or of the server that holds the embedded database. */
export interface HouseParts {
  database: OpenDatabase;
  clock: Clock;
  timeZone: string;
  /** Null where none is set and the data folder keeps none. */
  secretsKey: Uint8Array | null;
  /** Why the keys cannot be checked at all; null where they can. */
  secretsKeyProblem: string | null;
  /** Null where the feeds file cannot be used. */
  feeds: FeedsFile | null;
  /** Those of the clients file; none where it cannot be used. */
  apps: readonly AppRegistration[];
}

/** The database, the clock, the keys and how fresh the feeds are. */
export async function houseChecks(parts: HouseParts): Promise<Check[]> {
  const { clock, feeds, timeZone } = parts;
  const { db, kind } = parts.database;
  const restart = 'See what the database is busy with, or restart it.';
  const made = await bounded('database', restart, () => reachable(db, kind));
  const groups: Array<[name: string, make: () => Promise<Check | Check[]>]> = [
    ['database schema', () => schema(db)],
    ['database rights', () => rights(db)],
    ['audit log', () => auditTrigger(db)],
    ['job queues', () => queues(db)],
    ['clock', () => clocks(db, clock)],
    [
      'keys',
      async () =>
        parts.secretsKeyProblem === null
          ? keys(db, parts.secretsKey, clock)
          : notChecked('keys', parts.secretsKeyProblem),
    ],
    ['sign-outs', () => deliveryChecks(db, clock)],
    ['ended secrets', () => endedSecrets(db, parts.apps, clock)],
    [
      'feeds',
      async () =>
        feeds === null
          ? notChecked('feeds', 'the feeds file cannot be used')
          : feedFreshness(db, feeds, clock, timeZone),
    ],
  ];
  if (made.some((check) => check.name === 'database' && check.state === 'failed' && !check.found.includes('too old'))) {
    return [...made, ...groups.map(([name]) => notChecked(name, 'the database does not answer'))];
  }
  const rest = await Promise.all(
    groups.map(([name, make]) =>
      bounded(name, 'Repair what else is said of the database, then run `parent-access doctor` again.', make),
    ),
  );
  return [...made, ...rest.flat()];
}
