import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { after, values } from '../values.js';

const batch = 5_000;

/**
 * Removes what has expired, a batch at a time so that no lock is long, and never what somebody else is at. Hygiene only: expiry is checked wherever
 * something is read. Interactions stay 24 hours for the way back of who was late; tombstones as long as any cookie, and those of nobody not at all;
 * what the apps confirmed 30 days.
 *
 * @returns how many rows went
 */
export async function cleanSessions(db: Database, clock: Clock): Promise<number> {
  const now = clock();
  const late = after(now, -values.interactionKept);
  let removed = 0;
  for (const statement of [
    sql`delete from artifacts where (kind, id_hash) in (
          select kind, id_hash from artifacts
          where expires_at < ${now} and (kind <> 'Interaction' or expires_at < ${late}) limit ${batch} for update skip locked)`,
    sql`delete from sessions where uid in (
          select uid from sessions where expires_at < ${after(now, -values.keptSession)} limit ${batch} for update skip locked)`,
    // Nobody's, as whoever asks to sign out and is not signed in has one, end nothing that could come back.
    sql`delete from sessions where uid in (
          select uid from sessions where account_id is null and expires_at between ${late} and ${now} limit ${batch} for update skip locked)`,
    sql`delete from session_authorizations where (session_uid, client_id) in (
          select z.session_uid, z.client_id from session_authorizations z
          where z.created_at < ${after(now, -values.keptSession)}
            and not exists (select from sessions s where s.uid = z.session_uid) limit ${batch} for update skip locked)`,
    sql`delete from revocations where id in (
          select id from revocations where created_at < ${after(now, -values.deliveryKept)} limit ${batch})`,
  ]) {
    for (;;) {
      const { numAffectedRows = 0n } = await statement.execute(db);
      removed += Number(numAffectedRows);
      if (numAffectedRows < BigInt(batch)) break;
    }
  }
  return removed;
}
