import { sql } from 'kysely';
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table clients (
      client_id text primary key,
      name text not null,
      digest text not null,
      first_seen_at timestamptz not null,
      changed_at timestamptz not null,
      disabled_at timestamptz
    )`.execute(db);

  await sql`
    create table signing_keys (
      kid text primary key,
      use text not null check (use in ('sig', 'cookie', 'pairwise')),
      alg text not null,
      state text not null check (state in ('next', 'current', 'previous')),
      sealed text not null,
      created_at timestamptz not null
    )`.execute(db);
  await sql`create unique index signing_keys_current on signing_keys (use, alg) where state = 'current'`.execute(db);

  await sql`
    create table audit_events (
      id bigint generated always as identity primary key,
      occurred_at timestamptz not null,
      kind text not null,
      actor text not null,
      subject text,
      details jsonb not null
    )`.execute(db);
  await sql`create index audit_events_subject on audit_events (subject, occurred_at) where subject is not null`.execute(
    db,
  );
  await sql`
    create function audit_events_append_only() returns trigger language plpgsql as $$
      begin raise exception 'audit events are append-only'; end $$`.execute(db);
  await sql`
    create trigger audit_events_append_only before update or delete or truncate on audit_events
      for each statement execute function audit_events_append_only()`.execute(db);
}
