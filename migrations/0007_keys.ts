import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** When keys change their state, and what is known of apps' secrets beside what their registration says. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table signing_keys
      add column became_current_at timestamptz,
      add column became_previous_at timestamptz`.execute(db);
  await sql`update signing_keys set became_current_at = created_at where state <> 'next'`.execute(db);
  await sql`create unique index signing_keys_next on signing_keys (use, alg) where state = 'next'`.execute(db);

  // By digest: a secret that was ended stays so under whatever name the file lists it again.
  await sql`
    create table client_secrets (
      client_id text not null,
      sha256 text not null,
      last_used_at timestamptz,
      ends_at timestamptz,
      primary key (client_id, sha256)
    )`.execute(db);
}
