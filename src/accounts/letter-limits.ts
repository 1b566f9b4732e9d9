import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { secretHash } from '../database/secrets.js';
import { after, values } from '../values.js';

const day = 86_400;

/**
 * Whether a letter that leads to no account may go out: once a day to an address, and under a budget for the whole
 * house, so that nobody can use us to flood mailboxes. Counts it when it may.
 */
export async function mayWrite(trx: Database, clock: Clock, kind: string, address: string): Promise<boolean> {
  const since = after(clock(), -day);
  const addressHash = secretHash(`letter:${address}`);
  const already = await trx
    .selectFrom('letters_sent')
    .select('id')
    .where('kind', '=', kind)
    .where('address_hash', '=', addressHash)
    .where('sent_at', '>', since)
    .executeTakeFirst();
  if (already !== undefined) return false;
  const { count } = await trx
    .selectFrom('letters_sent')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('sent_at', '>', since)
    .executeTakeFirstOrThrow();
  if (Number(count) >= values.unmatchedLettersADay) return false;
  await trx.insertInto('letters_sent').values({ kind, address_hash: addressHash, sent_at: clock() }).execute();
  return true;
}
