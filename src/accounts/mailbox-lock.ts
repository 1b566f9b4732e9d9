import { sql } from 'kysely';
import type { Database } from '../database/database.js';

/**
 * Lets what happens to one mailbox happen one after the other, until the transaction ends: of two that count its letters
 * or make its account at once, the second sees what the first did.
 */
export async function lockMailbox(trx: Database, address: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`mailbox ${address}`}, 0))`.execute(trx);
}
