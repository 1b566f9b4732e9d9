import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';

/** Whose sessions end: one session, or every session of an account (but perhaps the one at hand). */
export type Target = { session: string } | { account: string; except?: string };

/** What a revocation reached. */
export interface Revoked {
  sessions: number;
  grants: number;
}

/**
 * Ends sessions with all they opened, in the caller's transaction: the session is marked, so that no save of a request
 * in flight revives it; its cookie, its grants, and their codes and tokens are gone.
 *
 * @param because a word for the audit: `password-changed`, `recovered`, `signed-out`, `switched`
 */
export async function revoke(
  trx: Database,
  audit: RecordEvent,
  clock: Clock,
  target: Target,
  because: string,
  actor: string,
): Promise<Revoked> {
  const ended = await trx
    .updateTable('sessions')
    .set({ revoked_at: clock(), revoked_because: because })
    .where('revoked_at', 'is', null)
    .$if('session' in target, (query) => query.where('uid', '=', 'session' in target ? target.session : ''))
    .$if('account' in target, (query) => query.where('account_id', '=', 'account' in target ? target.account : ''))
    .$if('except' in target, (query) => query.where('uid', '<>', 'except' in target ? (target.except ?? '') : ''))
    .returning('uid')
    .execute();
  // Whatever is on its way for this account and began before now is dead on arrival.
  if ('account' in target && target.except === undefined) {
    await trx.updateTable('accounts').set({ sessions_not_before: clock() }).where('id', '=', target.account).execute();
  }
  // A sign-in that was accepted with the old password, and waits to go on, is over as well.
  if ('account' in target) {
    await trx
      .updateTable('artifacts')
      .set({ consumed_at: clock() })
      .where('kind', '=', 'Interaction')
      .where('account_id', '=', target.account)
      .where('consumed_at', 'is', null)
      .execute();
  }
  const uids = ended.map((row) => row.uid);
  const authorizations = await trx
    .deleteFrom('session_authorizations')
    .where('session_uid', '=', sql<string>`any(${uids}::text[])`)
    .returning('grant_id')
    .execute();
  const grants = authorizations.map((row) => row.grant_id);
  await endGrants(trx, clock, grants);
  await trx
    .deleteFrom('artifacts')
    .where('kind', '=', 'Session')
    .where('uid', '=', sql<string>`any(${uids}::text[])`)
    .execute();
  await audit(trx, {
    kind: 'sessions.revoked',
    actor,
    subject: 'session' in target ? `session:${target.session}` : `account:${target.account}`,
    details: { because, sessions: uids.length, grants: grants.length },
  });
  return { sessions: uids.length, grants: grants.length };
}

/** Ends what grants opened, and the grants. A page that stands open is over too, but still tells which app its person came from. */
async function endGrants(trx: Database, clock: Clock, grants: string[]): Promise<void> {
  await trx
    .updateTable('artifacts')
    .set({ consumed_at: clock() })
    .where('grant_id', '=', sql<string>`any(${grants}::text[])`)
    .where('kind', '=', 'Interaction')
    .where('consumed_at', 'is', null)
    .execute();
  await trx
    .deleteFrom('artifacts')
    .where('grant_id', '=', sql<string>`any(${grants}::text[])`)
    .where('kind', '<>', 'Interaction')
    .execute();
  await trx
    .deleteFrom('artifacts')
    .where('kind', '=', 'Grant')
    .where('id_hash', '=', sql<string>`any(${grants}::text[])`)
    .execute();
}

/** Ends what one app holds of an account, in every session; the sessions go on. */
export async function revokeApp(trx: Database, clock: Clock, accountId: string, clientId: string): Promise<void> {
  const grants = await trx
    .selectFrom('artifacts')
    .select('id_hash')
    .where('kind', '=', 'Grant')
    .where('account_id', '=', accountId)
    .where('client_id', '=', clientId)
    .execute();
  const ids = grants.map((row) => row.id_hash);
  await trx
    .deleteFrom('session_authorizations')
    .where('grant_id', '=', sql<string>`any(${ids}::text[])`)
    .execute();
  await endGrants(trx, clock, ids);
}
