import { createHmac } from 'node:crypto';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { secretHash } from '../database/secrets.js';
import { after, values } from '../values.js';

// Letters and digits that are not mistaken for each other, read aloud or written down.
const codeAlphabet = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';

/**
 * The recovery code of the account that a registration makes: 4 × 4 of 31 signs, about 79 bits. It is made of the registration's
 * id, which is forgotten within days, so that it can be shown once more where its page was lost; the account keeps its digest alone.
 *
 * @param key SECRETS_KEY
 */
export function recoveryCodeOf(key: Uint8Array, requestId: string): string {
  let rest = BigInt(`0x${createHmac('sha256', key).update(`recovery code ${requestId}`).digest('hex')}`);
  const sign = (): string => {
    const index = Number(rest % BigInt(codeAlphabet.length));
    rest /= BigInt(codeAlphabet.length);
    return codeAlphabet.charAt(index);
  };
  const group = (): string => Array.from({ length: 4 }, sign).join('');
  return [group(), group(), group(), group()].join('-');
}

/** The digest of a recovery code, however it was typed. */
export function recoveryCodeHash(code: string): string {
  return secretHash(code.toUpperCase().replaceAll(/[^A-Z0-9]/g, ''));
}

/**
 * The recovery code of the account that this browser made within the hour: for the page that shows it, which a bad network may lose and
 * a phone may load anew.
 *
 * @param key SECRETS_KEY
 * @param claim what the browser finished the registration by; it is forgotten there as soon as its person goes on
 * @returns null where the account has no such code, or has another one
 */
export async function recoveryCodeOnceMore(
  db: Database,
  clock: Clock,
  key: Uint8Array,
  claim: string,
): Promise<{ code: string; interactionUid: string | null } | null> {
  const request = await db
    .selectFrom('account_requests')
    .select(['id', 'contact_id', 'interaction_uid'])
    .where('claim_hash', '=', secretHash(claim))
    .where('kind', '=', 'registration')
    .where('consumed_at', '>', after(clock(), -values.claim))
    .executeTakeFirst();
  if (request === undefined) return null;
  const code = recoveryCodeOf(key, request.id);
  const account = await db
    .selectFrom('proven_contacts')
    .innerJoin('accounts', 'accounts.id', 'proven_contacts.account_id')
    .select('accounts.id')
    .where('proven_contacts.contact_id', '=', request.contact_id)
    .where('accounts.recovery_code_hash', '=', recoveryCodeHash(code))
    .executeTakeFirst();
  return account === undefined ? null : { code, interactionUid: request.interaction_uid };
}
