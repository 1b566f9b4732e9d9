import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const record = `
  run_id uuid not null,
  row integer not null,
  line integer not null,
  problem text`;

const dated = `${record},
  sourced_id text not null,
  gone boolean not null,
  modified timestamptz`;

/** Large sets are joined a share of the people at a time. */
const share = (id: string): string =>
  `share smallint not null generated always as ((hashtext(${id}) & 3)::smallint) stored`;

/** Records of a OneRoster set, as they stand in its files. Unlogged: after a crash the files are read again. */
const records = [
  `create unlogged table oneroster_people (${dated},
     key text,
     family text, relation text, role text, orgs text, primary_org text,
     given_name text not null, family_name text not null, name_key text not null,
     email_raw text, email text, email_problem text,
     phone1_raw text, phone1_e164 text, phone2_raw text, phone2_e164 text,
     grade text, agents text,
     births_told boolean not null, rights_told boolean not null,
     -- Another row of the file says more lately who this is.
     superseded boolean not null default false,
     ${share('sourced_id')}
   )`,
  `create unlogged table oneroster_roles (${dated},
     user_id text not null, family text not null, relation text, role text not null, is_primary boolean not null,
     org_id text, starts_on date, ends_on date,
     ${share('user_id')}
   )`,
  `create unlogged table oneroster_births (${dated}, birth_date date, ${share('sourced_id')})`,
  `create unlogged table oneroster_orgs (${dated}, name text not null, type text not null)`,
  `create unlogged table oneroster_rights (${record},
     student_id text not null, guardian_id text not null, ids_are_keys boolean not null,
     is_legal_guardian boolean, ed_rights boolean, portal_access boolean,
     restricted boolean, restriction_type text, restriction_type_raw text, restriction_start date, restriction_end date,
     ${share('student_id')}
   )`,
];

/** What joins them. A subject is a person of whom any file speaks; a link is one entry of one list; a pair is what its links come to. */
const work = [
  `create unlogged table oneroster_subjects (
     run_id uuid not null,
     sourced_id text not null,
     key text not null,
     -- The record as which the person is counted: that of users.csv, else the role or the birth date that came alone.
     row integer not null,
     line integer not null,
     user_row integer,
     -- Restated by an active row of users.csv, and with it the list of agents.
     restated boolean not null,
     is_contact boolean not null,
     is_student boolean not null,
     contact_gone boolean not null,
     student_gone boolean not null,
     relation text, role text, starts_on date, ends_on date,
     school_code text, school_name text,
     birth_date date, rights_retained_until date,
     rights_told boolean not null,
     has_role boolean not null,
     -- Whether a relationship can be made with this person: its facts are in this run, or the person stands already.
     contact_placed boolean not null,
     student_placed boolean not null,
     problem text,
     -- One subject per key speaks for it, where several ids lead to one key.
     leads boolean not null default true,
     ${share('sourced_id')}
   )`,
  `create unlogged table oneroster_links (
     run_id uuid not null,
     row integer not null,
     line integer not null,
     student_key text,
     contact_key text,
     -- Whose list it is: 1 the student's, 2 the contact's.
     side smallint,
     problem text
   )`,
  // The two people of a record of the sidecar.
  `create unlogged table oneroster_told (run_id uuid not null, row integer not null, student_key text, contact_key text)`,
  `create unlogged table oneroster_pairs (
     run_id uuid not null,
     student_key text not null,
     contact_key text not null,
     named_by smallint not null,
     relationship_id uuid,
     row integer,
     line integer,
     ${share('student_key')}
   )`,
];

const indexes = [
  ...['people', 'roles', 'births', 'orgs', 'rights'].map(
    (table) => `create index oneroster_${table}_by_row on oneroster_${table} (run_id, row)`,
  ),
  'create index oneroster_subjects_by_id on oneroster_subjects (run_id, sourced_id)',
  'create index oneroster_subjects_by_key on oneroster_subjects (run_id, key)',
  'create index oneroster_links_by_run on oneroster_links (run_id)',
  'create index oneroster_told_by_run on oneroster_told (run_id)',
  'create index oneroster_pairs_by_pair on oneroster_pairs (run_id, student_key, contact_key)',
];

/** Where the files of a OneRoster set wait to be joined. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...records, ...work, ...indexes]) await sql.raw(statement).execute(db);
}
