import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Everything that the product logs during a whole test run, and every secret that a browser or a mailbox saw in it, go to
 * files of the run; at its end each log line is searched for each secret, and for people.
 */

function append(kind: 'log' | 'secrets', text: string): void {
  const folder = process.env['TEST_RUN_FOLDER'];
  if (folder !== undefined) appendFileSync(join(folder, `run-${kind}-${process.pid}.txt`), `${text.trimEnd()}\n`);
}

/** Keeps a line that the product logged. */
export function keepLogged(line: string): void {
  append('log', line);
}

/** Keeps a secret that must not be found in any line: a cookie, a code, a token. Short ones would be found by chance. */
export function keepSecret(secret: string): void {
  if (secret.length >= 16) append('secrets', secret);
}

const people: ReadonlyArray<readonly [what: string, pattern: RegExp]> = [
  ['an e-mail address', /[\w.+-]+@[\w-]+\.[a-z]{2,}/i],
  ['a phone', /\+1\d{10}|\(\d{3}\) ?\d{3}-\d{4}|\b555-?01\d\d\b/],
  [
    'a name',
    /(?<![\p{L}\p{N}_-])(Maria|María|López|Lopez|Pedro|Rosa|Pablo|Paula|Ana|Luis|Eva|Tomas|Tomás|Beto)(?![\p{L}\p{N}_-])/u,
  ],
  ['a password', /a long way to school|correct horse battery staple|not the way to school/],
];

/**
 * What a log gives away.
 *
 * @returns a sentence for each kind of finding, with the line's first place; empty when the log is clean
 */
export function givenAway(lines: readonly string[], secrets: ReadonlySet<string>): string[] {
  const found = new Map<string, string>();
  for (const line of lines) {
    for (const [what, pattern] of people) if (pattern.test(line)) found.set(what, line);
    // A line is cut into the runs of signs that secrets are made of, so that a million pairs need no search each.
    for (const run of line.match(/[\w-]{16,}/g) ?? []) if (secrets.has(run)) found.set('a secret', line);
  }
  return [...found].map(([what, line]) => `${what} stands in the log: ${line.slice(0, 400)}`);
}

/** Searches what the whole run wrote. @throws when a line of it gives somebody or something away */
function searchRun(folder: string): { lines: number; secrets: number } {
  const read = (kind: string): string[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith(`run-${kind}-`))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean));
  const lines = read('log');
  const secrets = new Set(read('secrets'));
  const found = givenAway(lines, secrets);
  if (found.length > 0) throw new Error(`The log of this run gives away what it must not:\n${found.join('\n')}`);
  return { lines: lines.length, secrets: secrets.size };
}

/** What jest runs after all suites: what the run logged is searched; the run's databases, server and scratch folder go. */
export default async function teardown(): Promise<void> {
  const folder = process.env['TEST_RUN_FOLDER'];
  try {
    if (folder === undefined) return;
    const { lines, secrets } = searchRun(folder);
    process.stdout.write(`\nThe log of this run: ${lines} lines, none with a person or one of ${secrets} secrets.\n`);
  } finally {
    await globalThis.endTestRun?.();
  }
}
