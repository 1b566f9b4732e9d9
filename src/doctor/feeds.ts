import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { CronExpressionParser } from 'cron-parser';
import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { utcMinute } from '../locales/dates.js';
import { localPath } from '../sis/feeds-file.js';
import type { Feed, FeedsFile } from '../sis/feeds-file.js';
import { bounded, failed, ok, reasonOf, warning } from './check.js';
import type { Check } from './check.js';
import { connects } from './connects.js';

const hour = 3_600_000;

/** The place of each feed can be read. */
export async function feedPlaces(feeds: FeedsFile, dataDir: string): Promise<Check[]> {
  const repair = 'See that the share with the file is mounted.';
  const made = feeds.feeds.map((feed) =>
    bounded(`place of feed ${feed.name}`, repair, () =>
      'url' in feed.place
        ? addressOf(feed.name, new URL(feed.place.url))
        : placeOf(feed, localPath(feed.place, dataDir)),
    ),
  );
  return (await Promise.all(made)).flat();
}

async function placeOf(feed: Feed, path: string): Promise<Check> {
  const name = `place of feed ${feed.name}`;
  try {
    await access(path, constants.R_OK);
    const folder = 'folder' in feed.place;
    const found = await stat(path);
    if (folder && !found.isDirectory()) throw Object.assign(new Error('a file'), { code: 'ENOTDIR' });
    if (!folder && !found.isFile()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    // Files at work are moved within it.
    if (folder) await access(path, constants.W_OK);
    return ok(name, `${path} can be read.`);
  } catch (error) {
    const found = `${path} cannot be read: ${reasonOf(error)}.`;
    if (feed.sample) return warning(name, found, 'Start the server: it makes the sample district.');
    return failed(name, found, 'Have the SIS write its extract there readable to this user, or correct feeds.json.');
  }
}

async function addressOf(feed: string, address: URL): Promise<Check> {
  const name = `place of feed ${feed}`;
  try {
    await connects(address, 5_000);
    return ok(name, `${address.origin} can be reached.`);
  } catch (error) {
    return failed(
      name,
      `${address.origin} cannot be reached: ${reasonOf(error)}.`,
      'See that the server of the SIS runs and that its certificate is one this server knows (NODE_EXTRA_CA_CERTS), or correct feeds.json.',
    );
  }
}

interface FeedRow {
  sis: string;
  last_loaded_at: Date | null;
  last_state: string | null;
  /** A run of the feed is held. */
  waits: boolean;
}

/** Each feed was loaded when its schedule says. Feeds that left the file do not count. */
export async function feedFreshness(db: Database, feeds: FeedsFile, clock: Clock, timeZone: string): Promise<Check[]> {
  const { rows } = await sql<FeedRow>`
    select sis, last_loaded_at, (
      select state from feed_runs where feed = feeds.name order by started_at desc limit 1
    ) as last_state, exists (select from feed_runs where feed = feeds.name and state = 'held') as waits from feeds`.execute(
    db,
  );
  return feeds.feeds.map((feed) =>
    freshness(feed, rows.find((row) => row.sis === feed.sis) ?? null, clock(), timeZone),
  );
}

function freshness(feed: Feed, row: FeedRow | null, now: Date, timeZone: string): Check {
  const name = `feed ${feed.name}`;
  const command = `\`parent-access import --feed ${feed.name}\``;
  const loadedAt = row?.last_loaded_at ?? null;
  if (loadedAt === null) return warning(name, 'It was never loaded.', `Run ${command}.`);
  const when = utcMinute(loadedAt);
  if (row?.waits === true) {
    return warning(
      name,
      `A file of it waits for a decision; what stands is of ${when}.`,
      `Look at \`parent-access import runs --feed ${feed.name}\`, then approve or discard it.`,
    );
  }
  if (row?.last_state === 'refused' || row?.last_state === 'failed') {
    return warning(
      name,
      `Its last file was not loaded (${row.last_state}); what stands is of ${when}.`,
      `Run ${command}: it says the reason, with line and column.`,
    );
  }
  return isStale(feed.schedule, loadedAt, now, timeZone)
    ? warning(
        name,
        `It was last loaded at ${when}, ${Math.floor((now.getTime() - loadedAt.getTime()) / hour)} hours ago.`,
        `See that a server runs and that the SIS writes its file, then run ${command}.`,
      )
    : ok(name, `It was last loaded at ${when}.`);
}

/**
 * Without a schedule after 26 hours. With one, two hours after a turn that loaded nothing, which for a nightly feed is the same,
 * or after two such turns: a weekly feed is not stale on Tuesday, and an hourly one is after two hours.
 */
function isStale(schedule: string | undefined, loadedAt: Date, now: Date, timeZone: string): boolean {
  if (schedule === undefined) return now.getTime() - loadedAt.getTime() > 26 * hour;
  const turns = CronExpressionParser.parse(schedule, { currentDate: now, tz: timeZone });
  const last = turns.prev().getTime();
  const before = turns.prev().getTime();
  const loaded = loadedAt.getTime();
  return loaded < before || (loaded < last && now.getTime() - last > 2 * hour);
}
