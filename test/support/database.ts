import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { migrate } from '../../src/database/migrate.js';
import { fromPool, openPostgres } from '../../src/database/postgres.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { oncePerRun } from './once-per-run.js';

export type DatabaseKind = OpenDatabase['kind'];

/** Both databases the product runs on: `describe.each(databases)('on %s', (kind) => …)`. */
export const databases: DatabaseKind[] = ['postgres', 'pglite'];

/**
 * For rules that are SQL alone and that another suite runs through both: the embedded database is PostgreSQL too, at three times the cost.
 * Imports, feeds of either format, registration and sign-in are on both; what hangs on connections and drivers always is.
 */
export const ruledDatabases: DatabaseKind[] = ['postgres'];

export interface FreshDatabase extends OpenDatabase {
  /** How another process or pool reaches it; null for PGlite, which belongs to this process. */
  url: string | null;
  /** Closes the pool and removes the database. */
  close(): Promise<void>;
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this runs under jest's global setup only.`);
  return value;
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function asAdministrator<T>(work: (client: pg.Client, url: string) => Promise<T>): Promise<T> {
  const url = fromEnvironment('TEST_DATABASE_URL');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client, url);
  } finally {
    await client.end();
  }
}

/** The run's template, migrated by whichever suite comes first; the others wait for it. */
async function postgresTemplate(client: pg.Client, url: string): Promise<string> {
  const run = fromEnvironment('TEST_RUN');
  const name = `${run}_template`;
  const unfinished = `${run}_unfinished`;
  await client.query('SELECT pg_advisory_lock(hashtext($1))', [name]);
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 1) return name;
    await client.query(`DROP DATABASE IF EXISTS "${unfinished}" WITH (FORCE)`);
    await client.query(`CREATE DATABASE "${unfinished}" ENCODING 'UTF8' TEMPLATE template0`);
    const opened = openPostgres(withDatabase(url, unfinished), { size: 1 });
    try {
      await migrate(opened.db);
    } finally {
      await opened.close();
    }
    await client.query(`ALTER DATABASE "${unfinished}" RENAME TO "${name}"`);
    return name;
  } finally {
    await client.query('SELECT pg_advisory_unlock(hashtext($1))', [name]);
  }
}

async function freshPostgres(): Promise<FreshDatabase> {
  const name = `${fromEnvironment('TEST_RUN')}_${randomBytes(5).toString('hex')}`;
  const url = await asAdministrator(async (client, server) => {
    const template = await postgresTemplate(client, server);
    await client.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"`);
    return withDatabase(server, name);
  });
  const opened = openPostgres(url);
  return {
    ...opened,
    url,
    async close() {
      await opened.close();
      await asAdministrator((client) => client.query(`DROP DATABASE "${name}" WITH (FORCE)`));
    },
  };
}

function open(lite: PGlite): OpenDatabase {
  const pool = new pg.Pool({ ...createPgConfig(lite), max: 1, connectionTimeoutMillis: 10_000 });
  return fromPool(pool, 'pglite', () => lite.close());
}

/** What every PGlite of a worker is made of: its program, the files it needs, and the run's migrated data as a tar file. */
interface Parts {
  program: WebAssembly.Module;
  files: Blob;
  data: Blob;
}

// Node's own store outlives a suite, whose modules and globals do not. A suite can only use a program that it compiled
// itself; as long as the first one is kept, V8 hands out the same code again, with all that it made better while it ran.
const partsKey = 'pglite of the tests';

/** A small cache: filling it takes longer than what a suite has to keep. */
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];

async function migratedData(parts: Omit<Parts, 'data'>): Promise<Blob> {
  const folder = join(fromEnvironment('TEST_RUN_FOLDER'), 'pglite');
  const tar = join(folder, 'data.tar');
  await oncePerRun(folder, async () => {
    const lite = await PGlite.create({ pgliteWasmModule: parts.program, fsBundle: parts.files, startParams });
    const opened = open(lite);
    await migrate(opened.db);
    const dump = await lite.dumpDataDir('none');
    await opened.close();
    writeFileSync(tar, Buffer.from(await dump.arrayBuffer()));
  });
  return new Blob([readFileSync(tar)]);
}

async function pgliteParts(): Promise<Parts> {
  const folder = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  const program = await WebAssembly.compile(readFileSync(join(folder, 'pglite.wasm')));
  const kept = getEnvironmentData(partsKey) as unknown as Parts | undefined;
  if (kept !== undefined) return { ...kept, program };
  const files = new Blob([readFileSync(join(folder, 'pglite.data'))]);
  const parts = { program, files, data: await migratedData({ program, files }) };
  setEnvironmentData(partsKey, parts);
  return parts;
}

/**
 * A migrated, empty database for one suite, removed by `close()`.
 *
 * @param kind real PostgreSQL unless told otherwise
 */
export async function freshDatabase(kind: DatabaseKind = 'postgres'): Promise<FreshDatabase> {
  if (kind === 'postgres') return freshPostgres();
  const { program, files, data } = await pgliteParts();
  const lite = await PGlite.create({ pgliteWasmModule: program, fsBundle: files, loadDataDir: data, startParams });
  const opened = open(lite);
  return { ...opened, url: null };
}
