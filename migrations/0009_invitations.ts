import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  // Mailboxes that wait for an invitation; each is judged again when its turn comes. The lot keeps the place in a crowd from telling anything.
  `create table invitation_queue (
     email text primary key,
     changed_at timestamptz not null,
     lot uuid not null default gen_random_uuid()
   )`,
  'create index invitation_queue_turn on invitation_queue (changed_at desc, lot)',
  // For which day and settings all contacts were last gone through, and after which address that goes on; null where it is done.
  `create table invitation_sweeps (
     only_one boolean primary key default true check (only_one),
     swept_for text not null,
     swept_at timestamptz not null,
     next_after text
   )`,
  // The runs whose changes were looked at.
  `create table invitation_runs (
     run_id uuid primary key,
     state text not null
   )`,
  `create table invitations (
     id uuid primary key default gen_random_uuid(),
     email text not null,
     language text,
     message_id text not null unique,
     queued_at timestamptz not null,
     -- Set before the letter goes to the mail server, so that a crash in between loses a letter and never doubles one.
     handed_at timestamptz,
     bounced_at timestamptz,
     -- An operator lifted the suppression after its bounce: the mailbox may be invited once more.
     lifted_at timestamptz
   )`,
  // Never twice to one mailbox, whatever races.
  'create unique index invitations_once on invitations (email) where lifted_at is null',
  'create index invitations_rate on invitations (queued_at)',
  `create index invitations_under_way on invitations (queued_at) where handed_at is null`,
  `create table mail_suppressions (
     id uuid primary key default gen_random_uuid(),
     email text not null unique,
     because text not null check (because in ('refused', 'reported')),
     suppressed_at timestamptz not null
   )`,
];

/** Who waits for an invitation, who got one, and which addresses get none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
