import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { lockFolder } from './folder-lock.js';
import { fromPool } from './postgres.js';
import type { OpenDatabase } from './postgres.js';

/**
 * Opens the embedded database in `folder/database`, for this process alone: PGlite takes no lock of its own, and two
 * processes on one folder would lose rows without a word.
 *
 * @throws FolderInUse when another process holds the folder
 */
export async function openPglite(folder: string): Promise<OpenDatabase> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(folder);
  try {
    const place = join(folder, 'database');
    // PGlite makes its files readable, and with a loose umask writable, for everybody; the folder may have been there before.
    mkdirSync(place, { recursive: true });
    chmodSync(place, 0o700);
    const lite = await PGlite.create(place, { relaxedDurability: false });
    const pool = new pg.Pool({ ...createPgConfig(lite), max: 1, connectionTimeoutMillis: 10_000 });
    return fromPool(pool, 'pglite', async () => {
      await lite.close();
      unlock();
    });
  } catch (error) {
    unlock();
    throw error;
  }
}
