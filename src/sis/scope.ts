import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';

/** What every step of a run's transaction is told. */
export interface ImportScope {
  runId: string;
  /** The run's number; images of what it changes stand under it. */
  runNo: number;
  sis: string;
  kind: 'bulk' | 'delta';
  now: Date;
  /** The district's calendar day, `YYYY-MM-DD`. */
  today: string;
  /** Whether what stood before is written down, so that the run can be rolled back. The first run of a feed finds nothing. */
  images: boolean;
  /** Whether only some rows of the file were read, and only the students of `plan_looked_at` are judged. */
  partly: boolean;
}

/** The rows that this run staged, as `w`; to be followed by conditions. Literals, because a temporary table's query takes no parameters. */
export function stagedBy({ runId }: ImportScope): RawBuilder<unknown> {
  return sql`staged_rows w where w.run_id = ${sql.lit(runId)}`;
}

const phones = ['phone1_raw', 'phone1_e164', 'phone1_type', 'phone2_raw', 'phone2_e164', 'phone2_type'];

/** Both phones of a staged row in the one form of `contacts.phones_stated`. */
export const phonesStated = sql.raw<string>(
  phones.map((column) => `coalesce(w.${column}, '')`).join(` || chr(31) || `),
);

/** What a feed says of a contact: the column of `contacts`, and its value in a staged row `w`. */
export const contactFacts: ReadonlyArray<readonly [column: string, value: string]> = [
  ['given_name', 'w.given_name'],
  ['family_name', 'w.family_name'],
  ['name_key', 'w.name_key'],
  ['language', 'w.language'],
  ['email_raw', 'w.email_raw'],
  ['email', 'w.email'],
  ['email_problem', 'w.email_problem'],
];

/** Likewise of a student; the school and the family's protection are compared beside. */
export const studentFacts: ReadonlyArray<readonly [column: string, value: string]> = [
  ['given_name', 'w.student_given_name'],
  ['family_name', 'w.student_family_name'],
  ['email_normal', 'w.student_email'],
  ['grade', 'w.grade'],
  ['birth_date', 'w.birth_date'],
  ['rights_retained_until', 'w.rights_retained_until'],
];

const rights = new Set(['is_legal_guardian', 'ed_rights', 'portal_access']);

/** What a feed says of a relationship: the column of `relationships`, which is that of `staged_rows` too. */
const relationshipColumns = [
  'relation',
  'relation_raw',
  'priority',
  'is_emergency',
  'is_legal_guardian',
  'ed_rights',
  'lives_with',
  'pickup_ok',
  'portal_access',
  'start_date',
  'end_date',
  'named_by',
];

/** Where a row `w` says nothing about rights, what stands in `r` stands. */
export const relationshipFacts = relationshipColumns.map(
  (column) =>
    [
      column,
      rights.has(column) ? `case when w.states_rights then w.${column} else r.${column} end` : `w.${column}`,
    ] as const,
);

/** Whether what stands in one alias differs from what a staged row says. */
export function differs(alias: string, facts: ReadonlyArray<readonly [string, string]>): RawBuilder<boolean> {
  const stands = facts.map(([column]) => `${alias}.${column}`).join(', ');
  const said = facts.map(([, value]) => value).join(', ');
  return sql.raw(`((${stands}) is distinct from (${said}))`);
}
