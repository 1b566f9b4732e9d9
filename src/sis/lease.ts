import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { FeedRefused } from './feeds/format.js';
import { stagingTables } from './staging-tables.js';

/** A run that gave no sign of life for this long has lost its turn (ms). */
const silence = 60_000;
const second = 1_000;

/**
 * Takes a feed's turn for a run. The turn is a row, not a session's lock, so that it works behind a connection pooler; it is proved again
 * under a row lock before anything is applied (`holdTurn`), so a run that lost it in the meantime changes nothing.
 *
 * @param run `held`: one that waited and is taken up again, and not a new one
 * @returns the run's number
 * @throws FeedRefused when another run of the feed is under way, or the feed is unknown
 */
export async function takeTurn(
  db: Database,
  feed: string,
  run: { id: string; actor: string; held?: boolean },
  clock: Clock,
): Promise<number> {
  return await db.transaction().execute(async (trx) => {
    const now = clock();
    const { rows } = await sql<Turn>`
      select running_run, running_beat_at from feeds where name = ${feed} and removed_at is null for update`.execute(
      trx,
    );
    const [row] = rows;
    if (row === undefined) throw new FeedRefused(`There is no feed "${feed}".`);
    if (lives(row, now)) {
      throw new FeedRefused(`Another import of "${feed}" is under way; this one did nothing.`);
    }
    await endLost(trx, now, feed);
    await sql`update feeds set running_run = ${run.id}, running_beat_at = ${now} where name = ${feed}`.execute(trx);
    const numbered = run.held
      ? await sql<{ no: number }>`
          update feed_runs set state = 'running' where id = ${run.id} and feed = ${feed} and state = 'held' returning no`.execute(
          trx,
        )
      : await sql<{ no: number }>`
          insert into feed_runs (id, feed, actor, started_at, state)
          values (${run.id}, ${feed}, ${run.actor}, ${now}, 'running') returning no`.execute(trx);
    const no = numbered.rows[0]?.no;
    if (no === undefined) throw new FeedRefused('That run is not held any more.');
    return no;
  });
}

/**
 * Whether a run of the feed is under way: it gave a sign of life, or it applies, with the feed's row locked and no way to give one. One whose
 * process was killed is not, however its row looks.
 */
export async function isUnderWay(db: Database, feed: string, clock: Clock): Promise<boolean> {
  const { rows } = await sql<Turn>`
    select running_run, running_beat_at from feeds where name = ${feed} for update skip locked`.execute(db);
  const [row] = rows;
  return row === undefined || lives(row, clock());
}

interface Turn {
  running_run: string | null;
  running_beat_at: Date | null;
}

function lives({ running_run: run, running_beat_at: beatAt }: Turn, now: Date): boolean {
  return run !== null && now.getTime() - (beatAt?.getTime() ?? 0) < silence;
}

/** For a work in many small steps: says at most once a second that the run lives. @throws FeedRefused when it has lost its turn */
export function pulseOf(db: Database, feed: string, runId: string, clock: Clock): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = clock().getTime();
    if (now - last < second) return;
    last = now;
    await beat(db, feed, runId, clock);
  };
}

async function beat(db: Database, feed: string, runId: string, clock: Clock): Promise<void> {
  const { numAffectedRows } = await sql`
    update feeds set running_beat_at = ${clock()} where name = ${feed} and running_run = ${runId}`.execute(db);
  if (numAffectedRows !== 1n) throw lostTurn(feed);
}

/** Says that the run lives all through a work that has no steps of its own to say it in. What is lost meanwhile shows in `holdTurn`. */
export async function whileBeating<T>(
  db: Database,
  feed: string,
  runId: string,
  clock: Clock,
  work: () => Promise<T>,
): Promise<T> {
  const beating = setInterval(() => void beat(db, feed, runId, clock).catch(() => {}), silence / 3);
  try {
    return await work();
  } finally {
    clearInterval(beating);
  }
}

// Any constant. Two feeds apply one after the other: each must see the people that the other brings, for the orders that cross.
const applying = 716_230_001;

/** Proves the turn to the end of the transaction, and waits for another feed's. @throws FeedRefused when the run has lost it */
export async function holdTurn(trx: DatabaseTransaction, feed: string, runId: string): Promise<void> {
  const { rows } = await sql`select 1 from feeds where name = ${feed} and running_run = ${runId} for update`.execute(
    trx,
  );
  if (rows.length === 0) throw lostTurn(feed);
  await sql`select pg_advisory_xact_lock(${applying})`.execute(trx);
}

/** Gives the turn back, if the run still has it. */
export async function giveTurnBack(db: Database, feed: string, runId: string): Promise<void> {
  await sql`update feeds set running_run = null, running_beat_at = null where name = ${feed} and running_run = ${runId}`.execute(
    db,
  );
}

/**
 * Ends the runs that a killed process left, at once. Only for the start of a process that has the database for itself (the embedded
 * one); elsewhere a turn lapses by itself after a minute of silence.
 */
export async function endAbandonedRuns(db: Database, clock: Clock): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await endLost(trx, clock(), null);
    await sql`update feeds set running_run = null, running_beat_at = null where running_run is not null`.execute(trx);
  });
}

async function endLost(trx: DatabaseTransaction, now: Date, feed: string | null): Promise<void> {
  // One that was being approved waits again from when it was held: what was taken back since speaks against it.
  await sql`
    update feed_runs set state = case when exists (select 1 from held_rows h where h.run_id = feed_runs.id) then 'held' else 'failed' end,
      finished_at = coalesce(finished_at, ${now}),
      message = case when exists (select 1 from held_rows h where h.run_id = feed_runs.id) then message else 'The process that ran it ended.' end
    where state = 'running' and (${feed}::text is null or feed = ${feed})`.execute(trx);
  for (const table of stagingTables) {
    await sql`
      delete from ${sql.table(table)} where run_id not in (select id from feed_runs where state = 'running')`.execute(
      trx,
    );
  }
}

function lostTurn(feed: string): FeedRefused {
  return new FeedRefused(`Another import of "${feed}" took over; this one did nothing.`);
}
