import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  // Proven contacts that are to be put to the rule of joining again, because something about them or their likes changed.
  `create table joins_due (
     contact_id uuid primary key references contacts (id) on delete cascade
   )`,
  // When a run's changes were looked through for them.
  'alter table feed_runs add column joins_noted_at timestamptz',
  `create index feed_runs_joins on feed_runs (no) where joins_noted_at is null and state in ('applied', 'rolled_back')`,
  `alter table join_proposals
     add column proposed_by text not null default 'system',
     -- Why somebody proposed it by hand, and why somebody decided.
     add column proposed_reason text,
     add column decided_by text,
     add column reason text,
     -- Digests of what the contacts were when somebody said no: it is proposed anew only when one of them changes.
     add column seen jsonb`,
  'create index join_proposals_open on join_proposals (created_at, id) where decided_at is null',
  // Imports of before looked at nobody: each proven contact is put to the rule once.
  'update feed_runs set joins_noted_at = coalesce(finished_at, started_at)',
  'insert into joins_due (contact_id) select contact_id from proven_contacts',
];

/** What joins after an import, and who decided about the rest. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
