import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** Which browser pressed a link, so that what it left ends with a sign-in or sign-out there; and claims are found by an index. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table account_requests add column claim_browser text`.execute(db);
  await sql`create index account_requests_claim on account_requests (claim_hash) where claim_hash is not null`.execute(
    db,
  );
  await sql`create index account_requests_claim_browser on account_requests (claim_browser)
    where claim_browser is not null and consumed_at is null and ended_at is null`.execute(db);
}
