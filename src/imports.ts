import type { Logger } from 'pino';
import type { RecordEvent } from './audit/audit.js';
import type { Clock } from './database/clock.js';
import type { Database } from './database/database.js';
import type { Worker } from './jobs/jobs.js';
import { feedPath } from './sis/feeds-file.js';
import type { FeedsFile } from './sis/feeds-file.js';
import { importFeed } from './sis/import.js';
import type { RunReport } from './sis/import.js';

export const importQueue = 'import';

/** A feed by a name that no feed has. */
export class UnknownFeed extends Error {
  constructor(name: string, known: string[]) {
    super(`There is no feed "${name}". The feeds are: ${known.join(', ')}.`);
    this.name = 'UnknownFeed';
  }
}

export interface ImportParts {
  db: Database;
  clock: Clock;
  timeZone: string;
  dataDir: string;
  feeds: FeedsFile;
  audit: RecordEvent;
}

/**
 * Imports a feed from its place.
 *
 * @throws UnknownFeed
 */
export async function runImport(parts: ImportParts, name: string, actor: string): Promise<RunReport> {
  const { db, clock, timeZone, dataDir, feeds, audit } = parts;
  const feed = feeds.feeds.find((candidate) => candidate.name === name);
  if (feed === undefined)
    throw new UnknownFeed(
      name,
      feeds.feeds.map((known) => known.name),
    );
  return importFeed(db, {
    feed,
    source: feedPath(feed, dataDir),
    clock,
    timeZone,
    actor,
    audit,
  });
}

/** The worker of imports by schedule. A refusal stands in the run's report and the log; trying again would not help. */
export function importWorker(parts: ImportParts, logger: Logger): Worker {
  return async (payload) => {
    const report = await runImport(parts, String(payload['feed']), 'schedule');
    const level = report.state === 'applied' || report.state === 'unchanged' ? 'info' : 'error';
    logger[level]({ feed: report.feed, state: report.state, counts: report.counts, message: report.message }, 'import');
  };
}
