import { sql } from 'kysely';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { localDate } from '../families/entitlement.js';
import { applyPeople, applyRelationships, refreshStatistics } from './apply.js';
import { keepBaseline, noteLookedAt } from './baseline.js';
import type { Skimmed } from './baseline.js';
import { findings } from './checks.js';
import type { Checks, RunShape } from './checks.js';
import { endPassedRights } from './end-passed-rights.js';
import { FeedRefused } from './feeds/format.js';
import { settleIdentities } from './identities.js';
import type { ImportTools } from './import.js';
import { joinAtOnce } from './join-after.js';
import { holdTurn } from './lease.js';
import { makePlan } from './plan.js';
import { applyRestrictions, placeHolds } from './restrictions.js';
import { finish, forget, runEvent, supersedeHeld } from './runs.js';
import type { RunReport } from './runs.js';
import type { ImportScope } from './scope.js';
import { linesNamed } from './staging.js';
import type { Staged } from './staging.js';
import { settleStudents } from './student-ids.js';
import { countRows, planDigest, summarise } from './summary.js';
import { endLostRights, tellApps } from './tell-restrictions.js';

interface Task {
  runNo: number;
  sis: string;
  checks: Checks;
  shape: RunShape;
  /** No run of this feed was ever applied: there is nothing to write down for a roll back but what the run itself makes. */
  first: boolean;
  dryRun: boolean;
  staged: Staged;
  /** What is known of the file as a whole; null where it is none, or where nobody can tell. */
  skimmed: Skimmed | null;
  /** Called with about how many rows are applied. */
  onApplied?: (rows: number) => void;
  /** Given where people have seen the plan and said yes: the digest of what they saw. */
  approved?: { planDigest: string; reason: string };
}

type Options = ImportTools & { actor: string };

/** Leaves the transaction without a trace; the report holds what was found. */
class Stopped extends Error {}

/**
 * Compares what a run staged with what stands, and in the same transaction applies it; or leaves all as it was where the run is only
 * planned, or where the checks find something and nobody has approved it.
 *
 * @returns false where it was left because people are to decide on it, but only some of its rows were read: it is to be read whole
 * @throws FeedRefused when the run lost its turn, or what was approved is not what would be done now
 */
export async function carryOut(db: Database, options: Options, report: RunReport, task: Task): Promise<boolean> {
  const now = options.clock();
  const sifted = task.skimmed?.sifted ?? null;
  const scope: ImportScope = {
    runId: report.runId,
    runNo: task.runNo,
    sis: task.sis,
    kind: report.kind,
    now,
    today: localDate(now, options.timeZone),
    images: !task.first,
    partly: sifted !== null,
  };
  try {
    await db.transaction().execute(async (trx) => {
      await holdTurn(trx, report.feed, report.runId);
      if (sifted !== null) await noteLookedAt(trx, scope, sifted);
      const found = await plan(trx, scope, report, task);
      if (found.length > 0) report.message = `Nothing was changed: ${found.join('; ')}.`;
      if (task.dryRun) report.state = 'planned';
      else if (found.length > 0 && task.approved === undefined) report.state = 'held';
      if (report.state === 'planned' || report.state === 'held') throw new Stopped();
      if (task.approved !== undefined && task.approved.planDigest !== report.planDigest) {
        throw new FeedRefused('What stands has changed since the run was held; discard it and import the file again.');
      }
      await apply(trx, options, scope, report, task);
    });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    if (report.state === 'held' && sifted !== null) return false;
    await (report.state === 'held' ? hold(db, options, report, task) : forget(db, report));
    return true;
  }
  await db.transaction().execute((trx) => endLostRights(trx, now));
  // A birth date may have been corrected; what fails here is done by the job of each day.
  await endPassedRights(db, options).catch(() => {});
  await tellApps(db, options);
  await joinAtOnce(db, options);
  return true;
}

async function plan(trx: DatabaseTransaction, scope: ImportScope, report: RunReport, task: Task): Promise<string[]> {
  // What a million rows are sorted and joined with; given back with the transaction.
  await sql`set local work_mem = '96MB'`.execute(trx);
  await sql`set local maintenance_work_mem = '96MB'`.execute(trx);
  // One core is enough; the others are for who signs in meanwhile.
  await sql`set local max_parallel_workers_per_gather = 0`.execute(trx);
  // A rough idea is enough for tables that live for one run.
  await sql`set local default_statistics_target = 20`.execute(trx);
  // Only what the plan joins and filters by: all fifty columns would take five times as long.
  await sql`analyze staged_rows (run_id, row, states_student, states_contact, states_pair, gone, student_id, contact_id,
    school_code, problem, part_of, name_key, email, restricted)`.execute(trx);
  await settleIdentities(trx, scope);
  await settleStudents(trx, scope);
  await makePlan(trx, scope);
  const counted = await countRows(trx, scope);
  const unreadable = Object.values(task.staged.reasons).reduce((sum, reason) => sum + reason.count, 0);
  report.reasons = { ...task.staged.reasons };
  for (const [reason, { count, lines }] of Object.entries(counted.reasons)) {
    const before = report.reasons[reason] ?? { count: 0, lines: [] };
    report.reasons[reason] = { count: count + before.count, lines: [...before.lines, ...lines].slice(0, linesNamed) };
  }
  report.plan = await summarise(trx, scope);
  report.planDigest = await planDigest(trx);
  report.counts = {
    ...report.counts,
    applied: counted.applied,
    unchanged: counted.unchanged + task.staged.untouched,
    skipped: unreadable + counted.skipped,
    ended: report.plan.relationships.ended,
  };
  return findings(trx, scope, task.checks, task.shape, report.counts.skipped);
}

async function apply(
  trx: DatabaseTransaction,
  options: Options,
  scope: ImportScope,
  report: RunReport,
  task: Task,
): Promise<void> {
  const { added, changed } = report.plan?.relationships ?? { added: 0, changed: 0 };
  report.message = null;
  await sql`set local default_statistics_target to default`.execute(trx);
  await supersedeHeld(trx, report.feed, scope.now);
  const applied = (share: number): void => task.onApplied?.(Math.round(task.shape.read * share));
  applied(0);
  await applyPeople(trx, scope);
  await refreshStatistics(trx, added + changed, 'people');
  applied(0.5);
  await applyRelationships(trx, scope);
  await refreshStatistics(trx, added + changed + report.counts.ended, 'relationships');
  applied(0.9);
  const restrictions = await applyRestrictions(trx, scope);
  const held = restrictions.held + (await placeHolds(trx, scope.now, scope.today));
  report.counts = { ...report.counts, ...restrictions, held };
  const kept = task.skimmed === null ? null : { baseline: task.skimmed.baseline, staged: task.staged };
  await keepBaseline(trx, scope, kept);
  await finish(trx, report, 'applied', options.clock, task.shape.layout);
  await sql`update feeds set last_loaded_at = ${report.finishedAt}, layout = ${task.shape.layout} where name = ${report.feed}`.execute(
    trx,
  );
  if (task.approved !== undefined)
    await noteApproval(trx, report.runId, options.actor, task.approved.reason, scope.now);
  await options.audit(trx, runEvent('feed.applied', options.actor, report, task.approved?.reason ?? null));
}

async function noteApproval(
  trx: DatabaseTransaction,
  runId: string,
  actor: string,
  reason: string,
  now: Date,
): Promise<void> {
  await sql`update feed_runs set decided_by = ${actor}, decided_at = ${now}, reason = ${reason} where id = ${runId}`.execute(
    trx,
  );
  await sql`delete from held_rows where run_id = ${runId}`.execute(trx);
}

/** Keeps what was staged until people decide. One run of a feed waits at a time: the newest. They are told by the job of each minute. */
async function hold(db: Database, options: Options, report: RunReport, task: Task): Promise<void> {
  report.counts = { ...report.counts, applied: 0, unchanged: 0, skipped: 0, ended: 0 };
  await db.transaction().execute(async (trx) => {
    await holdTurn(trx, report.feed, report.runId);
    await supersedeHeld(trx, report.feed, options.clock());
    await sql`insert into held_rows select * from staged_rows where run_id = ${report.runId}`.execute(trx);
    await finish(trx, report, 'held', options.clock, task.shape.layout);
    await options.audit(trx, runEvent('feed.held', options.actor, report));
  });
}
