import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { aMinuteLater, layFeed } from './feed-house.js';
import type { FeedStage } from './feed-house.js';
import { planned } from './house.js';
import type { Finding } from './house.js';

const contacts = 6_000;
const kills = planned(100);
const cuts = planned(60);
const races = planned(20);

/** What a fault left, over all rounds. */
interface Tally {
  before: number;
  after: number;
  /** Neither what stood nor what was to stand. */
  half: number;
  /** The next import was not possible. */
  stuck: number;
}

/** Both states that may stand, and which file leads to the other one. */
interface Sides {
  digests: { today: string; tomorrow: string };
  next(): { path: string; before: string; after: string };
  now(): Promise<string>;
}

async function sidesOf(scene: FeedStage): Promise<Sides> {
  const today = await scene.digest();
  await scene.load(scene.tomorrow);
  const tomorrow = await scene.digest();
  let stands = tomorrow;
  return {
    digests: { today, tomorrow },
    next: () =>
      stands === today
        ? { path: scene.tomorrow, before: today, after: tomorrow }
        : { path: scene.today, before: tomorrow, after: today },
    now: async () => (stands = await scene.digest()),
  };
}

/** Breaks an import off, and looks at what stands, and whether the next one goes through. */
async function round(
  scene: FeedStage,
  sides: Sides,
  tally: Tally,
  breakOff: (path: string, step: { before: string; after: string }) => Promise<void>,
): Promise<void> {
  const { path, before, after } = sides.next();
  await breakOff(path, { before, after });
  const left = await scene.digest();
  if (left === before) tally.before += 1;
  else if (left === after) tally.after += 1;
  else tally.half += 1;
  await aMinuteLater(scene);
  const again = await scene.load(path);
  if (!['applied', 'unchanged'].includes(again.state) || (await sides.now()) !== after) tally.stuck += 1;
}

/** Waits until the program's import has its turn. */
async function untilRunning({ stage }: FeedStage): Promise<void> {
  for (;;) {
    const { rows } = await sql`select 1 from feeds where running_run is not null`.execute(stage.database.db);
    if (rows.length > 0) return;
    await pause(3);
  }
}

async function killed(scene: FeedStage, sides: Sides, within: number): Promise<Tally> {
  const tally: Tally = { before: 0, after: 0, half: 0, stuck: 0 };
  for (let each = 0; each < kills; each += 1) {
    await round(scene, sides, tally, async (path) => {
      const program = scene.program(path);
      const ended = once(program, 'exit');
      await Promise.race([untilRunning(scene), ended]);
      // Evenly over the time that a whole run takes.
      await pause((within * (each + 0.5)) / kills);
      program.kill('SIGKILL');
      await ended;
      await settled(scene);
    });
  }
  return tally;
}

/** Waits until the server has given up what the killed process had under way. */
async function settled({ stage }: FeedStage): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
        and application_name = 'parent-access' and state <> 'idle'`.execute(stage.database.db);
    if (rows.length === 0) return;
    await pause(10);
  }
}

/** The connections of an import are cut at a moment of it. */
async function databaseGone(scene: FeedStage, sides: Sides, within: number): Promise<Tally> {
  const tally: Tally = { before: 0, after: 0, half: 0, stuck: 0 };
  for (let each = 0; each < cuts; each += 1) {
    await round(scene, sides, tally, async (path) => {
      const loading = scene.load(path).catch(() => null);
      await Promise.race([untilRunning(scene), loading]);
      await pause((within * (each + 0.5)) / cuts);
      await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`.execute(scene.stage.database.db);
      await loading;
      await settled(scene);
    });
  }
  return tally;
}

async function twoAtOnce(
  scene: FeedStage,
  sides: Sides,
): Promise<{ one: number; two: number; none: number; wrong: number }> {
  const tally = { one: 0, two: 0, none: 0, wrong: 0 };
  for (let each = 0; each < races; each += 1) {
    const { path, after } = sides.next();
    const states = await Promise.all(
      [scene.program(path), scene.program(path)].map(async (program) => {
        let said = '';
        program.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
        await once(program, 'exit');
        return said === '' ? 'refused' : (JSON.parse(said) as { state: string }).state;
      }),
    );
    const applied = states.filter((state) => state === 'applied').length;
    tally[applied === 1 ? 'one' : applied === 0 ? 'none' : 'two'] += 1;
    if ((await sides.now()) !== after) tally.wrong += 1;
  }
  return tally;
}

/** The least that an import of the one file over the other takes (ms): what comes later than that would often come too late. */
async function shortest(scene: FeedStage, sides: Sides): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let each = 0; each < 5; each += 1) {
    const { path } = sides.next();
    const began = performance.now();
    await scene.load(path);
    least = Math.min(least, performance.now() - began);
    await sides.now();
  }
  return least;
}

/** Imports that are killed, cut off from the database, or two at once. */
export async function feedsBrokenOff(): Promise<Finding[]> {
  const scene = await layFeed(contacts);
  try {
    const sides = await sidesOf(scene);
    const within = await shortest(scene, sides);
    const told = ({ before, after, half, stuck }: Tally): string =>
      `${before} left the state before, ${after} had ended before the fault, ${half} half; ${stuck} times the next import did not go through`;
    const holds = ({ before, half, stuck }: Tally): boolean => before > 0 && half === 0 && stuck === 0;
    const bar = 'all or nothing; the next import goes through a minute later';
    const dead = await killed(scene, sides, within);
    const gone = await databaseGone(scene, sides, within);
    const both = await twoAtOnce(scene, sides);
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from staged_rows`.execute(
      scene.stage.database.db,
    );
    return [
      {
        name: `kill -9 × ${kills}, evenly over an import of ${scene.rows} rows (${Math.round(within)} ms)`,
        bar,
        measured: told(dead),
        holds: holds(dead),
      },
      {
        name: `the database’s connections cut × ${cuts}, evenly over an import`,
        bar,
        measured: told(gone),
        holds: holds(gone),
      },
      {
        name: `two imports of one feed at once × ${races}`,
        bar: 'one applies, the other is refused or finds nothing to do',
        measured: `one applied in ${both.one}, both in ${both.two}, none in ${both.none}; ${both.wrong} wrong states`,
        holds: both.one === races && both.wrong === 0,
      },
      {
        name: 'staged rows left behind after all of these',
        bar: 'none',
        measured: String(rows[0]?.count),
        holds: rows[0]?.count === 0,
      },
    ];
  } finally {
    await scene.close();
  }
}
