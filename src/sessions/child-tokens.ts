import { sql } from 'kysely';
import type { Database } from '../database/database.js';

/**
 * Ends the access tokens with which children of these accounts could be fetched. Nobody is signed out, and an app's next token shows the
 * children that are left.
 */
export async function endChildTokens(trx: Database, accountIds: readonly string[]): Promise<void> {
  await sql`
    delete from artifacts where (kind, id_hash) in (
      select kind, id_hash from artifacts
      where kind = 'AccessToken' and account_id = any(${accountIds}::uuid[])
        and client_id in (select client_id from clients where reads_students)
      -- In the order in which a revocation takes them.
      order by kind, id_hash for update)`.execute(trx);
}
