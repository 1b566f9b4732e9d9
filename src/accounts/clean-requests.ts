import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { after, values } from '../values.js';

/** Forgets what was typed and what is over; hygiene, run by the clean-up job. */
export async function cleanRequests(db: Database, clock: Clock): Promise<void> {
  await sql`delete from account_requests where id in (
    select id from account_requests where expires_at < ${after(clock(), -values.interactionKept)} limit 5000)`.execute(
    db,
  );
  await sql`delete from fresh_proofs where expires_at < ${clock()}`.execute(db);
  await sql`delete from letters_sent where sent_at < ${after(clock(), -7 * 86_400)}`.execute(db);
  await sql`delete from throttles where expire < ${clock().getTime()}`.execute(db);
}
