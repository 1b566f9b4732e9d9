import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** In which browser somebody showed whose it is, so that what they left ends with a sign-in or sign-out there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table fresh_proofs add column browser text`.execute(db);
  await sql`create index fresh_proofs_browser on fresh_proofs (browser)
    where browser is not null and consumed_at is null`.execute(db);
}
