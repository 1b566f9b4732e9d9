import { parseArgs } from 'node:util';
import { administer } from './administration.js';
import { auditLog } from './audit/audit.js';
import type { Config } from './config.js';
import { askToAdminister } from './control.js';
import { systemClock } from './database/clock.js';
import { folderHolder } from './database/folder-lock.js';
import { migrate } from './database/migrate.js';
import { openDatabase } from './foundation.js';

const options = {
  account: { type: 'string' },
  session: { type: 'string' },
  client: { type: 'string' },
  reason: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/**
 * Runs an operation of `src/administration.ts` from the command line: here, or in the server where it holds the embedded database.
 *
 * @param room `accounts`, `sessions`, `clients` or `deliveries`
 * @param args the verb and its options
 * @param out writes to the person at the terminal
 */
export async function administration(
  room: string,
  args: string[],
  config: Config,
  out: (text: string) => void,
): Promise<void> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const { json, ...asked } = values;
  const name = [room, ...positionals].join(' ');
  const answer = await doIt(config, name, asked);
  out(json === true ? JSON.stringify(answer) : inWords(name, answer));
}

async function doIt(config: Config, name: string, asked: object): Promise<unknown> {
  if (config.databaseUrl === null && folderHolder(config.dataDir) !== null) {
    return askToAdminister(config.dataDir, name, asked);
  }
  const database = await openDatabase(config);
  try {
    await migrate(database.db);
    const parts = { db: database.db, clock: systemClock, audit: auditLog(systemClock) };
    // As JSON, like an answer of the server.
    return JSON.parse(JSON.stringify(await administer(parts, name, asked)));
  } finally {
    await database.close();
  }
}

/** What is told where no JSON is asked for. */
function inWords(name: string, answer: unknown): string {
  if (Array.isArray(answer)) {
    if (answer.length === 0) return 'There are none.';
    return answer.map((row: Record<string, unknown>) => line(row)).join('\n');
  }
  return `${name}: done.\n${line(answer as Record<string, unknown>)}`;
}

function line(row: Record<string, unknown>): string {
  return Object.entries(row)
    .filter(([, value]) => value !== null)
    .map(([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('  ');
}
