import { CompiledQuery, sql } from 'kysely';
import type { Database } from '../database/database.js';
import type { FeedRow, ReadRow } from './feeds/format.js';

/** Counted rows, with the first lines of each reason; no personal data. */
export type Reasons = Record<string, { count: number; lines: number[] }>;

const linesNamed = 20;
const chunkRows = 2_000;

const staged: ReadonlyArray<
  readonly [column: string, type: string, value: (row: FeedRow) => string | number | boolean | null]
> = [
  ['line', 'int', (row) => row.line],
  ['problem', 'text', (row) => row.problem],
  ['school_code', 'text', (row) => row.schoolCode],
  ['school_name', 'text', (row) => row.schoolName],
  ['student_id', 'text', (row) => row.studentId],
  ['student_given_name', 'text', (row) => row.studentGivenName],
  ['student_family_name', 'text', (row) => row.studentFamilyName],
  ['student_email', 'text', (row) => row.studentEmail],
  ['grade', 'text', (row) => row.grade],
  ['birth_date', 'date', (row) => row.birthDate],
  ['rights_retained_until', 'date', (row) => row.rightsRetainedUntil],
  ['confidential', 'boolean', (row) => row.confidential],
  ['contact_id', 'text', (row) => row.contactId],
  ['given_name', 'text', (row) => row.givenName],
  ['family_name', 'text', (row) => row.familyName],
  ['name_key', 'text', (row) => row.nameKey],
  ['relation', 'text', (row) => row.relation],
  ['relation_raw', 'text', (row) => row.relationRaw],
  ['email_raw', 'text', (row) => row.emailRaw],
  ['email', 'text', (row) => row.email],
  ['email_problem', 'text', (row) => row.emailProblem],
  ['phone1_raw', 'text', (row) => row.phone1?.raw ?? null],
  ['phone1_e164', 'text', (row) => row.phone1?.e164 ?? null],
  ['phone1_type', 'text', (row) => row.phone1?.type ?? null],
  ['phone2_raw', 'text', (row) => row.phone2?.raw ?? null],
  ['phone2_e164', 'text', (row) => row.phone2?.e164 ?? null],
  ['phone2_type', 'text', (row) => row.phone2?.type ?? null],
  ['language', 'text', (row) => row.language],
  ['priority', 'int', (row) => row.priority],
  ['is_emergency', 'boolean', (row) => row.isEmergency],
  ['is_legal_guardian', 'boolean', (row) => row.isLegalGuardian],
  ['ed_rights', 'boolean', (row) => row.edRights],
  ['lives_with', 'boolean', (row) => row.livesWith],
  ['pickup_ok', 'boolean', (row) => row.pickupOk],
  ['portal_access', 'boolean', (row) => row.portalAccess],
  ['restricted', 'boolean', (row) => row.restricted],
  ['restriction_type', 'text', (row) => row.restrictionType],
  ['restriction_type_raw', 'text', (row) => row.restrictionTypeRaw],
  ['restriction_start', 'date', (row) => row.restrictionStart],
  ['restriction_end', 'date', (row) => row.restrictionEnd],
  ['start_date', 'date', (row) => row.startDate],
  ['end_date', 'date', (row) => row.endDate],
  ['last_modified', 'timestamptz', (row) => row.lastModified],
  ['digest', 'text', (row) => row.digest],
];

const insert = `insert into staged_rows (run_id, ${staged.map(([column]) => column).join(', ')})
  select $1::uuid, ${staged.map((_, index) => `unnest($${index + 2}::${staged[index]?.[1] ?? 'text'}[])`).join(', ')}`;

/** Adds a row to the count of a reason. */
export function countReason(reasons: Reasons, reason: string, line: number): void {
  const entry = (reasons[reason] ??= { count: 0, lines: [] });
  entry.count += 1;
  if (entry.lines.length < linesNamed) entry.lines.push(line);
}

/**
 * Writes the rows of a feed to `staged_rows` under the run's id, in chunks of 2,000, each its own statement, so that a database with one
 * connection stays open to others in between. Memory holds one chunk.
 *
 * @param beat called after every chunk; throws to stop
 * @returns how many rows were read, and the reasons of those that will not be applied
 */
export async function stageRows(
  db: Database,
  runId: string,
  rows: AsyncIterable<ReadRow>,
  beat: () => Promise<void>,
): Promise<{ read: number; reasons: Reasons }> {
  const reasons: Reasons = {};
  let read = 0;
  let chunk: FeedRow[] = [];
  const flush = async (): Promise<void> => {
    await db.executeQuery(CompiledQuery.raw(insert, [runId, ...staged.map(([, , value]) => chunk.map(value))]));
    chunk = [];
    await beat();
  };
  for await (const row of rows) {
    read += 1;
    if (row.problem !== null) countReason(reasons, row.problem, row.line);
    if ('unreadable' in row) continue;
    chunk.push(row);
    if (chunk.length === chunkRows) await flush();
  }
  if (chunk.length > 0) await flush();
  return { read, reasons };
}

/** Forgets what a run staged. */
export async function clearStaged(db: Database, runId: string): Promise<void> {
  await sql`delete from staged_rows where run_id = ${runId}`.execute(db);
}
