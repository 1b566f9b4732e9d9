import { afterAll, beforeAll } from '@jest/globals';
import type { Database } from '../../src/database/database.js';
import { freshDatabase } from './database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import type { DatabaseKind } from './database.js';

/** Opens a fresh database before the tests of the suite that calls this, hands it over, and removes it after them. */
export function useDatabase(
  kind: DatabaseKind,
  take: (db: Database, opened: OpenDatabase) => void | Promise<void>,
): void {
  let close = async (): Promise<void> => {};
  beforeAll(async () => {
    const opened = await freshDatabase(kind);
    close = () => opened.close();
    await take(opened.db, opened);
  });
  afterAll(() => close());
}
