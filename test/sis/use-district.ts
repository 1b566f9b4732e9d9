import { beforeEach } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import type { FeedsFile } from '../../src/sis/feeds-file.js';
import type { DatabaseKind } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { district, everything } from './extract.js';
import type { District } from './extract.js';

/**
 * Gives every test of the suite that calls this a district of its own, on one database that is emptied in between.
 *
 * @param prepare what is done once, before the first
 */
export function useDistrict(
  kind: DatabaseKind,
  take: (scene: { db: Database; opened: OpenDatabase; town: District }) => void,
  { file, prepare }: { file?: FeedsFile; prepare?: (db: Database) => Promise<void> } = {},
): void {
  let opened: OpenDatabase;
  useDatabase(kind, async (db, whole) => {
    opened = whole;
    await prepare?.(db);
  });
  beforeEach(async () => {
    const { db } = opened;
    for (const table of everything) await sql`delete from ${sql.table(table)}`.execute(db);
    take({ db, opened, town: await district(opened, file) });
  });
}
