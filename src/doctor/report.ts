import type { Check } from './check.js';

const marks = { ok: 'ok', warning: 'warning', failed: 'FAILED' } as const;

/** The checks as a person reads them at a terminal: one line each, the repair below what needs one. */
export function table(checks: readonly Check[]): string {
  const width = Math.max(...checks.map((check) => check.name.length));
  return checks
    .flatMap(({ name, state, found, repair }) => [
      `${marks[state].padEnd(8)} ${name.padEnd(width)}  ${found}`,
      ...(repair === null ? [] : [`${' '.repeat(9 + width)}  → ${repair}`]),
    ])
    .join('\n');
}

/** Names what failed in one sentence; null where nothing did. */
export function verdict(checks: readonly Check[]): string | null {
  const names = checks.filter((check) => check.state === 'failed').map((check) => check.name);
  if (names.length === 0) return null;
  // A file with several problems is named once.
  return `${names.length} of ${checks.length} checks failed: ${[...new Set(names)].join(', ')}.`;
}
