import { endFreshProofs } from './accounts/fresh-proof.js';
import type { RecordEvent } from './audit/audit.js';
import type { Clock } from './database/clock.js';
import type { Database } from './database/database.js';
import type { EndSession } from './provider/configuration.js';
import { revoke } from './sessions/revoke.js';

/** @param tellApps lets what was ended be told to the apps at once */
export function sessionEnder(db: Database, audit: RecordEvent, clock: Clock, tellApps: () => void): EndSession {
  return async (target, because, accountId) => {
    const actor = accountId === undefined ? 'anonymous' : `account:${accountId}`;
    const { id } = await db.transaction().execute(async (trx) => {
      const revoked = await revoke(trx, audit, clock, target, because, actor);
      // Nor does a proof whose answer is on its way yet sign anybody in after.
      if (accountId !== undefined && !('app' in target || 'grant' in target))
        await endFreshProofs(trx, clock, accountId);
      return revoked;
    });
    tellApps();
    return id;
  };
}
