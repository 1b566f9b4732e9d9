import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from './database.js';
import type { Tables } from './tables.js';

/** An open database: the Kysely handle, the pool under it, and how to close both. */
export interface OpenDatabase {
  db: Database;
  pool: pg.Pool;
  kind: 'postgres' | 'pglite';
  close(): Promise<void>;
}

/**
 * Opens a pool on a PostgreSQL server. Every wait is bounded, so that a database that hangs turns into an
 * error within seconds and not into a queue: 3 s to connect, 30 s for a statement of the request path.
 *
 * @param url a `postgres://` connection string
 * @param size the most connections this process holds
 * @param patient for long work beside the request path: no statement is given up
 */
export function openPostgres(url: string, { size = 10, patient = false } = {}): OpenDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 30_000,
    ...(patient ? {} : { query_timeout: 30_000 }),
    keepAlive: true,
    application_name: 'parent-access',
  });
  return fromPool(pool, 'postgres', async () => {});
}

/**
 * Wraps a pool; a lost connection must not end the process. One that is idle is replaced by the pool; to one at work the loss comes as the
 * failure of its statement, and besides as an event that Node takes for a crash where nobody listens.
 */
export function fromPool(pool: pg.Pool, kind: OpenDatabase['kind'], closeEngine: () => Promise<void>): OpenDatabase {
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    db,
    pool,
    kind,
    async close() {
      await db.destroy();
      await closeEngine();
    },
  };
}
