import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const feeds = [
  `create table feeds (
     name text primary key,
     sis text not null unique,
     label text not null,
     unknown_rights text not null check (unknown_rights in ('allow', 'deny')),
     schedule text,
     sample boolean not null default false,
     last_loaded_at timestamptz,
     removed_at timestamptz,
     running_run uuid,
     running_beat_at timestamptz
   )`,
  `create table feed_runs (
     id uuid primary key,
     feed text not null references feeds (name) on update cascade,
     actor text not null,
     started_at timestamptz not null,
     finished_at timestamptz,
     state text not null check (state in ('running', 'applied', 'unchanged', 'refused', 'failed')),
     digest text,
     counts jsonb not null default '{}',
     reasons jsonb not null default '{}',
     message text
   )`,
  'create index feed_runs_by_feed on feed_runs (feed, started_at desc)',
  // Unlogged: what is staged is worth nothing after a crash, the file is read again.
  `create unlogged table staged_rows (
     run_id uuid not null,
     line integer not null,
     problem text,
     school_code text, school_name text,
     student_id text not null, student_given_name text, student_family_name text, student_email text,
     grade text, birth_date date, rights_retained_until date, confidential boolean,
     contact_id text not null, given_name text, family_name text, name_key text,
     relation text, relation_raw text, email_raw text, email text, email_problem text,
     phone1_raw text, phone1_e164 text, phone1_type text, phone2_raw text, phone2_e164 text, phone2_type text,
     language text, priority integer,
     is_emergency boolean, is_legal_guardian boolean, ed_rights boolean, lives_with boolean, pickup_ok boolean,
     portal_access boolean, restricted boolean,
     restriction_type text, restriction_type_raw text, restriction_start date, restriction_end date,
     start_date date, end_date date, last_modified timestamptz,
     digest text not null,
     primary key (run_id, line)
   )`,
];

const people = [
  `create table schools (
     id uuid primary key default gen_random_uuid(),
     sis text not null references feeds (sis) on update cascade,
     code text not null,
     name text not null,
     unique (sis, code)
   )`,
  `create table students (
     id uuid primary key default gen_random_uuid(),
     sis text not null,
     sis_id text not null,
     given_name text not null,
     family_name text not null,
     email_normal text,
     grade text,
     birth_date date,
     rights_retained_until date,
     confidential boolean,
     school_id uuid not null references schools (id),
     current boolean not null default true,
     facts_loaded_at timestamptz not null,
     unique (sis, sis_id)
   )`,
  'create index students_by_email on students (email_normal) where email_normal is not null',
  'create index students_by_school on students (school_id)',
  `create table contacts (
     id uuid primary key default gen_random_uuid(),
     sis text not null,
     sis_id text not null,
     given_name text not null,
     family_name text not null,
     name_key text not null,
     language text,
     email_raw text,
     email text,
     email_problem text,
     email_loaded_at timestamptz,
     current boolean not null default true,
     last_modified timestamptz,
     facts_loaded_at timestamptz not null,
     unique (sis, sis_id)
   )`,
  'create index contacts_by_email on contacts (email) where email is not null',
  `create table contact_phones (
     contact_id uuid not null references contacts (id) on delete cascade,
     position smallint not null,
     raw text not null,
     e164 text,
     type text,
     loaded_at timestamptz not null,
     primary key (contact_id, position)
   )`,
  'create index contact_phones_by_number on contact_phones (e164) where e164 is not null',
];

const relationships = [
  `create table relationships (
     id uuid primary key default gen_random_uuid(),
     contact_id uuid not null references contacts (id),
     student_id uuid not null references students (id),
     relation text not null,
     relation_raw text not null,
     priority integer,
     is_emergency boolean, is_legal_guardian boolean, ed_rights boolean, lives_with boolean, pickup_ok boolean,
     portal_access boolean,
     start_date date,
     end_date date,
     ended_at timestamptz,
     end_reason text,
     last_modified timestamptz,
     facts_loaded_at timestamptz not null,
     row_digest text not null,
     unique (contact_id, student_id)
   )`,
  'create index relationships_by_student on relationships (student_id)',
  `create table restrictions (
     id uuid primary key default gen_random_uuid(),
     relationship_id uuid not null references relationships (id),
     type text not null,
     type_raw text not null,
     starts_on date,
     ends_on date,
     imposed_at timestamptz not null,
     lifted_at timestamptz
   )`,
  'create unique index restrictions_open on restrictions (relationship_id) where lifted_at is null',
  'create index restrictions_by_relationship on restrictions (relationship_id)',
  `create index restrictions_open_orders on restrictions (id) where lifted_at is null and type = 'protection_order'`,
  `create table relationship_holds (
     id uuid primary key default gen_random_uuid(),
     relationship_id uuid not null references relationships (id),
     cause_restriction_id uuid not null references restrictions (id),
     placed_at timestamptz not null,
     decided_at timestamptz,
     decision text,
     unique (relationship_id, cause_restriction_id)
   )`,
  'create index relationship_holds_by_cause on relationship_holds (cause_restriction_id)',
];

// The foreign keys to the accounts come with the migration that makes the accounts.
const proofs = [
  `create table proven_contacts (
     account_id uuid not null,
     contact_id uuid not null unique references contacts (id),
     proven_at timestamptz not null,
     how text not null,
     primary key (account_id, contact_id)
   )`,
  `create table join_proposals (
     id uuid primary key default gen_random_uuid(),
     account_id uuid not null,
     contact_id uuid not null references contacts (id),
     evidence jsonb not null,
     created_at timestamptz not null,
     decided_at timestamptz,
     decision text,
     unique (account_id, contact_id)
   )`,
  'create index join_proposals_by_contact on join_proposals (contact_id)',
];

/** What depends on today leaves these views as a column and is decided in src/families/entitlement.ts. */
const views = [
  `create view relationship_rights as
   select r.id as relationship_id, r.contact_id, r.student_id, f.name as feed, f.sis, r.relation,
     r.ended_at is null as active,
     r.start_date, r.end_date,
     r.ed_rights is not false and r.portal_access is not false
       and (r.ed_rights is true or r.is_legal_guardian is true
         or (f.unknown_rights = 'allow' and r.relation in ('parent', 'guardian', 'foster_parent'))) as has_right,
     r.ed_rights is not false and r.portal_access is not false
       and (r.ed_rights is true or r.is_legal_guardian is true) as explicit_right,
     r.ed_rights is true or (r.ed_rights is null and f.unknown_rights = 'allow') as records,
     r.pickup_ok,
     (select min(coalesce(x.starts_on, date '-infinity')) from restrictions x
       where x.relationship_id = r.id and x.lifted_at is null) as restricted_from,
     exists (select 1 from relationship_holds h
       where h.relationship_id = r.id and h.decided_at is null) as held,
     r.facts_loaded_at
   from relationships r join students s on s.id = r.student_id join feeds f on f.sis = s.sis`,
  // A child is closed to an account when any of its contacts is restricted for that child: one person may stand in a SIS twice.
  `create view entitlements as
   select * from (
     select p.account_id, rr.relationship_id, rr.contact_id, rr.student_id, rr.feed, rr.sis, rr.relation, rr.active,
       rr.start_date, rr.end_date, rr.has_right, rr.explicit_right, rr.records, rr.pickup_ok, rr.facts_loaded_at,
       min(rr.restricted_from) over child as restricted_from,
       bool_or(rr.held) over child as held
     from proven_contacts p join relationship_rights rr on rr.contact_id = p.contact_id
     window child as (partition by p.account_id, rr.student_id)
   ) seen where active and has_right and not held`,
];

/** Contacts, students, schools and their relationships, what feeds them, and the two views that say who may see whom. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...feeds, ...people, ...relationships, ...proofs, ...views]) {
    await sql.raw(statement).execute(db);
  }
}
