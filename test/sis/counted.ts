import { deepEqual, ok } from 'node:assert/strict';
import type { RunReport } from '../../src/sis/runs.js';

/**
 * Asserts that every row of the file counts: read = applied + unchanged + skipped, and that each skipped row has a reason. A run that was
 * held or refused took no row, and says so. Reasons may be more than skipped rows: what is wrong inside a row's list is told besides.
 *
 * @returns the report
 */
export function counted(report: RunReport): RunReport {
  const { state, counts, reasons } = report;
  const { read, applied, unchanged, skipped } = counts;
  if (state === 'held' || state === 'refused') {
    deepEqual({ applied, unchanged, skipped }, { applied: 0, unchanged: 0, skipped: 0 });
    return report;
  }
  deepEqual({ state, read }, { state, read: applied + unchanged + skipped });
  const told = Object.values(reasons).reduce((sum, { count }) => sum + count, 0);
  ok(told >= skipped, `${skipped} rows were skipped, and reasons are given for ${told}`);
  return report;
}
