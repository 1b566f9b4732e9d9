import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvRecords } from '../../src/sis/feeds/csv.js';
import { FeedRefused } from '../../src/sis/feeds/format.js';

const form = { columnName: () => undefined, openEnd: () => true };

/** Bytes as a file brings them, in pieces that end anywhere. */
async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size: number): Promise<string[][] | 'refused'> {
  const rows: string[][] = [];
  try {
    for await (const { cells } of csvRecords(inPieces(text, size), form)) rows.push(cells);
    return rows;
  } catch (error) {
    if (!(error instanceof FeedRefused)) throw error;
    return 'refused';
  }
}

/** What the library makes of the whole text, blank lines left out. */
function wanted(text: string): string[][] | 'refused' {
  try {
    const rows: string[][] = parse(text, { relax_column_count: true, record_delimiter: ['\r\n', '\n'] });
    return rows.filter((cells, index) => index === 0 || cells.length > 1 || cells[0]?.trim() !== '');
  } catch {
    return 'refused';
  }
}

const cell = fc.constantFrom('a', '', 'ü', ' b ', '"q"', '"q,r"', '"q\n1"', '"a\r\nb"', '"""', '""', 'x"y', '\r', '"');
const row = fc.tuple(fc.array(cell, { minLength: 1, maxLength: 4 }), fc.constantFrom('\n', '\r\n'));
const bounds = { numRuns: 3_000, seed: 20_261_129 };

describe('the rows of a CSV file', () => {
  it('are those of the library that parses it whole, wherever its pieces end', async () => {
    let told = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 6 }), fc.integer({ min: 1, max: 12 }), async (rows, size) => {
        const text = rows.map(([cells, end]) => cells.join(',') + end).join('');
        const found = await read(text, size);
        if (found !== 'refused') told += 1;
        expect(found).toEqual(wanted(text));
      }),
      bounds,
    );
    // Not all of them are broken.
    expect(told).toBeGreaterThan(300);
  });

  it('have the line on which each begins, also after a quoted line break', async () => {
    const lines: number[] = [];
    const text = 'h,i\na,b\n"c\r\nc",d\r\ne,f\n\n"g",h\ni,j\n';
    for await (const { line } of csvRecords(inPieces(text, 5), form)) lines.push(line);
    expect(lines).toEqual([1, 2, 3, 5, 7, 8]);
  });

  it.each([
    ['without a quote', `a,b\n${'x'.repeat(70_000)},y\nc,d\n`],
    ['because a quote was never closed', `a,b\n1,"x\n${'y,z\n'.repeat(20_000)}`],
  ])('are refused where one is too long %s, with its line', async (_, text) => {
    const rows = csvRecords(inPieces(text, 16_384), form);
    await rows.next();
    await expect(rows.next()).rejects.toThrow(/^Line 2, column .*the row is too long; a quote may be open/);
  });
});
