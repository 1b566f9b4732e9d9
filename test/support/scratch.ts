import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes an empty folder, which goes with the run of the tests. @returns its path */
export function scratchFolder(): string {
  return mkdtempSync(join(process.env['TEST_RUN_FOLDER'] ?? tmpdir(), 'parent-access-scratch-'));
}
