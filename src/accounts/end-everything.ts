import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { revoke } from '../sessions/revoke.js';
import type { Revoked } from '../sessions/revoke.js';
import { endFreshProofs } from './fresh-proof.js';
import { endRecoveries } from './requests.js';

/**
 * Ends all by which somebody is in an account or about to be, in the caller's transaction: its sessions with what they opened, what
 * a browser proved and no login prompt took yet, and recoveries under way.
 *
 * @param except the uid of a session that goes on
 * @param inSession as of `endRecoveries`
 * @param because as of `revoke`
 */
export async function endEverything(
  trx: Database,
  audit: RecordEvent,
  clock: Clock,
  { accountId, except, inSession = false }: { accountId: string; except?: string; inSession?: boolean },
  because: string,
  actor: string,
): Promise<Revoked> {
  // First, because it holds the account: whoever else ends or proves something of it waits here, and not in a ring.
  const target = { account: accountId, ...(except === undefined ? {} : { except }) };
  const revoked = await revoke(trx, audit, clock, target, because, actor);
  await endFreshProofs(trx, clock, accountId);
  await endRecoveries(trx, clock, accountId, inSession);
  return revoked;
}
