import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
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

/** A question with its number, on the way to a process that imports; several may be under way. */
export interface Errand {
  no: number;
  asked: Asked;
}

export interface Outcome {
  no: number;
  answer: Answer;
}

/** Imports as `runImport` does, elsewhere. */
export type ImportApart = (feeds: FeedsFile, feed: string, actor: string, request: ImportRequest) => Promise<RunReport>;

// The source while it is developed, compiled where it runs.
const starterProgram = fileURLToPath(new URL(`./import-starter${extname(import.meta.url)}`, import.meta.url));

interface Starter {
  process: ChildProcess;
  /** Who waits for an answer, by the number of the question. */
  waiting: Map<number, (answer: Answer) => void>;
}

function start(onEnd: () => void): Starter {
  const child = fork(starterProgram, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // From its first breath: loading even a few modules takes a part of a core.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const waiting: Starter['waiting'] = new Map();
  child.on('message', ({ no, answer }: Outcome) => {
    waiting.get(no)?.(answer);
    waiting.delete(no);
  });
  const over = (): void => {
    onEnd();
    const message = 'The process that starts imports ended.';
    for (const answered of waiting.values()) answered({ error: { name: 'Error', message, code: null } });
    waiting.clear();
  };
  child.on('error', over);
  child.once('disconnect', over);
  return { process: child, waiting };
}

/**
 * Imports in processes of their own, of low priority: reading a district's file takes a core for seconds to minutes, in which a sign-in's dozen
 * of steps would each wait for a block of it. They have this process's environment and feeds, and end with it. What starts them is a process
 * too (`import-starter.ts`), begun here, before anybody signs in.
 */
export function openImportsApart(): { importApart: ImportApart; close: () => void } {
  let starter: Starter | null = null;
  const started = (): Starter => {
    starter ??= start(() => (starter = null));
    return starter;
  };
  let last = 0;
  started();
  return {
    /** @throws what the import throws, by name, message and code; or that its process ended, and the run lapses within a minute */
    importApart: async (feeds, feed, actor, request) => {
      const { process, waiting } = started();
      const no = (last += 1);
      const answer = await new Promise<Answer>((resolve) => {
        waiting.set(no, resolve);
        process.send({ no, asked: { feeds, feed, actor, request } } satisfies Errand);
      });
      if ('report' in answer) return answer.report;
      const { name, message, code } = answer.error;
      throw Object.assign(new Error(message), { name, code });
    },
    close: () => starter?.process.disconnect(),
  };
}
