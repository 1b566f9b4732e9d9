import { sql } from 'kysely';
import type { Database, DatabaseTransaction } from '../database/database.js';
import type { FeedReading } from './feeds/format.js';
import type { ImportScope } from './scope.js';
import { sift } from './sift.js';
import type { Sifted } from './sift.js';
import { keyOf, noKey, Sketches } from './sketches.js';
import type { Staged } from './staging.js';

/** After so long (ms) every row is compared once more, so that nothing that nobody thought of stays for ever. */
const wholeAfter = 7 * 86_400_000;

/** What stands of a feed, as the rows of the file that said so. */
export interface Baseline {
  sketches: Sketches;
  /** SHA-256 of the file, hex. */
  digest: string;
  layout: string;
  reader: string;
  /** When every row was compared last. */
  comparedAt: Date;
}

/** What is known of a file's rows before they are read. */
export interface Skimmed {
  baseline: Baseline;
  /** Null where all are to be read. */
  sifted: Sifted | null;
}

interface Ask {
  sis: string;
  digest: string;
  /** Of the file whose outcome stands. */
  lastDigest: string | null;
  now: Date;
  /** All rows are to be read, whatever they have in common. */
  whole: boolean;
}

/**
 * Skims a whole file: which of its rows does the one before have too?
 *
 * @param onRows called with the rows so far
 * @returns null for a format that cannot tell, and for a delta, which says nothing of what it leaves out
 */
export async function skim(
  db: Database,
  { kind, layout, skimming }: FeedReading,
  { sis, digest, lastDigest, now, whole }: Ask,
  onRows: (read: number) => Promise<void>,
): Promise<Skimmed | null> {
  if (skimming === undefined || kind === 'delta') return null;
  const sketches = new Sketches();
  // Numbers for code and name: a piece of a text would keep the whole block of the file.
  const schools = new Map<number, number>();
  // Where rows call a school by two names the last one counts, which only all of them tell.
  let atOdds = false;
  for await (const block of skimming.skim()) {
    for (const { text, studentId, contactId, schoolCode, schoolName } of block) {
      const ids = studentId !== '' && contactId !== '';
      sketches.add(text, ids ? keyOf(studentId) : noKey, ids ? keyOf(contactId) : noKey);
      const [code, name] = [keyOf(schoolCode), keyOf(schoolName)];
      atOdds ||= schoolCode !== '' && (schools.get(code) ?? name) !== name;
      schools.set(code, name);
    }
    await onRows(sketches.length);
  }
  const baseline = { sketches, digest, layout, reader: skimming.reader, comparedAt: now };
  const before = whole || atOdds ? null : await load(db, sis);
  const serves =
    before !== null &&
    before.digest === lastDigest &&
    before.layout === layout &&
    before.reader === skimming.reader &&
    now.getTime() - before.comparedAt.getTime() < wholeAfter;
  if (!serves) return { baseline, sifted: null };
  return {
    baseline: { ...baseline, comparedAt: before.comparedAt },
    sifted: sift(before.sketches, sketches),
  };
}

async function load(db: Database, sis: string): Promise<Baseline | null> {
  const { rows } = await sql<Omit<Baseline, 'sketches'> & { rows: number }>`
    select digest, layout, reader, rows, compared_at as "comparedAt" from feed_baselines where sis = ${sis}`.execute(
    db,
  );
  const [found] = rows;
  if (found === undefined) return null;
  const parts = await sql<{ content: Buffer }>`
    select content from feed_baseline_parts where sis = ${sis} order by part`.execute(db);
  const contents = parts.rows.map(({ content }) => Buffer.from(content));
  const { rows: length, ...known } = found;
  return { ...known, sketches: new Sketches(contents, length) };
}

/** Where more rows than this share are to be read every time, the next file is read whole. */
const mostMarked = 0.5;

/**
 * Keeps, in the transaction that applies a run, what its file was; the next one is held against it. Rows that were not taken, or that
 * restrict somebody, are read every time.
 *
 * @param baseline null where the run says nothing of what the feed is as a whole: the next file is read whole
 */
export async function keepBaseline(
  trx: DatabaseTransaction,
  { runId, sis }: ImportScope,
  kept: { baseline: Baseline; staged: Staged } | null,
): Promise<void> {
  await dropBaseline(trx, sis);
  if (kept === null) return;
  const { sketches, digest, layout, reader, comparedAt } = kept.baseline;
  const most = Math.floor(sketches.length * mostMarked) + 1;
  const { rows } = await sql<{ row: number }>`
    select row from staged_rows where run_id = ${runId} and (problem is not null or restricted)
    union all select row from plan_losers limit ${most}`.execute(trx);
  if (rows.length + kept.staged.unreadable.length > most) return;
  for (const { row } of rows) sketches.mark(row - 1);
  for (const row of kept.staged.unreadable) sketches.mark(row);
  await sql`
    insert into feed_baselines (sis, digest, layout, reader, rows, compared_at)
    values (${sis}, ${digest}, ${layout}, ${reader}, ${sketches.length}, ${comparedAt})`.execute(trx);
  let part = 0;
  for (const content of sketches.contents()) {
    await sql`insert into feed_baseline_parts (sis, part, content) values (${sis}, ${part}, ${content})`.execute(trx);
    part += 1;
  }
}

/** Forgets what the last file was: what stands is not what it said any more. */
export async function dropBaseline(trx: DatabaseTransaction, sis: string): Promise<void> {
  await sql`delete from feed_baselines where sis = ${sis}`.execute(trx);
}

const studentsAtOnce = 10_000;

/** Leaves `plan_looked_at (id)`: the students of whom a run reads all that its file says. */
export async function noteLookedAt(
  trx: DatabaseTransaction,
  { sis }: ImportScope,
  { students }: Sifted,
): Promise<void> {
  await sql`create temp table plan_looked_at (id uuid) on commit drop`.execute(trx);
  if (students.size === 0) return;
  let after = '';
  for (;;) {
    const { rows } = await sql<{ id: string; sis_id: string }>`
      select id, sis_id from students where sis = ${sis} and sis_id > ${after} order by sis_id limit ${studentsAtOnce}`.execute(
      trx,
    );
    const ids = rows.filter((row) => students.has(keyOf(row.sis_id))).map(({ id }) => id);
    if (ids.length > 0) await sql`insert into plan_looked_at select unnest(${ids}::uuid[])`.execute(trx);
    after = rows.at(-1)?.sis_id ?? '';
    if (rows.length < studentsAtOnce) break;
  }
  await sql`analyze plan_looked_at`.execute(trx);
}
