import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { sql } from 'kysely';
import type { AuditEvent, RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { localDate } from '../families/entitlement.js';
import { applyPeople, applyRelationships, refreshStatistics } from './apply.js';
import type { Feed } from './feeds-file.js';
import { districtExtract } from './feeds/district-extract.js';
import { FeedRefused } from './feeds/format.js';
import type { FeedFormat } from './feeds/format.js';
import { beat, giveTurnBack, holdTurn, takeTurn } from './lease.js';
import { checkMissing, makePlan } from './plan.js';
import { applyRestrictions, placeHolds } from './restrictions.js';
import { clearStaged, countReason, stageRows } from './staging.js';
import type { Reasons } from './staging.js';
import { endLostRights, tellRestrictions } from './tell-restrictions.js';

interface ImportCounts {
  /** Rows of the file: read = applied + unchanged + skipped. */
  read: number;
  applied: number;
  unchanged: number;
  skipped: number;
  /** What the run did besides: relationships that left the feed, restrictions imposed and lifted, relationships held. */
  ended: number;
  restricted: number;
  lifted: number;
  held: number;
}

export interface RunReport {
  runId: string;
  feed: string;
  state: 'applied' | 'unchanged' | 'refused' | 'failed';
  /** SHA-256 of the file, hex; null when it was not read to its end. */
  digest: string | null;
  counts: ImportCounts;
  /** Why rows were skipped: `reason:column` → how many, and the first lines. */
  reasons: Reasons;
  /** Why the whole was refused or failed, in one sentence without personal data. */
  message: string | null;
  startedAt: Date;
  finishedAt: Date;
}

export interface ImportOptions {
  feed: Feed;
  /** A path, or the bytes themselves. */
  source: string | AsyncIterable<Uint8Array>;
  clock: Clock;
  timeZone: string;
  /** Who asked: `schedule`, `start`, an operator. */
  actor: string;
  audit: RecordEvent;
}

const formats: Record<Feed['format'], FeedFormat> = { 'district-extract': districtExtract };
const nothing: ImportCounts = {
  read: 0,
  applied: 0,
  unchanged: 0,
  skipped: 0,
  ended: 0,
  restricted: 0,
  lifted: 0,
  held: 0,
};

/**
 * Imports one file of a feed: staged as it streams, then compared, checked and applied in one transaction, or not at all.
 * The file that was applied last is recognised and changes nothing. A refusal is a report, not an error: what stands, stands.
 *
 * @throws what the database or the disk throws; the run is then recorded as failed where that is still possible
 */
export async function importFeed(db: Database, options: ImportOptions): Promise<RunReport> {
  const { feed, clock } = options;
  const report: RunReport = {
    runId: randomUUID(),
    feed: feed.name,
    state: 'applied',
    digest: null,
    counts: { ...nothing },
    reasons: {},
    message: null,
    startedAt: clock(),
    finishedAt: clock(),
  };
  try {
    await takeTurn(db, feed.name, { id: report.runId, actor: options.actor }, clock);
  } catch (error) {
    if (!(error instanceof FeedRefused)) throw error;
    return { ...report, state: 'refused', message: error.message };
  }
  try {
    await run(db, options, report);
  } catch (error) {
    // What a failed database or disk says may hold a person's data; the caller's log gets the error itself.
    report.state = error instanceof FeedRefused ? 'refused' : 'failed';
    report.message = error instanceof FeedRefused ? error.message : 'The import failed; nothing was changed.';
    report.counts = { ...nothing, read: report.counts.read };
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

async function run(db: Database, options: ImportOptions, report: RunReport): Promise<void> {
  const { feed, clock } = options;
  if (typeof options.source === 'string') await access(options.source, constants.R_OK).catch(refuseUnreadable);
  const last = await lastApplied(db, feed.name);
  // A file that lies there can be known by its digest before a row of it is staged.
  if (typeof options.source === 'string' && last !== null && (await digestOf(options.source)) === last.digest) {
    return await recordUnchanged(db, options, report, last);
  }
  const sha = createHash('sha256');
  const rows = formats[feed.format](hashed(opened(options.source), sha), feed.sis);
  const staged = await stageRows(db, report.runId, rows, () => beat(db, feed.name, report.runId, clock));
  report.digest = sha.digest('hex');
  report.counts.read = staged.read;
  report.reasons = staged.reasons;
  if (report.digest === last?.digest) return await recordUnchanged(db, options, report, last);
  await db.transaction().execute(async (trx) => {
    await holdTurn(trx, feed.name, report.runId);
    await apply(trx, options, report);
  });
  await tellApps(db, options);
}

/**
 * Only when all can see the restrictions, so that no app reads in between what it is then not told to forget. What fails here is
 * told by the job of each minute.
 */
async function tellApps(db: Database, { audit, clock, timeZone }: ImportOptions): Promise<void> {
  await db
    .transaction()
    .execute((trx) => tellRestrictions(trx, audit, clock, localDate(clock(), timeZone)))
    .catch(() => {});
}

async function apply(trx: DatabaseTransaction, options: ImportOptions, report: RunReport): Promise<void> {
  const { feed, clock } = options;
  const now = clock();
  const scope = { runId: report.runId, sis: feed.sis, now, today: localDate(now, options.timeZone) };
  const plan = await makePlan(trx, scope);
  await checkMissing(trx, scope, feed.checks);
  for (const line of plan.superseded) countReason(report.reasons, 'superseded', line);
  await applyPeople(trx, scope);
  await refreshStatistics(trx, plan.changed, 'people');
  await applyRelationships(trx, scope);
  await refreshStatistics(trx, plan.changed + plan.missing, 'relationships');
  const restrictions = await applyRestrictions(trx, scope);
  report.counts = {
    read: report.counts.read,
    applied: plan.changed,
    unchanged: plan.unchanged,
    skipped: Object.values(report.reasons).reduce((sum, reason) => sum + reason.count, 0),
    ended: plan.missing,
    ...restrictions,
    held: await placeHolds(trx, now, scope.today),
  };
  await endLostRights(trx, now);
  await finish(trx, report, 'applied', clock);
  await sql`update feeds set last_loaded_at = ${report.finishedAt} where name = ${feed.name}`.execute(trx);
  await options.audit(trx, event('feed.applied', options, report));
}

async function recordUnchanged(
  db: Database,
  options: ImportOptions,
  report: RunReport,
  last: { digest: string; counts: ImportCounts; reasons: Reasons },
): Promise<void> {
  const { feed, clock } = options;
  await db.transaction().execute(async (trx) => {
    await holdTurn(trx, feed.name, report.runId);
    const { read, skipped } = last.counts;
    const now = clock();
    report.digest = last.digest;
    report.reasons = last.reasons;
    // A restriction may begin today without a new file.
    const held = await placeHolds(trx, now, localDate(now, options.timeZone));
    report.counts = { ...nothing, read, skipped, unchanged: read - skipped, held };
    await finish(trx, report, 'unchanged', clock);
    await sql`update feeds set last_loaded_at = ${report.finishedAt} where name = ${feed.name}`.execute(trx);
  });
  await tellApps(db, options);
}

async function recordFailure(db: Database, options: ImportOptions, report: RunReport): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await finish(trx, report, report.state, options.clock);
    await options.audit(trx, event(report.state === 'refused' ? 'feed.refused' : 'feed.failed', options, report));
  });
}

async function finish(
  trx: DatabaseTransaction,
  report: RunReport,
  state: RunReport['state'],
  clock: Clock,
): Promise<void> {
  report.state = state;
  report.finishedAt = clock();
  await sql`
    update feed_runs set finished_at = ${report.finishedAt}, state = ${report.state}, digest = ${report.digest},
      counts = ${JSON.stringify(report.counts)}::jsonb, reasons = ${JSON.stringify(report.reasons)}::jsonb, message = ${report.message}
    where id = ${report.runId}`.execute(trx);
  await giveTurnBack(trx, report.feed, report.runId);
}

function event(
  kind: 'feed.applied' | 'feed.refused' | 'feed.failed',
  options: ImportOptions,
  report: RunReport,
): AuditEvent {
  const { runId, digest, counts, message } = report;
  return { kind, actor: options.actor, subject: `feed:${report.feed}`, details: { runId, digest, counts, message } };
}

async function lastApplied(
  db: Database,
  feed: string,
): Promise<{ digest: string; counts: ImportCounts; reasons: Reasons } | null> {
  const { rows } = await sql<{ digest: string; counts: ImportCounts; reasons: Reasons }>`
    select digest, counts, reasons from feed_runs where feed = ${feed} and state in ('applied', 'unchanged')
    order by started_at desc, finished_at desc limit 1`.execute(db);
  return rows[0] ?? null;
}

function refuseUnreadable(error: unknown): never {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
  throw new FeedRefused(`The feed's file is not there or cannot be read (${code}).`);
}

async function digestOf(path: string): Promise<string> {
  const sha = createHash('sha256');
  for await (const chunk of opened(path)) sha.update(chunk);
  return sha.digest('hex');
}

function opened(source: string | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return typeof source === 'string' ? createReadStream(source) : source;
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  sha: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    sha.update(chunk);
    yield chunk;
  }
}
