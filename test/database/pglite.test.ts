import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openPglite } from '../../src/database/pglite.js';

describe('the embedded database', () => {
  it('is its owner’s alone, also in a folder that was there before and is open to all', async () => {
    const base = mkdtempSync(join(tmpdir(), 'parent-access-open-'));
    const folder = join(base, 'data');
    const before = process.umask(0);
    try {
      mkdirSync(folder);
      const database = await openPglite(folder);
      await database.close();
    } finally {
      process.umask(before);
    }
    expect(statSync(join(folder, 'database')).mode & 0o777).toBe(0o700);
    rmSync(base, { recursive: true, force: true });
  });
});
