import { parseArgs } from 'node:util';
import { machine } from '../faults/house.js';
import type { Finding } from '../faults/house.js';
import setup from '../test/support/postgres-server.js';
import { signInsDuringImports } from './sign-ins-during-imports.js';
import { sis } from './sis.js';

/*
 * `npm run bench [-- --only NAME] [-- --sizes 10000,100000]`: speed as ratios, measured side by side in one run on a real PostgreSQL.
 * Prints a table for docs/measurements.md; ends with 1 when a bar is missed.
 */
const all: Record<string, (sizes: number[]) => Promise<Finding[]>> = { sis, 'sis-sign-ins': signInsDuringImports };

const { values } = parseArgs({ options: { only: { type: 'string' }, sizes: { type: 'string' } } });
const sizes = (values.sizes ?? '10000,100000,1000000').split(',').map(Number);
await setup();
let missed = 0;
try {
  process.stdout.write(`${machine()}\n\n| what | bar | measured | |\n|---|---|---|---|\n`);
  for (const [name, run] of Object.entries(all)) {
    if (values.only !== undefined && values.only !== name) continue;
    for (const { name: what, bar, measured, holds } of await run(sizes)) {
      if (!holds) missed += 1;
      process.stdout.write(`| ${what} | ${bar} | ${measured} | ${holds ? 'holds' : 'MISSED'} |\n`);
    }
  }
} finally {
  await globalThis.endTestRun?.();
}
process.exit(missed === 0 ? 0 : 1);
