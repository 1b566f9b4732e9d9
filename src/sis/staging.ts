import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import type { FeedRow, ReadRow } from './feeds/format.js';
import type { RecordRow, RecordTable } from './feeds/record.js';
import type { Loading, LoadTarget, OpenLoading } from './loader.js';
import { stagingTables } from './staging-tables.js';

/** Counted rows, with the first lines of each reason; no personal data. */
export type Reasons = Record<string, { count: number; lines: number[] }>;

export const linesNamed = 20;
const chunkRows = 500;

type Cell = string | number | boolean | null;

/** The columns of `staged_rows` after `run_id`, their types, and what of a row they hold. */
const staged: ReadonlyArray<readonly [column: string, type: string, value: (row: FeedRow, order: number) => Cell]> = [
  ['row', 'int', (_, order) => order],
  ['line', 'int', (row) => row.line],
  ['problem', 'text', (row) => row.problem],
  ['states_student', 'boolean', (row) => row.statesStudent],
  ['states_contact', 'boolean', (row) => row.statesContact],
  ['states_pair', 'boolean', (row) => row.statesPair],
  ['gone', 'boolean', (row) => row.gone],
  ['states_rights', 'boolean', (row) => row.statesRights],
  ['named_by', 'smallint', (row) => row.namedBy],
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
];

const target = {
  table: 'staged_rows',
  columns: [['run_id', 'uuid'] as const, ...staged.map(([column, type]) => [column, type] as const)],
};

/** What became of the rows of a file. */
export interface Staged {
  /** All of them. */
  read: number;
  /** Those that are as they were in the last file. */
  untouched: number;
  /** Of those of which not even the pair can be known. */
  reasons: Reasons;
  /** Their places, from 0. */
  unreadable: number[];
  /** Of a set, the files in which they stand. */
  unreadableIn: ReadonlySet<string>;
}

/** Adds a row to the count of a reason. */
function countReason(reasons: Reasons, reason: string, line: number): void {
  const entry = (reasons[reason] ??= { count: 0, lines: [] });
  entry.count += 1;
  if (entry.lines.length < linesNamed) entry.lines.push(line);
}

/**
 * Writes the rows of a feed to `staged_rows`, and records to their own tables, under the run's id, in chunks of 500 a table, so that a database
 * with one connection stays open to others in between. While one chunk is written the next is read; memory holds two.
 *
 * @param onChunk called after every chunk with the rows read so far; throws to stop
 */
export async function stageRows(
  load: OpenLoading,
  runId: string,
  rows: AsyncIterable<ReadRow>,
  onChunk: (read: number) => Promise<void>,
): Promise<Staged> {
  const reasons: Reasons = {};
  const unreadable: number[] = [];
  const unreadableIn = new Set<string>();
  let untouched = 0;
  const chunks = new Map<string, { target: LoadTarget; rows: Cell[][] }>();
  const writer = new Writer(load);
  let read = 0;
  try {
    for await (const row of rows) {
      if ('untouched' in row) {
        read += row.untouched;
        untouched += row.untouched;
        continue;
      }
      read += 1;
      if ('unreadable' in row) {
        countReason(reasons, row.problem, row.line);
        unreadable.push(read - 1);
        if (row.of !== undefined) unreadableIn.add(row.of);
        continue;
      }
      const [to, cells] = written(row, runId, read);
      let chunk = chunks.get(to.table);
      if (chunk === undefined) {
        chunk = { target: to, rows: [] };
        chunks.set(to.table, chunk);
      }
      chunk.rows.push(cells);
      if (chunk.rows.length < chunkRows) continue;
      const full = chunk.rows;
      chunk.rows = [];
      const soFar = read;
      await writer.write(to, full, () => onChunk(soFar));
    }
    for (const chunk of chunks.values()) {
      if (chunk.rows.length > 0) await writer.write(chunk.target, chunk.rows, () => onChunk(read));
    }
    await writer.end();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return { read, untouched, reasons, unreadable, unreadableIn };
}

/** Writes chunks one after the other, one of them while the caller goes on reading, and keeps one table open at a time. */
class Writer {
  private open: { table: string; loading: Loading } | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly load: OpenLoading) {}

  /** Comes back when the chunk before this one is written. */
  async write(to: LoadTarget, rows: readonly Cell[][], then: () => Promise<void>): Promise<void> {
    await this.writing;
    this.writing = this.send(to, rows).then(then);
    // It is awaited with the next chunk; until then its failure must not count as unhandled.
    this.writing.catch(() => {});
  }

  async end(): Promise<void> {
    await this.writing;
    await this.open?.loading.end();
    this.open = null;
  }

  async abort(): Promise<void> {
    await this.writing.catch(() => {});
    await this.open?.loading.abort();
  }

  private async send(to: LoadTarget, rows: readonly Cell[][]): Promise<void> {
    if (this.open?.table !== to.table) {
      await this.open?.loading.end();
      this.open = null;
      this.open = { table: to.table, loading: await this.load(to) };
    }
    await this.open.loading.write(rows);
  }
}

/** Where a row goes, and its cells. */
function written(row: FeedRow | RecordRow, runId: string, order: number): [LoadTarget, Cell[]] {
  if ('record' in row) return [targetOf(row.record), [runId, order, row.line, ...row.values]];
  const cells: Cell[] = [runId];
  for (const [, , value] of staged) cells.push(value(row, order));
  return [target, cells];
}

const targets = new Map<string, LoadTarget>();

function targetOf({ name, columns }: RecordTable): LoadTarget {
  const known = targets.get(name);
  if (known !== undefined) return known;
  const made: LoadTarget = { table: name, columns: [['run_id', 'uuid'], ['row', 'int'], ['line', 'int'], ...columns] };
  targets.set(name, made);
  return made;
}

/** Forgets what a run staged. */
export async function clearStaged(db: Database, runId: string): Promise<void> {
  for (const table of stagingTables) {
    const { numAffectedRows } = await sql`delete from ${sql.table(table)} where run_id = ${runId}`.execute(db);
    // The embedded database has nobody who would, and grew by every file.
    if (numAffectedRows !== 0n) await sql`vacuum ${sql.table(table)}`.execute(db);
  }
}
