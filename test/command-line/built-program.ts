import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { oncePerRun } from '../support/once-per-run.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * As `npm run build` makes it, but for the types, which are checked elsewhere.
 *
 * @returns the path of its `main.js`
 */
export async function buildProgram(folder: string): Promise<string> {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const emitted = join(folder, 'dist');
  const options = ['-p', 'tsconfig.build.json', '--noCheck', '--sourceMap', 'false', '--outDir', emitted];
  await promisify(execFile)(process.execPath, [compiler, ...options], { cwd: root });
  const pages = join(root, 'src', 'ui');
  for (const file of readdirSync(pages).filter((name) => /\.(css|js)$/.test(name)))
    copyFileSync(join(pages, file), join(emitted, 'src', 'ui', file));
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return join(emitted, 'src', 'main.js');
}

/**
 * The program as JavaScript in the run's folder: it starts in half the time that the source takes.
 *
 * @returns the path of its `main.js`
 */
export async function builtProgram(): Promise<string> {
  const run = process.env['TEST_RUN_FOLDER'];
  if (run === undefined) throw new Error('TEST_RUN_FOLDER is not set: this runs under jest’s global setup only.');
  const folder = join(run, 'program');
  await oncePerRun(folder, async () => void (await buildProgram(folder)));
  return join(folder, 'dist', 'src', 'main.js');
}
