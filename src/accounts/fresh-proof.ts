import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { newSecret, secretHash } from '../database/secrets.js';
import { after, values } from '../values.js';

/**
 * Writes that a browser has just shown whose it is.
 *
 * @param at `shared`: whether that browser stands on a shared computer; `browser`: the digest of its own random name
 * @returns the secret for that browser's cookie: single use, five minutes
 */
export async function leaveFreshProof(
  trx: Database,
  clock: Clock,
  accountId: string,
  { shared, browser }: { shared: boolean; browser: string | null },
): Promise<string> {
  const secret = newSecret();
  await trx
    .insertInto('fresh_proofs')
    .values({
      id_hash: secretHash(secret),
      account_id: accountId,
      shared,
      browser,
      created_at: clock(),
      expires_at: after(clock(), values.freshProof),
    })
    .execute();
  return secret;
}

/** Ends every proof of an account that no login prompt took yet: a later change of the password outweighs them, and so does a sign-out. */
export async function endFreshProofs(trx: Database, clock: Clock, accountId: string): Promise<void> {
  await trx
    .updateTable('fresh_proofs')
    .set({ consumed_at: clock() })
    .where('account_id', '=', accountId)
    .where('consumed_at', 'is', null)
    .execute();
}

/**
 * Ends every proof that was left in a browser: whoever signs in or out there goes on to something else, and by the answer that the network
 * brings after them the next person would be signed in.
 *
 * @param names the browser's own random names
 */
export async function endProofsIn(db: Database, clock: Clock, names: readonly string[]): Promise<void> {
  await db
    .updateTable('fresh_proofs')
    .set({ consumed_at: clock() })
    .where('browser', 'in', names.map(secretHash))
    .where('consumed_at', 'is', null)
    .execute();
}

/** Whose browser it is. */
export interface FreshProof {
  accountId: string;
  shared: boolean;
  /** The account's generation as the proof was taken. */
  generation: number;
}

/**
 * Takes a fresh proof, once.
 *
 * @returns what it proves, or null when it is unknown, used, or too old
 */
export async function takeFreshProof(db: Database, clock: Clock, secret: string): Promise<FreshProof | null> {
  const row = await db
    .updateTable('fresh_proofs')
    .set({ consumed_at: clock() })
    .where('id_hash', '=', secretHash(secret))
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', clock())
    .returning((eb) => [
      'account_id',
      'shared',
      eb
        .selectFrom('accounts')
        .select('session_generation')
        .whereRef('accounts.id', '=', 'fresh_proofs.account_id')
        .as('generation'),
    ])
    .executeTakeFirst();
  if (row === undefined) return null;
  return { accountId: row.account_id, shared: row.shared, generation: row.generation ?? 0 };
}
