import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { columns } from './columns.js';
import { districtRow } from './district-row.js';
import { FeedRefused } from './format.js';
import type { ReadRow } from './format.js';
import { linesOfUtf8 } from './text.js';

interface CsvRecord {
  cells: string[];
  /** Physical line on which the record begins. */
  line: number;
}

// The longest row that a real extract holds is below 2 KB; an open quote would otherwise swallow the file into memory.
const longestRecord = 65_536;

/**
 * The district extract: one CSV row per student–contact pair, UTF-8, RFC 4180, header required, byte order mark tolerated.
 * Streams; holds one chunk in memory. See `FeedFormat`.
 *
 * @throws FeedRefused on a wrong header, bytes that are not UTF-8, broken quoting, a truncated end, or a file without rows
 */
export async function* districtExtract(bytes: AsyncIterable<Uint8Array>, sis: string): AsyncGenerator<ReadRow> {
  const parser = parse({
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n'],
    max_record_size: longestRecord,
    // The line travels as one more cell, so that a row costs no object of its own.
    on_record: (cells: string[], context) => {
      cells.push(String(context.lines));
      return cells;
    },
  });
  const feeding = pipeline(Readable.from(linesOfUtf8(bytes)), parser);
  // The parser throws the same error into the loop below; this promise only must not be left unhandled.
  feeding.catch(() => {});
  let header = true;
  let held: CsvRecord | null = null;
  let line = 1;
  let counted = 0;
  try {
    const records: AsyncIterable<string[]> = parser;
    for await (const cells of records) {
      const begins = line;
      // The parser counts a quoted CRLF twice, so its count only tells whether there is more than one line.
      const upTo = Number(cells.pop());
      line += upTo - counted === 1 ? 1 : 1 + cells.reduce((breaks, cell) => breaks + cell.split('\n').length - 1, 0);
      counted = upTo;
      if (cells.length === 1 && cells[0]?.trim() === '' && !header) continue;
      if (header) {
        checkHeader(cells);
        header = false;
      } else {
        // One row is held back: only the last one may tell that the file was cut.
        if (held !== null) yield toRow(held, sis);
        held = { cells, line: begins };
      }
    }
  } catch (error) {
    throw refusal(error, line);
  }
  if (header) throw new FeedRefused('The file is empty: not even its header line is there.', { line: 1 });
  if (held === null) throw new FeedRefused('The file has a header and no rows.', { line: 2 });
  if (held.cells.length !== columns.length) {
    throw new FeedRefused(
      `The file breaks off in line ${held.line}: its last row has ${held.cells.length} of ${columns.length} fields.`,
      { line: held.line, column: columns[Math.min(held.cells.length, columns.length) - 1] ?? columns[0] },
    );
  }
  yield toRow(held, sis);
}

function toRow(record: CsvRecord, sis: string): ReadRow {
  return record.cells.length === columns.length
    ? districtRow(record.cells, record.line, sis)
    : { line: record.line, problem: 'field_count', unreadable: true };
}

function checkHeader(cells: readonly string[]): void {
  const wrong = columns.findIndex((column, index) => cells[index]?.trim() !== column);
  if (wrong !== -1) {
    const column = columns[wrong] ?? '';
    const found = cells[wrong] === undefined ? 'missing' : `"${cells[wrong].slice(0, 60)}"`;
    throw new FeedRefused(`Line 1, column ${wrong + 1}: the header must say "${column}" here, and it is ${found}.`, {
      line: 1,
      column,
    });
  }
  const extra = cells[columns.length];
  if (extra !== undefined) {
    throw new FeedRefused(
      `Line 1, column ${columns.length + 1}: the header has an unknown column "${extra.slice(0, 60)}".`,
      {
        line: 1,
        column: extra.slice(0, 60),
      },
    );
  }
}

function refusal(error: unknown, line: number): unknown {
  if (!(error instanceof CsvError)) return error;
  const index = typeof error['column'] === 'number' ? error['column'] : 0;
  const column = columns[index] ?? String(index + 1);
  const reason =
    error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'the file breaks off inside a quoted field'
      : error.code === 'CSV_MAX_RECORD_SIZE'
        ? 'the row is too long; a quote may be open'
        : 'the quotes are not as RFC 4180 wants them';
  return new FeedRefused(`Line ${line}, column ${column}: ${reason}.`, { line, column });
}
