import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { failed, ok, warning } from './check.js';
import type { Check } from './check.js';

const repair = 'Set both machines by NTP (`timedatectl set-ntp true`).';

/** The clock of this machine and the database's agree: codes, sessions and tokens live by the first, jobs by the second. */
export async function clocks(db: Database, clock: Clock): Promise<Check> {
  const name = 'clock';
  const before = clock().getTime();
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const after = clock().getTime();
  const there = rows[0]?.now.getTime() ?? Number.NaN;
  // What the question itself took is no difference.
  const off = Math.max(0, before - there, there - after) / 1000;
  const found = `The clocks of this machine and of the database are ${off.toFixed(off < 10 ? 1 : 0)} seconds apart.`;
  if (off > 30) return failed(name, found, repair);
  return off > 2 ? warning(name, found, repair) : ok(name, 'The clocks of this machine and of the database agree.');
}
