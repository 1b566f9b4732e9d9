import { sql } from 'kysely';
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounts (
      id uuid primary key default gen_random_uuid(),
      email text not null,
      email_proven_at timestamptz not null,
      sign_in_name text unique check (sign_in_name ~ '^[a-z0-9.-]{4,30}$'),
      recovery_code_hash text,
      password_hash text not null,
      password_changed_at timestamptz not null,
      given_name text not null,
      family_name text not null,
      locale text not null,
      terms_version text,
      terms_accepted_at timestamptz,
      sessions_not_before timestamptz,
      disabled_at timestamptz,
      created_at timestamptz not null
    )`.execute(db);
  // One account signs in by the mailbox; who shares it and came later has a sign-in name instead.
  await sql`create unique index accounts_email_login on accounts (email) where sign_in_name is null`.execute(db);
  await sql`create index accounts_email on accounts (email)`.execute(db);

  await sql`
    create table account_requests (
      id uuid primary key default gen_random_uuid(),
      kind text not null check (kind in ('registration', 'recovery', 'address')),
      browser_hash text not null,
      identifier text,
      phone text,
      locale text not null,
      client_id text,
      interaction_uid text,
      outcome text,
      contact_id uuid references contacts (id),
      account_id uuid references accounts (id),
      token_hash text,
      code_hash text,
      code_tries integer not null default 0,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      code_expires_at timestamptz not null,
      claimed_at timestamptz,
      claim_hash text,
      consumed_at timestamptz,
      ended_at timestamptz
    )`.execute(db);
  await sql`create unique index account_requests_token on account_requests (token_hash) where token_hash is not null`.execute(
    db,
  );
  await sql`create index account_requests_browser on account_requests (browser_hash, kind, created_at)`.execute(db);
  await sql`create index account_requests_contact on account_requests (contact_id, created_at) where contact_id is not null`.execute(
    db,
  );
  await sql`create index account_requests_expiry on account_requests (expires_at)`.execute(db);

  await sql`
    create table fresh_proofs (
      id_hash text primary key,
      account_id uuid not null references accounts (id),
      created_at timestamptz not null,
      expires_at timestamptz not null,
      consumed_at timestamptz
    )`.execute(db);
  await sql`create index fresh_proofs_expiry on fresh_proofs (expires_at)`.execute(db);

  // Each address that a school changed is asked about once.
  await sql`
    create table address_answers (
      account_id uuid not null references accounts (id),
      email text not null,
      used boolean not null,
      answered_at timestamptz not null,
      primary key (account_id, email)
    )`.execute(db);
  // When the person was told of a contact that joined by itself.
  await sql`alter table proven_contacts add column told_at timestamptz`.execute(db);

  await sql`
    create table letters_sent (
      id uuid primary key default gen_random_uuid(),
      kind text not null,
      address_hash text not null,
      sent_at timestamptz not null
    )`.execute(db);
  await sql`create index letters_sent_recent on letters_sent (kind, address_hash, sent_at)`.execute(db);
  await sql`create index letters_sent_budget on letters_sent (sent_at)`.execute(db);

  await sql`
    alter table proven_contacts
      add constraint proven_contacts_account foreign key (account_id) references accounts (id)`.execute(db);
  await sql`
    alter table join_proposals
      add constraint join_proposals_account foreign key (account_id) references accounts (id)`.execute(db);

  // The shape that rate-limiter-flexible reads and writes.
  await sql`
    create table throttles (
      key varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    )`.execute(db);
  await sql`create index throttles_expiry on throttles (expire)`.execute(db);
}
