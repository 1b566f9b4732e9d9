import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { revokeKey, suspect } from '../keys/revoke-key.js';
import type { Period, Suspect } from '../keys/revoke-key.js';
import type { KeyParts } from '../keys/states.js';
import { revoke } from '../sessions/revoke.js';
import { after, values } from '../values.js';

/*
 * Who stole a signing key may have made ID tokens for any app and anybody, and an app cannot tell them from ours: so every
 * session that it may have signed for ends with what it opened, and the apps are told; what an app still holds then is not
 * ours. Who stole a cookie key may have taken over sign-ins under way; and without it no browser can
 * show its session any more, which must not go on at the apps.
 *
 * A session counts by use, not by its beginning: one begun before the key did may have opened an app, or refreshed,
 * while it signed.
 */

/** Open sign-ins that were in use in a period. A use is written down once a minute, so one earlier counts as well. */
function inUse(db: Database, clock: Clock, { since, until }: Period) {
  return db
    .selectFrom('sessions')
    .where('revoked_at', 'is', null)
    .where('account_id', 'is not', null)
    .where('expires_at', '>', clock())
    .where('last_used_at', '>=', after(since, -values.sessionTouch))
    .$if(until !== null, (query) => query.where('created_at', '<=', until ?? clock()));
}

async function countSessions(db: Database, clock: Clock, period: Period | null): Promise<number> {
  if (period === null) return 0;
  const { count } = await inUse(db, clock, period)
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** Ends the sign-ins of a period with all they opened, in the caller's transaction. @returns how many */
async function endSessions(
  trx: Database,
  audit: RecordEvent,
  clock: Clock,
  period: Period,
  actor: string,
): Promise<number> {
  const found = await inUse(trx, clock, period).select('uid').execute();
  const uids = found.map(({ uid }) => uid);
  const { sessions } = await revoke(trx, audit, clock, { sessions: uids }, 'key-revoked', actor);
  return sessions;
}

/** What revoking a key would cost. */
export interface Cost extends Suspect {
  /** Sign-ins that end. */
  sessions: number;
}

/**
 * Looks what revoking a key would cost, and changes nothing.
 *
 * @throws KeysRefused where it cannot be revoked
 */
export async function costOfRevoking(db: Database, clock: Clock, kid: string): Promise<Cost> {
  const found = await suspect(db, kid, clock());
  return { ...found, sessions: await countSessions(db, clock, found.signed) };
}

/**
 * Revokes a stolen key and ends what it could have signed, in one transaction; then, where it signed until now, what
 * instances began with it in the seconds until they followed.
 *
 * @param followed resolves when every instance uses the new keys
 * @returns what it cost
 * @throws KeysRefused where it cannot be revoked; nothing has changed then
 */
export async function revokeStolenKey(
  parts: KeyParts,
  kid: string,
  actor: string,
  followed: () => Promise<void>,
): Promise<Cost> {
  const { db, clock, audit } = parts;
  const at = clock();
  const cost = await db.transaction().execute(async (trx) => {
    const found = await revokeKey(trx, parts, kid, actor);
    const sessions = found.signed === null ? 0 : await endSessions(trx, audit, clock, found.signed, actor);
    return { ...found, sessions };
  });
  await followed();
  if (cost.state !== 'current') return cost;
  const late = await db
    .transaction()
    .execute((trx) => endSessions(trx, audit, clock, { since: at, until: clock() }, actor));
  return { ...cost, sessions: cost.sessions + late };
}
