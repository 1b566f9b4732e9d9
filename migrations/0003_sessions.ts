import { sql } from 'kysely';
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sessions (
      uid text primary key,
      account_id uuid references accounts (id),
      created_at timestamptz not null,
      last_used_at timestamptz not null,
      expires_at timestamptz not null,
      revoked_at timestamptz,
      revoked_because text
    )`.execute(db);
  await sql`create index sessions_account on sessions (account_id) where revoked_at is null`.execute(db);
  await sql`create index sessions_expiry on sessions (expires_at)`.execute(db);

  // No reference to sessions: an authorization is written while its session is still on its way to the database.
  await sql`
    create table session_authorizations (
      session_uid text not null,
      client_id text not null,
      sid text not null,
      grant_id text not null,
      created_at timestamptz not null,
      primary key (session_uid, client_id)
    )`.execute(db);
  await sql`create index session_authorizations_grant on session_authorizations (grant_id)`.execute(db);

  await sql`
    create table artifacts (
      kind text not null,
      id_hash text not null,
      uid text,
      grant_id text,
      account_id uuid,
      client_id text,
      user_code text,
      payload jsonb not null,
      consumed_at timestamptz,
      expires_at timestamptz,
      primary key (kind, id_hash)
    )`.execute(db);
  await sql`create index artifacts_uid on artifacts (kind, uid) where uid is not null`.execute(db);
  await sql`create index artifacts_grant on artifacts (grant_id) where grant_id is not null`.execute(db);
  await sql`create index artifacts_account on artifacts (account_id) where account_id is not null`.execute(db);
  await sql`create index artifacts_user_code on artifacts (user_code) where user_code is not null`.execute(db);
  await sql`create index artifacts_expiry on artifacts (expires_at) where expires_at is not null`.execute(db);
}
