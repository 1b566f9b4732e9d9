import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { readReason } from '../accounts/standing.js';
import type { Database } from '../database/database.js';
import { decideRun, runImport } from '../imports.js';
import type { DecisionVerb, ImportParts } from '../imports.js';
import { utcMinute } from '../locales/dates.js';
import { syncFeeds } from '../sis/feeds-file.js';
import { FeedRefused } from '../sis/feeds/format.js';
import type { RunReport } from '../sis/runs.js';
import type { PlanSummary, SchoolChange } from '../sis/summary.js';
import { DeskRefused, columns } from './desk.js';
import type { Desk, DeskCommand } from './desk.js';

const options = {
  feed: { type: 'string' },
  from: { type: 'string' },
  delta: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  again: { type: 'boolean' },
  whole: { type: 'boolean' },
  reason: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/**
 * `import --feed NAME [--from PATH] [--delta] [--dry-run] [--again] [--whole]`, `import runs [--feed NAME]`, and
 * `import approve|discard|rollback RUN --reason WHY`.
 */
export const importCommand: DeskCommand = async (desk, args) => {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const [verb, runId, ...more] = positionals;
  const parts = await partsOf(desk);
  if (verb === 'runs') return listRuns(desk.db, values.feed ?? null, values.json === true);
  if (verb !== undefined) {
    if (verb !== 'approve' && verb !== 'discard' && verb !== 'rollback') {
      throw new DeskRefused(
        'Say what to do: import --feed NAME, import runs, or import approve, discard or rollback RUN.',
      );
    }
    // A decision is done at once and whole: who asks for a plan, or of two runs, is not to find it done.
    const { reason = '', json = false, ...others } = values;
    if (more.length > 0 || Object.keys(others).length > 0) {
      throw new DeskRefused(`Say one run, --reason and nothing else: import ${verb} RUN --reason "…".`);
    }
    return decide(desk, parts, verb, runId, reason, json);
  }
  if (values.feed === undefined) throw new DeskRefused('Say which feed: import --feed NAME.');
  await syncFeeds(desk.db, parts.feeds, desk.clock);
  const report = await runImport(
    parts,
    values.feed,
    'operator',
    {
      ...(values.from === undefined ? {} : { from: values.from }),
      delta: values.delta === true,
      dryRun: values['dry-run'] === true,
      again: values.again === true,
      whole: values.whole === true,
    },
    desk.onProgress,
  );
  desk.tellApps();
  return told(report, values.json === true);
};

async function partsOf(desk: Desk): Promise<ImportParts> {
  const { db, clock, audit, load, config } = desk;
  const { timeZone, dataDir, feedAuthorization } = config;
  return { db, clock, audit, load, timeZone, dataDir, feedAuthorization, feeds: await desk.feeds() };
}

async function decide(
  desk: Desk,
  parts: ImportParts,
  verb: DecisionVerb,
  runId: string | undefined,
  reason: string,
  json: boolean,
): Promise<string> {
  if (runId === undefined) throw new DeskRefused(`Say which run: import ${verb} RUN; \`import runs\` lists them.`);
  const because = readReason(reason);
  try {
    const report = await decideRun(parts, verb, { runId, actor: 'operator', reason: because });
    desk.tellApps();
    return told(report, json);
  } catch (error) {
    throw error instanceof FeedRefused ? new DeskRefused(error.message) : error;
  }
}

/** What is printed of a run. @throws DeskRefused with the sentence of one that was not applied */
function told(report: RunReport, json: boolean): string {
  if (report.state === 'refused' || report.state === 'failed') {
    throw new DeskRefused(report.message ?? 'The import was refused.');
  }
  if (report.state === 'held' && !json) {
    throw new DeskRefused(
      `${report.message ?? 'Nothing was changed.'} The run is held: \`import approve ${report.runId} --reason "…"\` or \`import discard …\` decides.${waiting(report.plan)}`,
    );
  }
  if (json) return JSON.stringify(report);
  const { read, applied, unchanged, skipped, ended } = report.counts;
  const heading = `${report.feed}: ${report.state.replace('_', ' ')} (run ${report.runId}).`;
  if (report.state === 'rolled_back') return `${heading} What stood before it stands again.`;
  if (report.state === 'discarded') return `${heading} What was loaded last still stands.`;
  const lines = [
    `${heading} Read ${read} rows: ${applied} applied, ${unchanged} unchanged, ${skipped} skipped; ${ended} relationships ended.`,
    ...Object.entries(report.reasons).map(
      ([reason, found]) =>
        `  ${found.count} × ${reason} (line ${found.lines.join(', ')}${found.lines.length < found.count ? ', …' : ''})`,
    ),
  ];
  if (report.state === 'planned' && report.plan !== null) lines.push('', ...planned(report.plan, report.message));
  return lines.join('\n');
}

function waiting(plan: PlanSummary | null): string {
  const count = plan?.newRestrictions ?? 0;
  return count === 0
    ? ''
    : ` ${count} new ${count === 1 ? 'restriction waits' : 'restrictions wait'} in it: decide soon.`;
}

function planned(plan: PlanSummary, message: string | null): string[] {
  const { relationships, contacts, students } = plan;
  const heading = ['school', 'name', 'standing', 'added', 'changed', 'ended'];
  const line = (change: SchoolChange): string[] => [
    change.code,
    change.name,
    ...[change.standing, change.added, change.changed, change.ended].map(String),
  ];
  return [
    `Relationships: ${relationships.added} added, ${relationships.changed} changed, ${relationships.ended} ended.`,
    `Contacts: ${contacts.added} added, ${contacts.changed} changed, ${contacts.followed} with a new id followed, ${contacts.vacated} ids given to another person.`,
    `Students: ${students.added} added, ${students.changed} changed, ${students.vacated} ids given to another child. New restrictions: ${plan.newRestrictions}.`,
    message === null ? 'It would be applied.' : `It would be held. ${message}`,
    ...(plan.schools.length === 0
      ? []
      : ['', 'The ten largest changes:', columns([heading, ...plan.largest.map(line)])]),
    ...(plan.schools.length > plan.largest.length
      ? ['', 'All schools with a change:', columns([heading, ...plan.schools.map(line)])]
      : []),
  ];
}

const runsShown = 50;

async function listRuns(db: Database, feed: string | null, json: boolean): Promise<string> {
  const { rows } = await sql<{
    id: string;
    feed: string;
    kind: string;
    state: string;
    started_at: Date;
    actor: string;
    decided_by: string | null;
    reason: string | null;
    counts: Record<string, number>;
    message: string | null;
  }>`select id, feed, kind, state, started_at, actor, decided_by, reason, counts, message from feed_runs
    where ${feed}::text is null or feed = ${feed} order by no desc limit ${runsShown}`.execute(db);
  if (json) return JSON.stringify(rows);
  if (rows.length === 0) return 'There are none.';
  return columns([
    ['run', 'feed', 'kind', 'state', 'started', 'read', 'applied', 'ended', 'by', 'reason'],
    ...rows.map((run) => [
      run.id,
      run.feed,
      run.kind,
      run.state.replace('_', ' '),
      utcMinute(run.started_at),
      String(run.counts['read'] ?? 0),
      String(run.counts['applied'] ?? 0),
      String(run.counts['ended'] ?? 0),
      run.decided_by ?? run.actor,
      run.reason ?? run.message ?? '',
    ]),
  ]);
}
