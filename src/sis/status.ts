import { CronExpressionParser } from 'cron-parser';
import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import type { FeedsFile } from './feeds-file.js';

export interface FeedStatus {
  name: string;
  sis: string;
  label: string;
  /** When its last file was loaded, or found to be the one already loaded; null before the first. */
  loadedAt: Date | null;
  /** Null without a schedule. */
  nextAt: Date | null;
}

/** When each SIS was last loaded and loads next, in the order of the feeds file. The same for everybody who asks. */
export async function feedStatus(db: Database, file: FeedsFile, clock: Clock, timeZone: string): Promise<FeedStatus[]> {
  const { rows } = await sql<{
    sis: string;
    last_loaded_at: Date | null;
  }>`select sis, last_loaded_at from feeds`.execute(db);
  return file.feeds.map((feed) => ({
    name: feed.name,
    sis: feed.sis,
    label: feed.label ?? feed.name,
    loadedAt: rows.find((row) => row.sis === feed.sis)?.last_loaded_at ?? null,
    nextAt: feed.schedule === undefined ? null : nextRun(feed.schedule, clock(), timeZone),
  }));
}

/** The next moment of a cron schedule after `now`, in the wall clock of the time zone. */
export function nextRun(schedule: string, now: Date, timeZone: string): Date {
  return CronExpressionParser.parse(schedule, { currentDate: now, tz: timeZone }).next().toDate();
}
