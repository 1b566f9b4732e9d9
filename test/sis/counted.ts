import { expect } from '@jest/globals';
import type { RunReport } from '../../src/sis/runs.js';

/**
 * Asserts that every row of the file counts: read = applied + unchanged + skipped, and that each skipped row has a reason. A run that was
 * held or refused took no row, and says so. Reasons may be more than skipped rows: what is wrong inside a row's list is told besides.
 *
 * @returns the report
 */
export function counted(report: RunReport): RunReport {
  const { read, applied, unchanged, skipped } = report.counts;
  if (report.state === 'held' || report.state === 'refused') {
    expect({ applied, unchanged, skipped }).toEqual({ applied: 0, unchanged: 0, skipped: 0 });
    return report;
  }
  expect({ state: report.state, read }).toEqual({ state: report.state, read: applied + unchanged + skipped });
  const told = Object.values(report.reasons).reduce((sum, { count }) => sum + count, 0);
  expect(told).toBeGreaterThanOrEqual(skipped);
  return report;
}
