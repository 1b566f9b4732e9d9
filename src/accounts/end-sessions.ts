import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { holdLiveSession } from '../sessions/live-session.js';
import { revoke } from '../sessions/revoke.js';
import type { Revoked } from '../sessions/revoke.js';
import { endEverything } from './end-everything.js';
import { endFreshProofs } from './fresh-proof.js';
import { endRecoveries } from './requests.js';

/**
 * Ends sessions of an account at its owner's word.
 *
 * @param at the session from which it is said
 * @param which the uid of one session, `others`, or `all`
 * @returns what ended: nothing for a session that is over, or where the one at hand is over; null for one that this account never
 *   had
 */
export async function endSessions(
  db: Database,
  audit: RecordEvent,
  clock: Clock,
  at: { uid: string; accountId: string },
  which: string,
): Promise<Revoked | null> {
  const actor = `account:${at.accountId}`;
  return db.transaction().execute(async (trx) => {
    // Who was signed out in this very moment ends nobody else's session any more.
    if (!(await holdLiveSession(trx, at))) return { id: null, sessions: 0, grants: 0, deliveries: 0 };
    if (which === 'all' || which === 'others') {
      const all = { accountId: at.accountId, inSession: true, ...(which === 'others' ? { except: at.uid } : {}) };
      return endEverything(trx, audit, clock, all, 'signed-out-everywhere', actor);
    }
    const own = await trx
      .selectFrom('sessions')
      .select('uid')
      .where('uid', '=', which)
      .where('account_id', '=', at.accountId)
      .executeTakeFirst();
    if (own === undefined) return null;
    if (own.uid === at.uid) return revoke(trx, audit, clock, { session: own.uid }, 'signed-out', actor);
    const revoked = await revoke(trx, audit, clock, { session: own.uid }, 'signed-out-elsewhere', actor);
    // That browser cannot be told to forget what was begun in it: it ends here, before somebody there goes on with it.
    await endFreshProofs(trx, clock, at.accountId);
    await endRecoveries(trx, clock, at.accountId, true);
    return revoked;
  });
}
