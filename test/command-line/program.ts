import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';

import { run as runCommand } from '../../src/commands.js';
import { keepLogged } from '../support/run-log.js';
import { builtProgram } from './built-program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A run of the real program. */
export interface Run {
  child: ChildProcess;
  out(): string;
  err(): string;
  /** The exit code, once it ended. */
  ended: Promise<number | null>;
}

// Before the tests of each suite that starts it, so that starting it takes no waiting. Faults, which have no run of jest, start the source.
const built = process.env['TEST_RUN_FOLDER'] === undefined ? null : await builtProgram();

/** From the source with tsx, as `npm start` and `npm run parent-access` do; else as `npm run build` leaves it. */
const source = ['--import', 'tsx', 'src/main.ts'];

/**
 * Starts `parent-access ARGUMENTS` with this environment and no other.
 *
 * @param from the built program unless told otherwise
 */
export function run(
  args: string[],
  environment: Record<string, string>,
  input = '',
  from: 'built' | 'source' = 'built',
): Run {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [...(from === 'source' || built === null ? source : [built]), ...args], {
    cwd: root,
    env: { PATH, HOME, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
    // The lines of the log, and not what a command says to the person at the terminal.
    for (const line of chunk.toString('utf8').split('\n')) if (line.startsWith('{"level"')) keepLogged(line);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8');
  });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
  });
  return { child, out: () => out, err: () => err, ended };
}

/**
 * Runs what `parent-access ARGUMENTS` itself runs, without a process for each of many; `commands.test.ts` starts the program. Not for `serve`, nor
 * for what reads standard input.
 */
export async function runHere(
  args: string[],
  environment: Record<string, string>,
): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const code = await runCommand(args, environment, {
    out: (text) => void (said.out += `${text}\n`),
    err: (text) => void (said.err += `${text}\n`),
  });
  return { code, ...said };
}

/** Waits until a `serve` says that it is ready. */
export async function ready(served: Run): Promise<void> {
  const over = served.ended.then((code) => {
    throw new Error(`serve ended with ${String(code)}: ${served.err()}`);
  });
  over.catch(() => {});
  const said = (async () => {
    for (;;) {
      if (served.out().includes('is ready')) return;
      await pause(50);
    }
  })();
  await Promise.race([said, over]);
}
