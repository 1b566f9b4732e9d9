import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import { secretHash } from '../database/secrets.js';

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

/**
 * Outdates every cookie of a session, in the caller's transaction: each is good until the browser shows the one that it gets for them, and
 * says nothing any more that only its owner may say. Whoever had a copy of one is quicker to say it than the browser to show that one.
 */
export async function outdateCookies(trx: Database, uid: string): Promise<void> {
  await sql`
    with held as materialized (
      select id_hash from artifacts where kind = 'Session' and uid = ${uid} order by id_hash for update
    )
    update artifacts a set payload = a.payload || '{"replaced": true, "outdated": true}' from held
    where a.kind = 'Session' and a.id_hash = held.id_hash`.execute(trx);
}

/** Whether a cookie id leads to its session and is not outdated. */
export async function isLasting(trx: Database, cookieId: string): Promise<boolean> {
  const { rows } = await sql`
    select from artifacts where kind = 'Session' and id_hash = ${secretHash(cookieId)} and not payload ? 'outdated'`.execute(
    trx,
  );
  return rows.length > 0;
}
