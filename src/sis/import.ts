import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { localDate } from '../families/entitlement.js';
import { skim } from './baseline.js';
import type { Skimmed } from './baseline.js';
import { carryOut } from './carry-out.js';
import type { Feed } from './feeds-file.js';
import { FeedAway, FeedRefused } from './feeds/format.js';
import type { FeedFormat, FeedReading, FeedSource, ReadRow } from './feeds/format.js';
import { formatOf } from './feeds/formats.js';
import { holdTurn, pulseOf, takeTurn, whileBeating } from './lease.js';
import type { OpenLoading } from './loader.js';
import { digestOf, stampOf } from './on-disk.js';
import { placeHolds } from './restrictions.js';
import { decidedBefore, finish, forget, lastApplied, lastBulk, noteKind, nothing, runEvent } from './runs.js';
import type { EarlierRun, RunReport } from './runs.js';
import { bringFeed, rememberFetched } from './places/bring.js';
import type { HttpsSource } from './places/bring.js';
import { clearStaged, stageRows } from './staging.js';
import { tellApps } from './tell-restrictions.js';

/** What an import, and every later decision on it, is done with. */
export interface ImportTools {
  clock: Clock;
  timeZone: string;
  audit: RecordEvent;
  load: OpenLoading;
}

/** How far a run is. */
export interface Progress {
  stage: 'fetching' | 'skimming' | 'reading' | 'comparing' | 'applying';
  /** Rows so far, of those that are applied about so many; while it is fetched, bytes. */
  read: number;
  /** Rows of this file where they were counted, else of the last whole one, about as many; null where there was none. */
  expected: number | null;
}

export interface ImportOptions extends ImportTools {
  feed: Feed;
  source: FeedSource | HttpsSource;
  /** In the place of the format that the feed names. */
  format?: FeedFormat;
  /** Who asked: `schedule`, `watch`, `start`, an operator. */
  actor: string;
  /** Only plans: the report says what would change, and nothing is kept. */
  dryRun?: boolean;
  /** Also a file that people discarded or rolled back before. */
  again?: boolean;
  /** Also rows that the last file had are compared, as they are once a week; and so is that very file. */
  whole?: boolean;
  onProgress?: (progress: Progress) => void;
}

/**
 * Imports one file of a feed: staged as it streams, then compared, checked and applied in one transaction, or not at all.
 * The file that was applied last is recognised and changes nothing, unless it is asked for whole. What the checks find makes the run wait for people. A refusal is a
 * report, not an error: what stands, stands.
 *
 * @throws what the database or the disk throws; the run is then recorded as failed where that is still possible
 */
export async function importFeed(db: Database, options: ImportOptions): Promise<RunReport> {
  const { feed, clock } = options;
  const report: RunReport = {
    runId: randomUUID(),
    feed: feed.name,
    kind: 'delta' in options.source && options.source.delta ? 'delta' : 'bulk',
    state: 'applied',
    digest: null,
    counts: { ...nothing },
    reasons: {},
    plan: null,
    planDigest: null,
    message: null,
    busy: false,
    away: false,
    startedAt: clock(),
    finishedAt: clock(),
  };
  let runNo: number;
  try {
    runNo = await takeTurn(db, feed.name, { id: report.runId, actor: options.actor }, clock);
  } catch (error) {
    if (!(error instanceof FeedRefused)) throw error;
    return { ...report, state: 'refused', message: error.message, busy: true };
  }
  try {
    await run(db, options, report, runNo);
  } catch (error) {
    // What a failed database or disk says may hold a person's data; the caller's log gets the error itself.
    report.state = error instanceof FeedRefused ? 'refused' : 'failed';
    report.message = error instanceof FeedRefused ? error.message : 'The import failed; nothing was changed.';
    report.away = error instanceof FeedAway;
    report.counts = { ...nothing, read: report.counts.read };
    if (options.dryRun === true) {
      await forget(db, report).catch(() => {});
      if (report.state === 'failed') throw error;
      return report;
    }
    if (report.state === 'failed') {
      await recordFailure(db, options, report).catch(() => {});
      throw error;
    }
    await recordFailure(db, options, report);
  } finally {
    // What cannot be cleared now is cleared by the next run.
    await clearStaged(db, report.runId).catch(() => {});
  }
  return report;
}

interface Begun {
  runNo: number;
  /** The run whose outcome stands. */
  last: EarlierRun | null;
}

async function run(db: Database, options: ImportOptions, report: RunReport, runNo: number): Promise<void> {
  const { feed, source, onProgress } = options;
  const last = await lastApplied(db, feed.name);
  if ('path' in source) return runFile(db, options, report, source, { runNo, last });
  const standing = options.again === true || options.whole === true ? null : (last?.digest ?? null);
  const fetched = await whileBeating(db, feed.name, report.runId, options.clock, () =>
    bringFeed(db, feed.name, source, options.format ?? formatOf(feed), standing, (read) =>
      onProgress?.({ stage: 'fetching', read, expected: null }),
    ),
  );
  if (fetched !== null) {
    try {
      await runFile(db, options, report, { path: fetched.path, delta: false }, { runNo, last });
    } finally {
      await fetched.remove();
    }
    if (options.dryRun !== true) await rememberFetched(db, feed.name, source.url, report.digest, fetched.validators);
  } else if (last !== null) {
    report.digest = last.digest;
    await recordUnchanged(db, options, report, last);
  }
}

/** How often a file is read that is written over meanwhile. */
const mostReadings = 3;

/** What was read is of two files: the digest, the rows that are known and those that were read would not belong together. */
class WrittenOver extends FeedRefused {}

async function runFile(
  db: Database,
  options: ImportOptions,
  report: RunReport,
  source: FeedSource,
  begun: Begun,
): Promise<void> {
  for (let reading = 1; ; reading += 1) {
    try {
      return await runReading(db, options, report, source, begun);
    } catch (error) {
      if (!(error instanceof WrittenOver) || reading === mostReadings) throw error;
      await clearStaged(db, report.runId);
    }
  }
}

async function runReading(
  db: Database,
  options: ImportOptions,
  report: RunReport,
  source: FeedSource,
  { runNo, last }: Begun,
): Promise<void> {
  const { feed, clock, onProgress } = options;
  const stamp = await stampOf(source.path).catch(refuseUnreadable);
  report.digest = await whileBeating(db, feed.name, report.runId, clock, () => digestOf(source.path)).catch(
    refuseUnreadable,
  );
  const format = options.format ?? formatOf(feed);
  // The same bytes say something else as a whole file than they did as a delta.
  const sameKind = format.tellsKind === true || last?.kind === report.kind;
  if (options.whole !== true && last !== null && report.digest === last.digest && sameKind)
    return await recordUnchanged(db, options, report, last);
  if (options.again !== true) await refuseDecided(db, feed.name, report.digest);
  const reading = await format.open(source, feed.sis);
  report.kind = reading.kind;
  await noteKind(db, report);
  const bulk = await lastBulk(db, feed.name);
  let expected = reading.kind === 'bulk' ? (bulk?.counts.read ?? null) : null;
  const pulse = pulseOf(db, feed.name, report.runId, clock);
  const at =
    (stage: Progress['stage']) =>
    async (read: number): Promise<void> => {
      onProgress?.({ stage, read, expected });
      await pulse();
    };
  const ask = { sis: feed.sis, digest: report.digest, lastDigest: last?.digest ?? null, now: clock() };
  const skimmed = await skim(db, reading, { ...ask, whole: options.whole === true }, at('skimming'));
  if (skimmed !== null) expected = skimmed.baseline.sketches.length;
  const carriedOut = async (known: Skimmed | null): Promise<boolean> => {
    const rows = rowsOf(reading, known);
    const staged = await stageRows(options.load, report.runId, rows, at('reading'));
    if ((await stampOf(source.path).catch(refuseUnreadable)) !== stamp)
      throw new WrittenOver('The file was written to while it was read.');
    report.counts.read = staged.read;
    await whileBeating(db, feed.name, report.runId, clock, async () => {
      const { unreadableIn } = staged;
      await format.assemble?.(db, { runId: report.runId, sis: feed.sis, kind: reading.kind, unreadableIn });
    });
    onProgress?.({ stage: 'comparing', read: staged.read, expected });
    const shape = {
      read: staged.read,
      layout: reading.layout,
      last: bulk === null ? null : { ...bulk.counts, layout: bulk.layout },
      documented: format.layout ?? null,
    };
    const { sis, checks } = feed;
    const dryRun = options.dryRun === true;
    const onApplied = (applied: number): void =>
      onProgress?.({ stage: 'applying', read: applied, expected: staged.read });
    const task = { runNo, sis, checks, shape, first: last === null, dryRun, staged, skimmed: known, onApplied };
    return await carryOut(db, options, report, task);
  };
  if (await carriedOut(skimmed)) return;
  // People decide on all of it.
  await clearStaged(db, report.runId);
  Object.assign(report, { state: 'applied', message: null });
  await carriedOut(skimmed === null ? null : { ...skimmed, sifted: null });
}

function rowsOf({ rows, skimming }: FeedReading, skimmed: Skimmed | null): AsyncIterable<ReadRow> {
  return skimmed?.sifted && skimming !== undefined ? skimming.rows(skimmed.sifted.wanted) : rows;
}

async function refuseDecided(db: Database, feed: string, digest: string): Promise<void> {
  const before = await decidedBefore(db, feed, digest);
  if (before === null) return;
  const was = { held: 'waits for a decision', discarded: 'was discarded', rolled_back: 'was rolled back' } as const;
  const state = before.state as keyof typeof was;
  throw new FeedRefused(
    `This very file ${was[state]} (run ${before.id}). ${state === 'held' ? 'Approve or discard that run.' : 'To load it all the same say --again.'}`,
  );
}

async function recordUnchanged(
  db: Database,
  options: ImportOptions,
  report: RunReport,
  last: EarlierRun,
): Promise<void> {
  const { feed, clock } = options;
  const { read, skipped } = last.counts;
  report.kind = last.kind;
  report.reasons = last.reasons;
  if (options.dryRun === true) {
    report.state = 'unchanged';
    report.counts = { ...nothing, read, skipped, unchanged: read - skipped };
    return forget(db, report);
  }
  await db.transaction().execute(async (trx) => {
    await holdTurn(trx, feed.name, report.runId);
    const now = clock();
    // A restriction may begin today without a new file.
    const held = await placeHolds(trx, now, localDate(now, options.timeZone));
    report.counts = { ...nothing, read, skipped, unchanged: read - skipped, held };
    await finish(trx, report, 'unchanged', clock, last.layout);
    await sql`update feeds set last_loaded_at = ${report.finishedAt} where name = ${feed.name}`.execute(trx);
  });
  await tellApps(db, options);
}

async function recordFailure(db: Database, options: ImportOptions, report: RunReport): Promise<void> {
  await db.transaction().execute(async (trx: DatabaseTransaction) => {
    const state = report.state === 'refused' ? 'refused' : 'failed';
    await finish(trx, report, state, options.clock);
    await options.audit(trx, runEvent(`feed.${state}`, options.actor, report));
  });
}

function refuseUnreadable(error: unknown): never {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
  throw new FeedRefused(`The feed's file is not there or cannot be read (${code}).`);
}
