import { describe, expect, it } from '@jest/globals';
import { progressOn } from '../../src/progress.js';
import type { Progress } from '../../src/sis/import.js';

const steps: ReadonlyArray<[at: number, progress: Progress]> = [
  [0, { stage: 'skimming', read: 500, expected: null }],
  [2_000, { stage: 'skimming', read: 200_500, expected: null }],
  [10_000, { stage: 'reading', read: 1_000, expected: 201_000 }],
  [10_500, { stage: 'reading', read: 6_000, expected: 201_000 }],
  [12_000, { stage: 'reading', read: 21_000, expected: 201_000 }],
  [12_900, { stage: 'reading', read: 30_000, expected: 201_000 }],
  [30_000, { stage: 'comparing', read: 201_000, expected: 201_000 }],
  [50_000, { stage: 'applying', read: 0, expected: 201_000 }],
  [70_000, { stage: 'applying', read: 100_500, expected: 201_000 }],
];

function told(terminal: boolean): { lines: string[]; written: string[] } {
  const lines: string[] = [];
  const written: string[] = [];
  let now = 0;
  const out = { err: (text: string) => void lines.push(text) };
  const tell = progressOn(out, terminal ? (text) => void written.push(text) : null, () => now);
  for (const [at, progress] of steps) {
    now = at;
    tell(progress);
  }
  return { lines, written };
}

describe('the progress of an import', () => {
  it('is a JSON object a line, each second at most, with the rate and the time left of its stage', () => {
    const { lines, written } = told(false);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { stage: 'skimming', rows: 200_500, rowsPerSecond: 100_000, secondsLeft: null },
      { stage: 'reading', rows: 21_000, rowsPerSecond: 10_000, secondsLeft: 18 },
      { stage: 'comparing', rows: 201_000 },
      { stage: 'applying', rows: 100_500, rowsPerSecond: 5_025, secondsLeft: 20 },
    ]);
    expect(written).toEqual([]);
  });

  it('is one line on a terminal, written over', () => {
    const { lines, written } = told(true);
    expect(written).toEqual([
      '\r\x1b[K200500 rows skimmed, 100000 a second',
      '\r\x1b[K21000 rows read, 10000 a second, about 18 s left',
      '\r\x1b[K201000 rows read; comparing\n',
      '\r\x1b[K100500 rows applied, 5025 a second, about 20 s left\n',
    ]);
    expect(lines).toEqual([]);
  });
});
