import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** What an HTTP server said of the file that was fetched last, so that it is not sent again while it is the same. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table feeds
      add column fetched_from text,
      add column fetched_digest text,
      add column fetched_etag text,
      add column fetched_modified text`.execute(db);
}
