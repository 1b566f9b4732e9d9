import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { revoke } from './revoke.js';

const batch = 200;

/**
 * Revokes sessions that expired or idled out, like any other end (decision 7): a library computer leaves no app open. Instances
 * that do this at once take different ones.
 *
 * @returns how many sessions ended
 */
export async function expireSessions(db: Database, audit: RecordEvent, clock: Clock): Promise<number> {
  let ended = 0;
  for (;;) {
    const count = await db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ uid: string }>`
        select uid from sessions
        where revoked_at is null and account_id is not null and expires_at <= ${clock()}
        order by expires_at limit ${batch} for update skip locked`.execute(trx);
      if (rows.length === 0) return 0;
      const uids = rows.map((row) => row.uid);
      await revoke(trx, audit, clock, { sessions: uids }, 'expired', 'system');
      return uids.length;
    });
    ended += count;
    if (count < batch) return ended;
  }
}
