import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { newSecret, secretHash } from '../database/secrets.js';

/**
 * A new secret by which a browser may finish a request whose link or code was used in it.
 *
 * @param browser the browser's own random name, which it had before: by it the claim ends also where its answer is still on its way
 * @returns the secret for the browser's cookie, and what the database keeps of it
 */
export function newClaim(browser: string): { claim: string; kept: { claim_hash: string; claim_browser: string } } {
  const claim = newSecret();
  return { claim, kept: { claim_hash: secretHash(claim), claim_browser: secretHash(browser) } };
}

/**
 * Takes a claimed request, once, with a lock: of two tabs that finish at the same time one does.
 *
 * @returns whether this call was the one
 */
export async function consumeRequest(trx: Database, clock: Clock, id: string): Promise<boolean> {
  const result = await trx
    .updateTable('account_requests')
    .set({ consumed_at: clock(), identifier: null, phone: null })
    .where('id', '=', id)
    .where('consumed_at', 'is', null)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/**
 * Ends every request that was claimed in a browser and not finished: whoever signs in or out there goes on to something else, and what the
 * network brings after them would let the next person choose the password.
 *
 * @param names the browser's own random names
 */
export async function endClaims(db: Database, clock: Clock, names: readonly string[]): Promise<void> {
  await sql`update account_requests set ended_at = ${clock()}
    where claim_browser = any(${names.map(secretHash)}::text[]) and consumed_at is null and ended_at is null`.execute(
    db,
  );
}

/**
 * Forgets by which secret a browser finished a request: what is shown once more by it alone, as a recovery code is, is shown to nobody from
 * now on. The cookie may have been copied before, and going on takes it from the browser only.
 *
 * @param claim the secret in the browser's cookie
 */
export async function forgetFinished(db: Database, claim: string): Promise<void> {
  await db
    .updateTable('account_requests')
    .set({ claim_hash: null })
    .where('claim_hash', '=', secretHash(claim))
    .where('consumed_at', 'is not', null)
    .execute();
}
