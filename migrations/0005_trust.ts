import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** Where a session lives (whose computer it is), and what a person allowed which vendor. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table sessions add column device text not null default 'own'
      check (device in ('own', 'kept', 'shared'))`.execute(db);
  await sql`alter table fresh_proofs add column shared boolean not null default false`.execute(db);
  await sql`create index fresh_proofs_account on fresh_proofs (account_id) where consumed_at is null`.execute(db);
  // One row a person and app: what was allowed is named in full, so that a registration that grew is asked about again.
  await sql`
    create table consents (
      account_id uuid not null references accounts (id),
      client_id text not null,
      facts text[] not null,
      given_at timestamptz not null,
      revoked_at timestamptz,
      primary key (account_id, client_id)
    )`.execute(db);
}
