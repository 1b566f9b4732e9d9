import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  // A sign-in counts under the generation in which it was proved. A counter needs no clock that two instances agree on.
  `alter table accounts
     add column session_generation integer not null default 0,
     add column disabled_as text check (disabled_as in ('suspended', 'closed')),
     add column disabled_reason text`,
  `update accounts set disabled_as = 'suspended' where disabled_at is not null`,
  `alter table accounts add check ((disabled_at is null) = (disabled_as is null))`,
  `alter table sessions
     add column generation integer not null default 0,
     add column signed_in_at timestamptz,
     add column browser text`,
  'create index sessions_live on sessions (expires_at) where revoked_at is null and account_id is not null',
  'create index sessions_ended on sessions (account_id, revoked_at) where revoked_at is not null',
  'create index session_authorizations_client on session_authorizations (client_id)',
  // Where each app hears of an end: kept here, because an app that left the file is told as well.
  `alter table clients
     add column backchannel_logout_uri text,
     add column logout_alg text not null default 'ES256',
     add column sector text,
     add column reads_students boolean not null default false`,
  `create table revocations (
     id uuid primary key,
     because text not null,
     actor text not null,
     account_id uuid references accounts (id),
     created_at timestamptz not null
   )`,
  'create index revocations_account on revocations (account_id, created_at) where account_id is not null',
  'create index revocations_age on revocations (created_at)',
  `create table deliveries (
     id uuid primary key default gen_random_uuid(),
     revocation_id uuid not null references revocations (id) on delete cascade,
     client_id text not null references clients (client_id),
     account_id uuid not null references accounts (id),
     session_uid text not null,
     sid text not null,
     state text not null check (state in ('waiting', 'confirmed', 'refused', 'given-up', 'unreachable')),
     tries integer not null default 0,
     created_at timestamptz not null,
     next_try_at timestamptz not null,
     settled_at timestamptz,
     unique (revocation_id, session_uid, client_id)
   )`,
  `create index deliveries_due on deliveries (client_id, next_try_at) where state = 'waiting'`,
  `create index deliveries_open on deliveries (created_at) where state in ('waiting', 'refused', 'given-up')`,
  'create index deliveries_account on deliveries (account_id, created_at)',
  'create index deliveries_client on deliveries (client_id, created_at)',
  `create table delivery_tries (
     delivery_id uuid not null references deliveries (id) on delete cascade,
     number integer not null,
     tried_at timestamptz not null,
     status integer,
     milliseconds integer,
     words text,
     primary key (delivery_id, number)
   )`,
  // Restrictions and holds are told to the apps once, on the day they come into force.
  'alter table restrictions add column told_at timestamptz',
  'alter table relationship_holds add column told_at timestamptz',
  'update restrictions set told_at = imposed_at where starts_on is null or starts_on <= current_date',
  'update relationship_holds set told_at = placed_at',
  'create index restrictions_untold on restrictions (id) where told_at is null and lifted_at is null',
  'create index relationship_holds_untold on relationship_holds (id) where told_at is null and decided_at is null',
];

/** Ends that reach every app: what was ended and why, what is to be told to whom, and each try. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
