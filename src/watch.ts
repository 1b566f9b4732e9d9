import { lstat, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { runImport } from './imports.js';
import type { ImportParts } from './imports.js';
import { localPath } from './sis/feeds-file.js';
import type { Feed } from './sis/feeds-file.js';
import { isUnderWay } from './sis/lease.js';
import { digestOf } from './sis/on-disk.js';
import { endedSince } from './sis/runs.js';
import type { RunReport, RunState } from './sis/runs.js';

/** How long a file waits whose import broke off, as when the database is away: twice as long each time (ms). */
const firstWait = 10_000;
const longestWait = 3_600_000;

/** Whose the imports are. */
const actor = 'watch';

/** How often the folders are looked at (ms). */
const between = 5_000;

/** A file that was written to within this time (ms) may not be whole yet. */
const settling = 3_000;

/** The clocks of a file system and of this machine may be apart (ms). */
const unlike = 1_000;

/** Bytes of a name that are kept: file systems take 255. */
const longestName = 180;

/** Where a file goes when its run has ended. */
const rooms = { applied: 'done', unchanged: 'done', held: 'held', refused: 'refused', failed: 'refused' } as const;

/** `school-1042.delta.csv` says nothing of what it does not hold; any other file is the whole. */
const deltaName = /\.delta\.[a-z0-9]+$/i;

export interface Watch {
  /** Resolves when the file at work is done. */
  stop(): Promise<void>;
}

/**
 * Takes the files that are dropped into the folders of feeds, oldest name first, as soon as nobody writes to them any more. A file at work is
 * in `working`, where no other instance takes it, and is taken up again when its process ended; then it goes to `done`, `held` or `refused`.
 */
export function watchFolders(parts: ImportParts, logger: Logger): Watch {
  const feeds = parts.feeds.feeds.flatMap((feed) =>
    'folder' in feed.place ? [{ feed, folder: localPath(feed.place, parts.dataDir) }] : [],
  );
  const waits = new Map<string, Wait>();
  const stuck = new Set<string>();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();
  const look = async (): Promise<void> => {
    for (const { feed, folder } of feeds) {
      if (stopped) return;
      await lookAt({ parts, feed, folder, logger, waits, stuck, stopped: () => stopped }).catch((error: unknown) =>
        logger.error({ err: error, feed: feed.name }, 'the folder of a feed cannot be used'),
      );
    }
    if (!stopped) timer = setTimeout(() => void (looking = look()), between).unref();
  };
  if (feeds.length > 0) looking = look();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

interface Wait {
  /** `Date.now()` before which it is not tried. */
  until: number;
  length: number;
}

interface Look {
  parts: ImportParts;
  feed: Feed;
  folder: string;
  logger: Logger;
  /** Of files whose import broke off, by their path. */
  waits: Map<string, Wait>;
  /** Paths of files that were taken and could not be moved on: they are not taken again. */
  stuck: Set<string>;
  stopped(): boolean;
}

async function lookAt(look: Look): Promise<void> {
  const { parts, feed, folder, waits, stuck } = look;
  await openRooms(folder);
  // Whoever works on the feed now has its own file there.
  const underWay = await isUnderWay(parts.db, feed.name, parts.clock);
  if (!underWay) await moveOnEnded(look);
  const waiting = underWay ? [] : await waitingIn(folder);
  for (const path of stuck)
    if (dirname(path) === join(folder, 'working') && !waiting.includes(basename(path))) stuck.delete(path);
  for (const name of waiting) {
    if (look.stopped()) return;
    if (stuck.has(join(folder, 'working', name))) continue;
    // Files are taken in their order: none overtakes one that waits.
    if (Date.now() < (waits.get(join(folder, 'working', name))?.until ?? 0)) return;
    await take(look, name);
  }
}

/**
 * Makes the rooms of a folder where they are missing. Whoever may leave files here could lay a link to a folder of the server in a room's place:
 * its files would be taken for a feed's, and moved to where they can be read.
 *
 * @throws when a room leads elsewhere
 */
async function openRooms(folder: string): Promise<void> {
  for (const room of ['working', ...new Set(Object.values(rooms))]) {
    await mkdir(join(folder, room), { recursive: true });
    if (!(await lstat(join(folder, room))).isDirectory()) throw new Error(`${room} in it is a link to elsewhere.`);
  }
}

/**
 * Moves on what a process left in `working` that ended between the end of a file's run and this, or could not move it: applied a second time it
 * would undo what came later, a restriction perhaps. The time at which it was last moved is that of its change of name.
 */
async function moveOnEnded({ parts, feed, folder, logger, waits, stuck }: Look): Promise<void> {
  for (const name of (await plainFiles(join(folder, 'working'))).sort()) {
    const path = join(folder, 'working', name);
    if (waits.has(path) || stuck.has(path)) continue;
    const run = await endedRun(parts, feed, folder, path).catch((error: unknown) => {
      if (isGone(error)) return null;
      throw error;
    });
    if (run !== null) await moveOn({ folder, feed, logger, stuck }, name, run);
  }
}

/** The run of this very file: the same bytes may have come before, or under another name, whose run has a file in a room already. */
async function endedRun({ db }: ImportParts, { name: feed }: Feed, folder: string, path: string) {
  const since = new Date((await stat(path)).ctimeMs - unlike);
  const runs = await endedSince(db, { feed, actor, digest: await digestOf(path), since });
  if (runs.length === 0) return null;
  const moved = await Promise.all([...new Set(Object.values(rooms))].map((room) => plainFiles(join(folder, room))));
  return runs.find(({ id }) => !moved.flat().some((file) => file.startsWith(id))) ?? null;
}

/** Names in `working`: those left by a process that ended, and those that are whole and could be moved there now. */
async function waitingIn(folder: string): Promise<string[]> {
  const working = new Set(await plainFiles(join(folder, 'working')));
  for (const name of await plainFiles(folder)) {
    // One of the same name that is not done yet is not written over: a delta would be lost, and what it restricts.
    if (name.startsWith('.') || working.has(name)) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs < settling) continue;
    // Of two instances one moves it; the other finds it gone.
    await rename(join(folder, name), join(folder, 'working', name)).catch(() => {});
  }
  return (await plainFiles(join(folder, 'working'))).sort();
}

/** No folders, and no links: whoever may leave files here must not have others read, or devices that never end. */
async function plainFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function take({ parts, feed, folder, logger, waits, stuck }: Look, name: string): Promise<void> {
  const path = join(folder, 'working', name);
  let report: RunReport;
  try {
    report = await runImport(parts, feed.name, actor, { from: path, delta: deltaName.test(name) });
  } catch (error) {
    logger.error({ err: error, feed: feed.name }, 'import');
    const length = Math.min(longestWait, (waits.get(path)?.length ?? firstWait / 2) * 2);
    waits.set(path, { until: Date.now() + length, length });
    return;
  }
  waits.delete(path);
  // Another instance was quicker; its file is not ours to move.
  if (report.busy) return;
  const { state, counts, message, runId } = report;
  const level = state === 'applied' || state === 'unchanged' ? 'info' : 'error';
  logger[level]({ feed: feed.name, run: runId, state, counts, message }, 'import');
  // Nor is that where this run fell silent for so long that another took its turn over, and reads the file now.
  if (state === 'refused' && (await isUnderWay(parts.db, feed.name, parts.clock))) return;
  await moveOn({ folder, feed, logger, stuck }, name, { id: runId, state });
}

/** To the room of its run's outcome; of what people decided since, that is `done`. */
async function moveOn(
  { folder, feed, logger, stuck }: Pick<Look, 'folder' | 'feed' | 'logger' | 'stuck'>,
  name: string,
  { id, state }: { id: string; state: RunState },
): Promise<void> {
  const path = join(folder, 'working', name);
  const room = state in rooms ? rooms[state as keyof typeof rooms] : 'done';
  // An import takes minutes, in which a room can become a link.
  const moved = openRooms(folder).then(() => rename(path, join(folder, room, `${id}-${clipped(name)}`)));
  await moved.catch((error: unknown) => {
    if (isGone(error)) return;
    stuck.add(path);
    logger.error({ err: error, feed: feed.name, run: id }, 'a file that was taken cannot be moved on');
  });
}

function isGone(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

/** The end of a name, so that with the run's id before it no file system finds it too long. */
function clipped(name: string): string {
  return Buffer.from(name).subarray(-longestName).toString();
}
