import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const staged = `
  run_id uuid not null,
  -- The order in which the run read it; the line is that of its file, for people.
  row integer not null,
  line integer not null,
  problem text,
  -- What the row states: facts of a school come with any of them, or alone.
  states_student boolean not null default false,
  states_contact boolean not null default false,
  states_pair boolean not null default false,
  -- Said to be no more (deltas only): the pair, or the person with all pairs.
  gone boolean not null default false,
  -- False where the row says nothing about rights: what stood before stands.
  states_rights boolean not null default true,
  -- Which side names the other, where a format lets either: 1 the student, 2 the contact, 3 both.
  named_by smallint,
  -- A row of another file that this one's facts were joined with; they count as one.
  part_of integer,
  school_code text, school_name text,
  student_id text, student_given_name text, student_family_name text, student_email text,
  grade text, birth_date date, rights_retained_until date, confidential boolean,
  contact_id text, given_name text, family_name text, name_key text,
  relation text, relation_raw text, email_raw text, email text, email_problem text,
  phone1_raw text, phone1_e164 text, phone1_type text, phone2_raw text, phone2_e164 text, phone2_type text,
  language text, priority integer,
  is_emergency boolean, is_legal_guardian boolean, ed_rights boolean, lives_with boolean, pickup_ok boolean,
  portal_access boolean, restricted boolean,
  restriction_type text, restriction_type_raw text, restriction_start date, restriction_end date,
  start_date date, end_date date, last_modified timestamptz`;

const statements = [
  'drop table staged_rows',
  // Unlogged: what is staged is worth nothing after a crash, the file is read again. A held run waits for people, so it is logged.
  `create unlogged table staged_rows (${staged})`,
  'create index staged_rows_by_run on staged_rows (run_id, row)',
  `create table held_rows (${staged})`,
  'create index held_rows_by_run on held_rows (run_id)',
  'alter table feed_runs drop constraint feed_runs_state_check',
  `alter table feed_runs add constraint feed_runs_state_check check (state in
     ('running', 'applied', 'unchanged', 'held', 'discarded', 'superseded', 'rolled_back', 'refused', 'failed'))`,
  `alter table feed_runs
     add column no integer generated always as identity,
     add column kind text not null default 'bulk' check (kind in ('bulk', 'delta')),
     add column layout text,
     add column plan jsonb,
     add column plan_digest text,
     add column decided_by text,
     add column decided_at timestamptz,
     add column reason text,
     add column told_at timestamptz`,
  'create unique index feed_runs_no on feed_runs (no)',
  `create index feed_runs_held on feed_runs (feed) where state = 'held'`,
  // What a run found before it wrote, so that it can be rolled back; null for a row that it made.
  `create table feed_run_images (
     run_no integer not null,
     kind text not null check (kind in ('school', 'student', 'contact', 'relationship', 'restriction')),
     row_id uuid not null,
     before jsonb,
     primary key (run_no, kind, row_id)
   )`,
  'create index feed_run_images_by_row on feed_run_images (kind, row_id)',
  // Rows are compared by what they say, so that a SIS that touches its dates every night changes nothing.
  'alter table relationships drop column row_digest, add column named_by smallint',
  // Both phones as the feed wrote them, in one value that can be compared.
  'alter table contacts add column phones_stated text',
  'alter table feeds add column layout text',
  // A contact with its phones, as one image.
  `create function contact_image(c contacts) returns jsonb language sql stable as $$
     select to_jsonb(c) || jsonb_build_object('phones',
       (select coalesce(jsonb_agg(to_jsonb(n)), '[]') from contact_phones n where n.contact_id = c.id)) $$`,
];

/** Feeds at the size of a district: rows that state parts, runs that wait for a decision, and what was there before a run. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
