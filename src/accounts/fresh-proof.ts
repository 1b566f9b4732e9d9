import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { newSecret, secretHash } from '../database/secrets.js';
import { after, values } from '../values.js';

/**
 * Writes that a browser has just shown whose it is.
 *
 * @returns the secret for that browser's cookie: single use, five minutes
 */
export async function leaveFreshProof(trx: Database, clock: Clock, accountId: string): Promise<string> {
  const secret = newSecret();
  await trx
    .insertInto('fresh_proofs')
    .values({
      id_hash: secretHash(secret),
      account_id: accountId,
      created_at: clock(),
      expires_at: after(clock(), values.freshProof),
    })
    .execute();
  return secret;
}

/**
 * Takes a fresh proof, once.
 *
 * @returns the account it proves, or null when it is unknown, used, or too old
 */
export async function takeFreshProof(db: Database, clock: Clock, secret: string): Promise<string | null> {
  const row = await db
    .updateTable('fresh_proofs')
    .set({ consumed_at: clock() })
    .where('id_hash', '=', secretHash(secret))
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', clock())
    .returning('account_id')
    .executeTakeFirst();
  return row?.account_id ?? null;
}
