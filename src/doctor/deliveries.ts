import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { after, values } from '../values.js';
import { ok, warning } from './check.js';
import type { Check } from './check.js';

/** Seconds after which a sign-out that an app has not confirmed is worth a look. */
const late = 300;

/** Apps hear of sign-outs, and confirm them: of the last day. */
export async function deliveryChecks(db: Database, clock: Clock): Promise<Check[]> {
  const now = clock();
  const { rows } = await sql<{ client_id: string; late: number; settled: number }>`
    select client_id, count(*) filter (where state = 'waiting' and created_at < ${after(now, -late)})::int as late,
      count(*) filter (where state in ('refused', 'given-up'))::int as settled
    from deliveries
    where state in ('waiting', 'refused', 'given-up') and created_at > ${after(now, -2 * values.deliveryTime)}
    group by client_id order by client_id`.execute(db);
  const behind = rows.filter((row) => row.late + row.settled > 0);
  if (behind.length === 0) return [ok('sign-outs', 'Every app confirmed what it was told, or was told moments ago.')];
  return behind.map((row) =>
    warning(
      `sign-outs of ${row.client_id}`,
      `The app has not confirmed ${row.late + row.settled} sign-outs of the last two days.`,
      `See what it says with \`parent-access clients health --client ${row.client_id}\`, tell its developers, then \`parent-access deliveries retry --client ${row.client_id}\`.`,
    ),
  );
}
