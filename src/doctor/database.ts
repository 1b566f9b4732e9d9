import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import { migrationState } from '../database/migrate.js';
import { failed, ok, reasonOf, warning } from './check.js';
import type { Check } from './check.js';

const oldest = 15;

/** The database answers, and is new enough. */
export async function reachable(db: Database, kind: 'postgres' | 'pglite'): Promise<Check> {
  const name = 'database';
  try {
    const { rows } = await sql<{
      version: number;
    }>`select current_setting('server_version_num')::int as version`.execute(db);
    const major = Math.floor((rows[0]?.version ?? 0) / 10_000);
    const called = kind === 'pglite' ? 'The embedded database' : 'PostgreSQL';
    return major < oldest
      ? failed(name, `PostgreSQL ${major} is too old.`, `Use a PostgreSQL ${oldest} or newer.`)
      : ok(name, `${called} answers, version ${major}.`);
  } catch (error) {
    const which = kind === 'pglite' ? 'The database in DATA_DIR' : 'The database of DATABASE_URL';
    const repair =
      kind === 'pglite'
        ? 'Restore the data folder from the last backup.'
        : 'Start the database, or correct address, user and password in DATABASE_URL.';
    return failed(name, `${which} does not answer: ${reasonOf(error)}.`, repair);
  }
}

/** The schema is the one of this version. Nothing is applied. */
export async function schema(db: Database): Promise<Check> {
  const name = 'database schema';
  const { pending, unknown } = await migrationState(db);
  if (pending.length > 0) {
    return failed(name, `Migrations are pending: ${pending.join(', ')}.`, 'Run `parent-access migrate`.');
  }
  return unknown.length > 0
    ? failed(
        name,
        `The database was migrated by a newer version: ${unknown.join(', ')}.`,
        'Run the version of Parent Access that made it, or a newer one.',
      )
    : ok(name, 'The schema is up to date.');
}

/** The tables of the migrator are written by `migrate` alone, and audit events are never changed. */
const exceptions: Record<string, string[]> = {
  kysely_migration: ['SELECT'],
  kysely_migration_lock: ['SELECT'],
  audit_events: ['SELECT', 'INSERT'],
};
const all = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** The user of the connection may do with every table what the server does with it. */
export async function rights(db: Database): Promise<Check> {
  const name = 'database rights';
  const { rows } = await sql<{ place: string; name: string; view: boolean; usage: boolean; held: string[] }>`
    select n.nspname as place, c.relname as name, c.relkind = 'v' as view,
      has_schema_privilege(n.oid, 'USAGE') as usage,
      array(select r from unnest(${all}::text[]) r where has_table_privilege(c.oid, r)) as held
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v') and n.nspname in (current_schema(), 'jobs')
    order by 1, 2`.execute(db);
  const missing = rows.flatMap((row) => {
    const needed = row.view ? ['SELECT'] : (exceptions[row.name] ?? all);
    const lacks = needed.filter((right) => !row.held.includes(right));
    if (!row.usage) return [`USAGE on schema ${row.place}`];
    const table = row.place === 'jobs' ? `jobs.${row.name}` : row.name;
    return lacks.length === 0 ? [] : [`${lacks.join(', ')} on ${table}`];
  });
  if (missing.length === 0) return ok(name, `Every right on ${rows.length} tables and views is there.`);
  const different = [...new Set(missing)];
  const more = different.length > 5 ? ` and ${different.length - 5} more` : '';
  return failed(
    name,
    `The user of DATABASE_URL lacks ${different.slice(0, 5).join('; ')}${more}.`,
    'As the owner of the tables, GRANT these to the user of DATABASE_URL.',
  );
}

/** Nobody can change or remove what the audit log holds. */
export async function auditTrigger(db: Database): Promise<Check> {
  const name = 'audit log';
  const { rows } = await sql<{ enabled: string }>`
    select tgenabled::text as enabled from pg_trigger
    where tgrelid = to_regclass('audit_events') and tgname = 'audit_events_append_only'`.execute(db);
  const [trigger] = rows;
  if (trigger === undefined) {
    return failed(
      name,
      'The trigger that makes audit_events append-only is missing.',
      'Find out who removed it, and create it again as migrations/0004_house.ts does.',
    );
  }
  return trigger.enabled === 'O' || trigger.enabled === 'A'
    ? ok(name, 'Audit events are append-only.')
    : failed(
        name,
        'The trigger that makes audit_events append-only is switched off.',
        'Find out who did it, and run `ALTER TABLE audit_events ENABLE TRIGGER audit_events_append_only`.',
      );
}

/** Jobs that should have been taken up long ago: letters that parents wait for. */
export async function queues(db: Database): Promise<Check> {
  const name = 'job queues';
  const { rows: tables } = await sql<{ there: boolean }>`select to_regclass('jobs.job') is not null as there`.execute(
    db,
  );
  if (tables[0]?.there !== true) {
    return warning(
      name,
      'The tables of the job queues are not there yet.',
      'Run `parent-access migrate`, or start the server once.',
    );
  }
  const { rows } = await sql<{ name: string; late: number }>`
    select name, count(*)::int as late from jobs.job
    where state in ('created', 'retry') and start_after < clock_timestamp() - interval '15 minutes'
      and name not like '\\_\\_%'
    group by name order by name`.execute(db);
  return rows.length === 0
    ? ok(name, 'No job waits longer than it should.')
    : warning(
        name,
        `Jobs wait for more than 15 minutes: ${rows.map((row) => `${row.late} of ${row.name}`).join(', ')}.`,
        'See that a server runs on this database, and look into its log for "jobs: failed".',
      );
}
