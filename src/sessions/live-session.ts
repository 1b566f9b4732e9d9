import type { Database } from '../database/database.js';

/**
 * Whether a session still counts, for what its person is about to change. The account is held until the transaction ends: whoever
 * ends its sessions at this moment comes before or after, so that a request in flight undoes nothing.
 */
export async function holdLiveSession(
  trx: Database,
  { uid, accountId }: { uid: string; accountId: string },
): Promise<boolean> {
  const account = await trx
    .selectFrom('accounts')
    .select(['session_generation', 'disabled_at'])
    .where('id', '=', accountId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (account === undefined || account.disabled_at !== null) return false;
  const session = await trx
    .selectFrom('sessions')
    .select('uid')
    .where('uid', '=', uid)
    .where('account_id', '=', accountId)
    .where('revoked_at', 'is', null)
    .where('generation', '=', account.session_generation)
    .executeTakeFirst();
  return session !== undefined;
}
