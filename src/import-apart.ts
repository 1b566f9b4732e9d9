import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ImportRequest } from './imports.js';
import type { FeedsFile } from './sis/feeds-file.js';
import type { RunReport } from './sis/runs.js';

/** What the process is asked. */
export interface Asked {
  /** As the server was started with: the file may be in the middle of being edited, or name what the database was not told of. */
  feeds: FeedsFile;
  feed: string;
  actor: string;
  request: ImportRequest;
}

/** What it answers: a report, or the error that it threw. */
export type Answer = { report: RunReport } | { error: { name: string; message: string; code: unknown } };

/** Imports as `runImport` does, elsewhere. */
export type ImportApart = (feeds: FeedsFile, feed: string, actor: string, request: ImportRequest) => Promise<RunReport>;

// The source while it is developed, compiled where it runs.
const program = fileURLToPath(new URL(`./import-program${extname(import.meta.url)}`, import.meta.url));

/**
 * Imports in a process of its own, of low priority: reading a district's file takes a core for seconds to minutes, in which a sign-in's dozen of
 * steps would each wait for a block of it. It has this process's environment and feeds, and ends with it.
 *
 * @throws what the import throws, by name, message and code; or that the process ended, and the run lapses within a minute
 */
export const importApart: ImportApart = async (feeds, feed, actor, request) => {
  const child = fork(program, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // From its first breath: loading its modules takes a second of a core.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const asked: Asked = { feeds, feed, actor, request };
  child.send(asked);
  const over = once(child, 'exit').then(([code, signal]: unknown[]): never => {
    throw new Error(`The process of an import ended (${String(signal ?? code)}).`);
  });
  over.catch(() => {});
  const [answer] = (await Promise.race([once(child, 'message'), over])) as [Answer];
  if ('report' in answer) return answer.report;
  const { name, message, code } = answer.error;
  throw Object.assign(new Error(message), { name, code });
};
