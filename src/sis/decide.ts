import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import { carryOut } from './carry-out.js';
import type { Feed } from './feeds-file.js';
import { FeedRefused } from './feeds/format.js';
import type { ImportTools } from './import.js';
import { giveTurnBack, takeTurn } from './lease.js';
import { namedByNobody } from './student-ids.js';
import { lastApplied, nothing, runEvent } from './runs.js';
import type { RunReport, RunState } from './runs.js';
import { clearStaged } from './staging.js';
import type { Reasons } from './staging.js';
import type { PlanSummary } from './summary.js';

export interface Decision {
  runId: string;
  /** Who decides: `operator`, `staff:<id>`. */
  actor: string;
  /** Why, in a few words without names; it stands in the audit trail. */
  reason: string;
}

export interface StoredRun {
  feed: string;
  no: number;
  state: RunState;
  kind: 'bulk' | 'delta';
  digest: string | null;
  counts: RunReport['counts'];
  reasons: Reasons;
  plan: PlanSummary | null;
  plan_digest: string | null;
  layout: string | null;
  message: string | null;
  started_at: Date;
  /** Null while it is under way. */
  finished_at: Date | null;
}

/** A run as it is stored. @throws FeedRefused when there is none of this id */
export async function storedRun(db: Database, runId: string): Promise<StoredRun> {
  const { rows } = await sql<StoredRun>`
    select feed, no, state, kind, digest, counts, reasons, plan, plan_digest, layout, message, started_at, finished_at
    from feed_runs where id::text = ${runId}`.execute(db);
  const [run] = rows;
  if (run === undefined) throw new FeedRefused(`There is no run "${runId}".`);
  return run;
}

/** The report of a stored run, as its import gave it. */
export function reportOf(runId: string, run: StoredRun, clock: ImportTools['clock']): RunReport {
  const {
    feed,
    kind,
    state,
    digest,
    counts,
    reasons,
    plan,
    plan_digest: planDigest,
    message,
    started_at: startedAt,
  } = run;
  return {
    runId,
    feed,
    kind,
    state,
    digest,
    counts,
    reasons,
    plan,
    planDigest,
    message,
    busy: false,
    away: false,
    startedAt,
    finishedAt: clock(),
  };
}

/**
 * Applies a run that was held, as it was when people looked at it.
 *
 * @param feedOf the feed of a name, of the feeds file
 * @throws FeedRefused when it is not held any more, another run of the feed is under way or was applied or taken back since, or what stands has changed
 */
export async function approveRun(
  db: Database,
  options: ImportTools & Decision,
  feedOf: (name: string) => Feed,
): Promise<RunReport> {
  const { runId, actor, reason, clock } = options;
  const run = await storedRun(db, runId);
  if (run.state !== 'held') throw notHeld(run.state);
  const report = reportOf(runId, run, clock);
  const { checks, sis } = feedOf(run.feed);
  const runNo = await takeTurn(db, run.feed, { id: runId, actor, held: true }, clock);
  try {
    await refuseOvertaken(db, run);
    await sql`insert into staged_rows select * from held_rows where run_id = ${runId}`.execute(db);
    const read = run.counts.read;
    report.state = 'applied';
    report.counts = { ...nothing, read };
    const reasons = await unreadable(db, runId, run.reasons);
    const staged = { read, untouched: 0, unreadable: [], unreadableIn: new Set<string>(), reasons };
    const first = (await lastApplied(db, run.feed)) === null;
    const shape = { read, layout: run.layout ?? '', last: null, documented: null };
    const approved = { planDigest: run.plan_digest ?? '', reason };
    const task = { runNo, sis, checks, shape, first, dryRun: false, staged, skimmed: null, approved };
    await carryOut(db, options, report, task);
  } catch (error) {
    await putBack(db, run.feed, runId);
    throw error;
  } finally {
    await clearStaged(db, runId).catch(() => {});
  }
  return report;
}

/**
 * What a file says that came earlier must not outweigh what a later one said, as that somebody is restricted; nor one that said again what
 * stands, as an export does on a quiet day: it would be known by its digest the next time too, and change nothing.
 */
async function refuseOvertaken(db: Database, { feed, no, finished_at: heldAt }: StoredRun): Promise<void> {
  const { rows } = await sql`
    select 1 from feed_runs where feed = ${feed} and (no > ${no} and state in ('applied', 'unchanged', 'rolled_back')
      or state = 'rolled_back' and decided_at >= ${heldAt}) limit 1`.execute(db);
  if (rows.length > 0)
    throw new FeedRefused(
      'Another file of the feed was loaded since, or taken back: discard this run, and import its file again with --again.',
    );
}

/** Rows of which nothing could be staged are known from the first reading only; the others, also those that the plan skips, are counted anew. */
async function unreadable(db: Database, runId: string, reasons: Reasons): Promise<Reasons> {
  const { rows } = await sql<{ problem: string }>`
    select distinct problem from staged_rows where run_id = ${runId} and problem is not null`.execute(db);
  const staged = new Set([
    'superseded',
    'two_people:contact_id',
    'two_people:student_id',
    namedByNobody,
    ...rows.map(({ problem }) => problem),
  ]);
  return Object.fromEntries(Object.entries(reasons).filter(([reason]) => !staged.has(reason)));
}

/** It waits again, as if nobody had decided. */
async function putBack(db: Database, feed: string, runId: string): Promise<void> {
  await sql`update feed_runs set state = 'held' where id = ${runId} and state = 'running'`.execute(db);
  await giveTurnBack(db, feed, runId);
}

/**
 * Puts a held run aside; the last good state stands.
 *
 * @throws FeedRefused when it is not held any more
 */
export async function discardRun(db: Database, options: ImportTools & Decision): Promise<RunReport> {
  const { runId, actor, reason, clock, audit } = options;
  return await db.transaction().execute(async (trx) => {
    const run = await storedRun(trx, runId);
    if (run.state !== 'held') throw notHeld(run.state);
    const { numAffectedRows } = await sql`
      update feed_runs set state = 'discarded', decided_by = ${actor}, decided_at = ${clock()}, reason = ${reason}
      where id = ${runId} and state = 'held'`.execute(trx);
    if (numAffectedRows !== 1n) throw notHeld('discarded');
    await sql`delete from held_rows where run_id = ${runId}`.execute(trx);
    const report = reportOf(runId, { ...run, state: 'discarded' }, clock);
    await audit(trx, runEvent('feed.discarded', actor, report, reason));
    return report;
  });
}

function notHeld(state: RunState): FeedRefused {
  return new FeedRefused(`That run is not held; it is ${state.replace('_', ' ')}.`);
}
