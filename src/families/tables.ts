import type { ColumnType, Generated } from 'kysely';

type Moment = ColumnType<Date, Date, Date>;
type OptionalMoment = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Json<T> = ColumnType<T, string, string>;
/** A calendar day. Read it as `column::text`: the driver would turn it into a moment of the machine's own time zone. */
type Day = ColumnType<Date | null, string | null | undefined, string | null>;
/** A flag of a SIS: yes, no, or unknown (null). */
type Flag = ColumnType<boolean | null, boolean | null | undefined, boolean | null>;
type Text = ColumnType<string | null, string | null | undefined, string | null>;

interface FeedsTable {
  name: string;
  sis: string;
  label: string;
  unknown_rights: 'allow' | 'deny';
  /** What becomes of parents' rights on the 18th birthday. */
  eligible_students: Generated<'end' | 'keep'>;
  schedule: Text;
  sample: Generated<boolean>;
  last_loaded_at: OptionalMoment;
  /** Set while the feed stands no longer in the feeds file. */
  removed_at: OptionalMoment;
  /** The run that may write now, and when it last gave a sign of life. */
  running_run: Text;
  running_beat_at: OptionalMoment;
  /** The shape of the last file that was applied. */
  layout: Text;
}

interface FeedRunsTable {
  id: string;
  feed: string;
  actor: string;
  started_at: Moment;
  finished_at: OptionalMoment;
  state:
    | 'running'
    | 'applied'
    | 'unchanged'
    | 'held'
    | 'discarded'
    | 'superseded'
    | 'rolled_back'
    | 'refused'
    | 'failed';
  /** The order of the runs; images of what a run changed stand under it. */
  no: Generated<number>;
  kind: Generated<'bulk' | 'delta'>;
  /** The shape of the file. */
  layout: Text;
  plan: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
  /** SHA-256, hex. */
  plan_digest: Text;
  /** Who approved, discarded or rolled back, when and why. */
  decided_by: Text;
  decided_at: OptionalMoment;
  reason: Text;
  /** When its changes were looked through for contacts that may join. */
  joins_noted_at: OptionalMoment;
  /** When the administrators were told that it waits. */
  told_at: OptionalMoment;
  /** SHA-256 of the file, hex. */
  digest: Text;
  counts: ColumnType<Record<string, number>, string | undefined, string>;
  reasons: ColumnType<Record<string, { count: number; lines: number[] }>, string | undefined, string>;
  message: Text;
}

interface SchoolsTable {
  id: Generated<string>;
  sis: string;
  code: string;
  name: string;
}

interface StudentsTable {
  id: Generated<string>;
  sis: string;
  sis_id: string;
  given_name: string;
  family_name: string;
  /** Normalised as in email.ts. */
  email_normal: Text;
  grade: Text;
  birth_date: Day;
  rights_retained_until: Day;
  confidential: Flag;
  school_id: string;
  current: Generated<boolean>;
  facts_loaded_at: Moment;
}

interface ContactsTable {
  id: Generated<string>;
  sis: string;
  sis_id: string;
  given_name: string;
  family_name: string;
  name_key: string;
  language: Text;
  /** Both phones as the feed wrote them, in one value that can be compared. */
  phones_stated: Text;
  email_raw: Text;
  /** Normalised as in email.ts; null when it cannot be used, and `email_problem` says why. */
  email: Text;
  email_problem: Text;
  email_loaded_at: OptionalMoment;
  current: Generated<boolean>;
  last_modified: OptionalMoment;
  facts_loaded_at: Moment;
}

interface ContactPhonesTable {
  contact_id: string;
  position: number;
  raw: string;
  /** Null when the number cannot be dialled. */
  e164: Text;
  type: Text;
  loaded_at: Moment;
}

interface RelationshipsTable {
  id: Generated<string>;
  contact_id: string;
  student_id: string;
  relation: string;
  relation_raw: string;
  priority: ColumnType<number | null, number | null | undefined, number | null>;
  is_emergency: Flag;
  is_legal_guardian: Flag;
  ed_rights: Flag;
  lives_with: Flag;
  pickup_ok: Flag;
  portal_access: Flag;
  start_date: Day;
  end_date: Day;
  ended_at: OptionalMoment;
  end_reason: Text;
  last_modified: OptionalMoment;
  facts_loaded_at: Moment;
  /** Which side names the other: 1 the student, 2 the contact, 3 both; null where the format knows only pairs. */
  named_by: ColumnType<number | null, number | null | undefined, number | null>;
}

interface RestrictionsTable {
  id: Generated<string>;
  relationship_id: string;
  type: string;
  type_raw: string;
  starts_on: Day;
  ends_on: Day;
  imposed_at: Moment;
  lifted_at: OptionalMoment;
  /** When the apps were told, on the day it came into force. */
  told_at: OptionalMoment;
}

interface RelationshipHoldsTable {
  id: Generated<string>;
  relationship_id: string;
  cause_restriction_id: string;
  placed_at: Moment;
  /** When the apps were told. */
  told_at: OptionalMoment;
  decided_at: OptionalMoment;
  decision: Text;
}

interface ProvenContactsTable {
  account_id: string;
  contact_id: string;
  proven_at: Moment;
  how: string;
}

interface JoinProposalsTable {
  id: Generated<string>;
  account_id: string;
  contact_id: string;
  evidence: Json<Record<string, unknown>>;
  created_at: Moment;
  /** `system`, or who proposed it by hand, and why. */
  proposed_by: Generated<string>;
  proposed_reason: Text;
  decided_at: OptionalMoment;
  /** `joined` by itself, `accepted`, `declined`, `undone`. */
  decision: Text;
  decided_by: Text;
  reason: Text;
  /** Digests, by contact id, of what the contacts were when it was declined or undone. */
  seen: ColumnType<Record<string, string> | null, string | null | undefined, string | null>;
}

interface RightColumns {
  relationship_id: string;
  contact_id: string;
  student_id: string;
  feed: string;
  sis: string;
  relation: string;
  active: boolean;
  start_date: Day;
  end_date: Day;
  has_right: boolean;
  explicit_right: boolean;
  records: boolean;
  pickup_ok: boolean | null;
  /** The day from which a restriction closes the child; `-infinity` when it always did, null without one. */
  restricted_from: Day;
  held: boolean;
  facts_loaded_at: Date;
  /** The last day on which parents hold the rights; null where no such day is known. */
  rights_until: Day;
}

interface EntitlementsView extends RightColumns {
  account_id: string;
}

/** The tables of this room, and of the feeds that fill it. */
export interface FamilyTables {
  feeds: FeedsTable;
  feed_runs: FeedRunsTable;
  staged_rows: { run_id: string; line: number };
  schools: SchoolsTable;
  students: StudentsTable;
  contacts: ContactsTable;
  contact_phones: ContactPhonesTable;
  relationships: RelationshipsTable;
  restrictions: RestrictionsTable;
  relationship_holds: RelationshipHoldsTable;
  proven_contacts: ProvenContactsTable;
  join_proposals: JoinProposalsTable;
  /** Proven contacts that wait to be put to the rule of joining. */
  joins_due: { contact_id: string };
  relationship_rights: RightColumns;
  entitlements: EntitlementsView;
}
