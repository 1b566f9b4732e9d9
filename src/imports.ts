import type { Logger } from 'pino';
import type { Foundation } from './foundation.js';
import type { ImportApart } from './import-apart.js';
import type { RecordEvent } from './audit/audit.js';
import type { Database } from './database/database.js';
import type { Schedule, Worker } from './jobs/jobs.js';
import { approveRun, discardRun } from './sis/decide.js';
import { localPath } from './sis/feeds-file.js';
import type { Feed, FeedsFile } from './sis/feeds-file.js';
import { bulkLoader } from './sis/loader.js';
import { importFeed } from './sis/import.js';
import { joinAfterRuns } from './sis/join-after.js';
import type { ImportTools, Progress } from './sis/import.js';
import { FeedRefused } from './sis/feeds/format.js';
import type { FeedSource } from './sis/feeds/format.js';
import type { HttpsSource } from './sis/places/bring.js';
import { rollBackRun } from './sis/roll-back.js';
import type { RunReport } from './sis/runs.js';
import { nextRun } from './sis/status.js';

export const importQueue = 'import';

/** A feed by a name that no feed has. */
export class UnknownFeed extends Error {
  constructor(name: string, known: string[]) {
    super(`There is no feed "${name}". The feeds are: ${known.join(', ')}.`);
    this.name = 'UnknownFeed';
  }
}

export interface ImportParts extends ImportTools {
  db: Database;
  dataDir: string;
  feeds: FeedsFile;
  /** The value of the Authorization header with which a feed is fetched, by the feed's name. */
  feedAuthorization?: ReadonlyMap<string, string>;
  /** Where imports are not done in this process. */
  importApart?: ImportApart;
}

/** How somebody asks for an import. */
export interface ImportRequest {
  /** A file or folder instead of the feed's own place. */
  from?: string;
  delta?: boolean;
  dryRun?: boolean;
  again?: boolean;
  whole?: boolean;
}

function feedNamed({ feeds }: ImportParts, name: string): Feed {
  const feed = feeds.feeds.find((candidate) => candidate.name === name);
  if (feed !== undefined) return feed;
  throw new UnknownFeed(
    name,
    feeds.feeds.map((known) => known.name),
  );
}

/**
 * Imports a feed, from its place or from where the request says.
 *
 * @throws UnknownFeed
 */
export async function runImport(
  parts: ImportParts,
  name: string,
  actor: string,
  { dryRun = false, again = false, whole = false, ...asked }: ImportRequest = {},
  onProgress?: (progress: Progress) => void,
): Promise<RunReport> {
  const feed = feedNamed(parts, name);
  if (parts.importApart !== undefined)
    return parts.importApart(parts.feeds, name, actor, { ...asked, dryRun, again, whole });
  return importFeed(parts.db, {
    ...parts,
    feed,
    source: sourceOf(parts, feed, asked),
    actor,
    dryRun,
    again,
    whole,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

function sourceOf(
  parts: ImportParts,
  { name, place }: Feed,
  { from, delta = false }: ImportRequest,
): FeedSource | HttpsSource {
  if (from !== undefined) return { path: from, delta };
  if ('file' in place) return { path: localPath(place, parts.dataDir), delta };
  if ('url' in place) return { url: place.url, authorization: parts.feedAuthorization?.get(name) ?? null };
  throw new FeedRefused(`The files of "${name}" are taken from its folder as they come; for another say --from PATH.`);
}

export type DecisionVerb = 'approve' | 'discard' | 'rollback';

/**
 * Approves, discards or rolls back a run.
 *
 * @throws FeedRefused saying why it cannot be
 */
export async function decideRun(
  parts: ImportParts,
  verb: DecisionVerb,
  decision: { runId: string; actor: string; reason: string },
): Promise<RunReport> {
  const options = { ...parts, ...decision };
  if (verb === 'discard') return discardRun(parts.db, options);
  return verb === 'approve'
    ? approveRun(parts.db, options, (name) => feedNamed(parts, name))
    : rollBackRun(parts.db, options, (name) => feedNamed(parts, name).sis);
}

/** What imports are done with in a running house. */
export function importParts(
  {
    config,
    clock,
    feeds,
    importDatabase,
    importApart,
  }: Pick<Foundation, 'config' | 'clock' | 'feeds' | 'importDatabase' | 'importApart'>,
  audit: RecordEvent,
): ImportParts {
  const { timeZone, dataDir, feedAuthorization } = config;
  const { db } = importDatabase;
  const here = { db, load: bulkLoader(importDatabase), clock, timeZone, dataDir, feeds, feedAuthorization, audit };
  return importApart === undefined ? here : { ...here, importApart };
}

/** When each feed is loaded from its file. */
export function importSchedules({ feeds }: FeedsFile, timeZone: string): Schedule[] {
  return feeds.flatMap(({ name, schedule, place }) =>
    schedule === undefined || 'folder' in place
      ? []
      : [{ queue: importQueue, key: name, cron: schedule, timeZone, payload: { feed: name } }],
  );
}

/**
 * The worker of imports by schedule. A refusal stands in the run's report and the log, and trying again would not help; but a place that
 * cannot be reached is asked again, with growing waits, for a day, and so is one of which another run has the turn: a run that was killed
 * has it for a minute more.
 */
export function importWorker(parts: ImportParts, logger: Logger): Worker {
  return async (payload) => {
    const report = await runImport(parts, String(payload['feed']), 'schedule');
    const level = report.state === 'applied' || report.state === 'unchanged' ? 'info' : 'error';
    logger[level]({ feed: report.feed, state: report.state, counts: report.counts, message: report.message }, 'import');
    // A schedule of every few minutes comes again by itself.
    if (!(report.away || report.busy) || comesSoon(parts, report.feed)) return;
    throw new Error(
      report.busy ? 'Another import of the feed is under way.' : 'The place of the feed cannot be reached.',
    );
  };
}

const soon = 1_800_000;

function comesSoon({ feeds, clock, timeZone }: ImportParts, name: string): boolean {
  const schedule = feeds.feeds.find((feed) => feed.name === name)?.schedule;
  const now = clock();
  return schedule !== undefined && nextRun(schedule, now, timeZone).getTime() - now.getTime() < soon;
}

const joinQueue = 'joins';

/** Each minute: what joins after an import, and was not done right after it. */
export function joinJobs(parts: ImportParts): { workers: Record<string, Worker>; schedules: Schedule[] } {
  return {
    workers: { [joinQueue]: () => joinAfterRuns(parts.db, parts) },
    schedules: [{ queue: joinQueue, key: 'all', cron: '* * * * *', timeZone: 'UTC', payload: {} }],
  };
}
