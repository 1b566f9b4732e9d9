import setup from '../test/support/postgres-server.js';
import { answerTimes } from './answer-times.js';
import { deliveriesKilled } from './deliveries-killed.js';
import { endsInFlight } from './ends-in-flight.js';
import { enumeration } from './enumeration.js';
import { feedsBrokenFiles } from './feeds-broken-files.js';
import { feedsBrokenOff } from './feeds-broken-off.js';
import { machine } from './house.js';
import type { Finding } from './house.js';
import { keyRotation } from './key-rotation.js';
import { badReceivers } from './receivers.js';
import { rollingRestart } from './rolling-restart.js';
import { signOutReach } from './sign-out-reach.js';
import { storm } from './storm.js';
import { terminate } from './terminate.js';

/*
 * `npm run faults [-- NAME …]`: what needs statistics, storms or long waits, on a real PostgreSQL and a real mail server.
 * Prints a table for docs/reliability.md; ends with 1 when a bar is missed.
 */
const all: Record<string, () => Promise<Finding[]>> = {
  enumeration,
  storm,
  'answer-times': answerTimes,
  'key-rotation': keyRotation,
  'deliveries-killed': deliveriesKilled,
  receivers: badReceivers,
  'sign-out-reach': signOutReach,
  'rolling-restart': rollingRestart,
  terminate,
  'ends-in-flight': endsInFlight,
  'feeds-broken-files': feedsBrokenFiles,
  'feeds-broken-off': feedsBrokenOff,
};

const wanted = process.argv.slice(2);
await setup();
let missed = 0;
try {
  process.stdout.write(`${machine()}\n\n| fault | must hold | measured | |\n|---|---|---|---|\n`);
  for (const [name, run] of Object.entries(all)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const { name: what, bar, measured, holds } of await run()) {
      if (!holds) missed += 1;
      process.stdout.write(`| ${what} | ${bar} | ${measured} | ${holds ? 'holds' : 'MISSED'} |\n`);
    }
  }
} finally {
  await globalThis.endTestRun?.();
}
process.exitCode = missed === 0 ? 0 : 1;
