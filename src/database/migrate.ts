import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import type { Database } from './database.js';

const folder = fileURLToPath(new URL('../../migrations', import.meta.url));

/**
 * Brings the schema to the newest version: all pending migrations in one transaction, under an advisory lock, so that
 * instances that start together do it once.
 *
 * @returns the names of the migrations that were applied, oldest first
 */
export async function migrate(db: Database): Promise<string[]> {
  const migrator = new Migrator({
    db,
    provider: new FileMigrationProvider({
      fs: { readdir: async (at) => (await fs.readdir(at)).filter((file) => /^\d{4}_.*\.[jt]s$/.test(file)) },
      path,
      migrationFolder: folder,
    }),
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error('The migration failed.', { cause: error });
  return results.map((result) => result.migrationName);
}
