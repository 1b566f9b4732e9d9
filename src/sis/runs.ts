import { sql } from 'kysely';
import type { AuditEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { giveTurnBack } from './lease.js';
import type { Reasons } from './staging.js';
import type { PlanSummary } from './summary.js';

export interface ImportCounts {
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

export const nothing: ImportCounts = {
  read: 0,
  applied: 0,
  unchanged: 0,
  skipped: 0,
  ended: 0,
  restricted: 0,
  lifted: 0,
  held: 0,
};

export type RunState =
  | 'applied'
  | 'unchanged'
  | 'held'
  | 'discarded'
  | 'superseded'
  | 'rolled_back'
  | 'refused'
  | 'failed'
  /** Of a dry run only; none is kept. */
  | 'planned';

export interface RunReport {
  runId: string;
  feed: string;
  kind: 'bulk' | 'delta';
  state: RunState;
  /** SHA-256 of the file, hex; null when it was not read to its end. */
  digest: string | null;
  counts: ImportCounts;
  /** Why rows were skipped: `reason:column` → how many, and the first lines. */
  reasons: Reasons;
  plan: PlanSummary | null;
  planDigest: string | null;
  /** Why the whole was held, refused or failed, in one sentence without personal data. */
  message: string | null;
  /** Refused only because another run of the feed is under way. */
  busy: boolean;
  /** Refused only because the feed's place could not be reached. */
  away: boolean;
  startedAt: Date;
  finishedAt: Date;
}

/** What an earlier run left that a new one must know. */
export interface EarlierRun {
  id: string;
  state: RunState;
  kind: 'bulk' | 'delta';
  digest: string | null;
  layout: string | null;
  counts: ImportCounts;
  reasons: Reasons;
}

const told = sql.raw('id, state, kind, digest, layout, counts, reasons');

/** The run whose outcome stands; null before the first. */
export async function lastApplied(db: Database, feed: string): Promise<EarlierRun | null> {
  const { rows } = await sql<EarlierRun>`
    select ${told} from feed_runs where feed = ${feed} and state in ('applied', 'unchanged') order by no desc limit 1`.execute(
    db,
  );
  return rows[0] ?? null;
}

/** The last whole file that was applied; null before the first. */
export async function lastBulk(db: Database, feed: string): Promise<EarlierRun | null> {
  const { rows } = await sql<EarlierRun>`
    select ${told} from feed_runs where feed = ${feed} and state in ('applied', 'unchanged') and kind = 'bulk'
    order by no desc limit 1`.execute(db);
  return rows[0] ?? null;
}

/** What people decided about this very file, or have still to decide; null when nothing. */
export async function decidedBefore(db: Database, feed: string, digest: string): Promise<EarlierRun | null> {
  const { rows } = await sql<EarlierRun>`
    select ${told} from feed_runs where feed = ${feed} and digest = ${digest} and state in ('applied', 'held', 'discarded', 'rolled_back')
    order by no desc limit 1`.execute(db);
  const [run] = rows;
  return run === undefined || run.state === 'applied' ? null : run;
}

/** The runs that since a moment had an outcome for these bytes, whatever people made of it after that; the earliest first. */
export async function endedSince(
  db: Database,
  { feed, actor, digest, since }: { feed: string; actor: string; digest: string; since: Date },
): Promise<Array<Pick<EarlierRun, 'id' | 'state'>>> {
  const { rows } = await sql<Pick<EarlierRun, 'id' | 'state'>>`
    select id, state from feed_runs where feed = ${feed} and actor = ${actor} and digest = ${digest} and started_at >= ${since}
      and state in ('applied', 'unchanged', 'held', 'superseded', 'discarded', 'rolled_back') order by no`.execute(db);
  return rows;
}

/** Writes how a run ended, and gives its turn back. */
export async function finish(
  trx: DatabaseTransaction,
  report: RunReport,
  state: Exclude<RunState, 'planned'>,
  clock: Clock,
  layout: string | null = null,
): Promise<void> {
  report.state = state;
  report.finishedAt = clock();
  await sql`
    update feed_runs set finished_at = ${report.finishedAt}, state = ${report.state}, kind = ${report.kind}, digest = ${report.digest},
      counts = ${JSON.stringify(report.counts)}::jsonb, reasons = ${JSON.stringify(report.reasons)}::jsonb,
      plan = ${report.plan === null ? null : JSON.stringify(report.plan)}::jsonb, plan_digest = ${report.planDigest},
      layout = coalesce(${layout}, layout), message = ${report.message}
    where id = ${report.runId}`.execute(trx);
  await giveTurnBack(trx, report.feed, report.runId);
}

/** A run that was only planned leaves nothing. */
export async function forget(db: Database, { feed, runId }: Pick<RunReport, 'feed' | 'runId'>): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await giveTurnBack(trx, feed, runId);
    await sql`delete from feed_runs where id = ${runId}`.execute(trx);
  });
}

/** The one audit event of a run. */
export function runEvent(
  kind: 'feed.applied' | 'feed.held' | 'feed.discarded' | 'feed.rolled_back' | 'feed.refused' | 'feed.failed',
  actor: string,
  report: Pick<RunReport, 'runId' | 'feed' | 'digest' | 'planDigest' | 'counts' | 'message'>,
  reason: string | null = null,
): AuditEvent {
  const { runId, digest, planDigest, counts, message } = report;
  return {
    kind,
    actor,
    subject: `feed:${report.feed}`,
    details: { runId, digest, planDigest, counts, message, reason },
  };
}

/**
 * Puts aside what waits for a decision on this feed from before the run that is under way, where that is of a whole file. A delta says nothing
 * anew of what another file held, a restriction perhaps: that waits for people still.
 */
export async function supersedeHeld(trx: DatabaseTransaction, feed: string, now: Date): Promise<void> {
  await sql`
    with gone as (
      update feed_runs h set state = 'superseded', decided_at = ${now} from feed_runs r
      where r.feed = ${feed} and r.state = 'running' and r.kind = 'bulk' and h.feed = r.feed and h.state = 'held' and h.no < r.no
      returning h.id
    ) delete from held_rows where run_id in (select id from gone)`.execute(trx);
}

/** Notes what kind of file a run reads, as soon as it is known. */
export async function noteKind(db: Database, { runId, kind }: Pick<RunReport, 'runId' | 'kind'>): Promise<void> {
  await sql`update feed_runs set kind = ${kind} where id = ${runId}`.execute(db);
}
