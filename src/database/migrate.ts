import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import type { Database } from './database.js';

const folder = fileURLToPath(new URL('../../migrations', import.meta.url));

function migratorOn(db: Database): Migrator {
  return new Migrator({
    db,
    provider: new FileMigrationProvider({
      fs: { readdir: async (at) => (await fs.readdir(at)).filter((file) => /^\d{4}_.*\.[jt]s$/.test(file)) },
      path,
      migrationFolder: folder,
    }),
  });
}

/** Which migrations of this version the database lacks, and which it has that this version does not know. Applies none. */
export async function migrationState(db: Database): Promise<{ pending: string[]; unknown: string[] }> {
  const known = (await migratorOn(db).getMigrations()).map(({ name }) => name);
  const there = await sql<{ there: boolean }>`select to_regclass('kysely_migration') is not null as there`.execute(db);
  if (there.rows[0]?.there !== true) return { pending: known, unknown: [] };
  const applied = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const names = applied.rows.map(({ name }) => name);
  return {
    pending: known.filter((name) => !names.includes(name)),
    unknown: names.filter((name) => !known.includes(name)),
  };
}

/**
 * Brings the schema to the newest version: all pending migrations in one transaction, under an advisory lock, so that
 * instances that start together do it once.
 *
 * @returns the names of the migrations that were applied, oldest first
 */
export async function migrate(db: Database): Promise<string[]> {
  const { error, results = [] } = await migratorOn(db).migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error('The migration failed.', { cause: error });
  return results.map((result) => result.migrationName);
}
