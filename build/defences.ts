import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '../test/support/postgres-server.js';
import { allDefences } from './defences/all.js';
import type { Defence } from './defences/defence.js';

// Takes each defence out, in a copy of the last commit, and sees its test fail: `npm run defences`, or `npm run defences -- 5 20`
// for the rows 5 and 20, the path of a test for those that it is there for. Prints a table; ends with 1 where a test stays green or the defence
// is not found any more.

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'parent-access-defences-'));
const copy = join(folder, 'copy');
const asked = process.argv.slice(2);
// One database server for all runs; each makes databases of its own there.
const server = await startServer(mkdtempSync(join(tmpdir(), 'parent-access-defences-')));

interface Verdict {
  fine: boolean;
  says: string;
}

/**
 * Runs a program of the copy without holding up this one, which has to read what the database server says: a server whose words
 * nobody reads stands still.
 *
 * @returns what it said on standard error, until it ended or a minute was over
 */
async function jest(options: string[]): Promise<string> {
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join('node_modules', 'jest', 'bin', 'jest.js'),
      ...options,
    ],
    { cwd: copy, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TEST_DATABASE_URL: server.url } },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(late);
  return said;
}

/** Runs the tests of one entry in the copy. */
async function run({ test, named }: Defence): Promise<{ ran: number; failed: number }> {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const pattern = named === undefined ? [] : ['--testNamePattern', named];
  const stderr = await jest([test, '--json', '--forceExit', `--outputFile=${report}`, ...pattern]);
  // The search of the log comes after all tests, and before their report.
  if (!existsSync(report) && stderr.includes('gives away what it must not')) return { ran: 1, failed: 1 };
  // A house that cannot be closed without its defence is a failure too, but one to look at.
  if (!existsSync(report)) return { ran: 0, failed: 0 };
  const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, 'utf8')) as {
    numFailedTests: number;
    numPassedTests: number;
  };
  return { ran: numFailedTests + numPassedTests, failed: numFailedTests };
}

async function examine(defence: Defence): Promise<Verdict> {
  const path = join(copy, defence.file);
  const whole = readFileSync(path, 'utf8');
  if (whole.split(defence.find).length !== 2) return { fine: false, says: `not found once in ${defence.file}` };
  writeFileSync(
    path,
    whole.replace(defence.find, () => defence.replacement),
  );
  try {
    const { ran, failed } = await run(defence);
    if (ran === 0) return { fine: false, says: 'NO: no such test ran to its end' };
    return failed > 0
      ? { fine: true, says: `yes, ${failed} of ${ran}` }
      : { fine: false, says: `NO: ${ran} stayed green` };
  } finally {
    writeFileSync(path, whole);
  }
}

const git = (...words: string[]): void => void execFileSync('git', words, { cwd: root, stdio: 'ignore' });
git('worktree', 'add', '--detach', copy, 'HEAD');
let problems = 0;
try {
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  process.stdout.write('| row | taken out | test | failed as it must |\n| --- | --- | --- | --- |\n');
  for (const defence of allDefences.filter(
    ({ row, test }) => asked.length === 0 || asked.includes(String(row)) || asked.includes(test),
  )) {
    const { fine, says } = await examine(defence);
    if (!fine) problems += 1;
    const test = `\`${relative('test', defence.test)}\`${defence.named === undefined ? '' : `: ${defence.named.replaceAll('|', ' / ')}`}`;
    process.stdout.write(`| ${defence.row} | ${defence.what} | ${test} | ${says} |\n`);
  }
} finally {
  git('worktree', 'remove', '--force', copy);
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
}
process.exitCode = problems === 0 ? 0 : 1;
