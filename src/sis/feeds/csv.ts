import { finished } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { FeedRefused } from './format.js';
import { linesOfUtf8 } from './text.js';
import type { TextForm } from './text.js';

/** One record of a CSV file. */
export interface CsvRecord {
  cells: string[];
  /** Physical line on which it begins, from 1. */
  line: number;
}

// The longest row of a real file is below 2 KB; an open quote would otherwise swallow the file into memory.
const longestRecord = 65_536;

/**
 * The records of a CSV file (RFC 4180, UTF-8, with or without a byte order mark, CRLF or LF or both), its header among them; blank lines
 * are no records. Streams; holds one chunk in memory, and lets go of the file when the caller stops early.
 *
 * @throws FeedRefused with line and column where the bytes are not UTF-8, the quotes are broken or the last line breaks off
 */
export async function* csvRecords(bytes: AsyncIterable<Uint8Array>, form: TextForm): AsyncGenerator<CsvRecord> {
  // Rows are taken as the parser finds them, and leave it empty: as a stream of objects each would cost more than its parsing.
  let found: Array<[cells: string[], upTo: number]> = [];
  const parser = parse({
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n'],
    max_record_size: longestRecord,
    on_record: (cells: string[], { lines }) => {
      found.push([cells, lines]);
      return null;
    },
  });
  const ended = finished(parser.resume());
  // The same error comes out of the loop below; this promise only must not be left unhandled.
  ended.catch(() => {});
  let header: string[] | null = null;
  let line = 1;
  let counted = 0;
  const taken = function* (): Generator<CsvRecord> {
    for (const [cells, upTo] of found) {
      const begins = line;
      // The parser counts a quoted CRLF twice, so its count only tells whether there is more than one line.
      line += upTo - counted === 1 ? 1 : 1 + cells.reduce((breaks, cell) => breaks + cell.split('\n').length - 1, 0);
      counted = upTo;
      header ??= cells;
      if (cells.length === 1 && cells[0]?.trim() === '' && begins > 1) continue;
      yield { cells, line: begins };
    }
    found = [];
  };
  try {
    for await (const text of linesOfUtf8(bytes, form)) {
      await new Promise<void>((resolve, reject) =>
        parser.write(text, (error) => (error === null || error === undefined ? resolve() : reject(error))),
      );
      yield* taken();
    }
    parser.end();
    await ended;
    yield* taken();
  } catch (error) {
    // The rows before the broken one, of its block: they tell on which line it begins.
    yield* taken();
    throw refusal(error, line, (index) => form.columnName(index, header?.join(',') ?? ''));
  }
}

function refusal(error: unknown, line: number, name: (index: number) => string | undefined): unknown {
  if (!(error instanceof CsvError)) return error;
  const index = typeof error['column'] === 'number' ? error['column'] : 0;
  const column = name(index) || String(index + 1);
  const reason =
    error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'the file breaks off inside a quoted field'
      : error.code === 'CSV_MAX_RECORD_SIZE'
        ? 'the row is too long; a quote may be open'
        : 'the quotes are not as RFC 4180 wants them';
  return new FeedRefused(`Line ${line}, column ${column}: ${reason}.`, { line, column });
}

/** A refusal that names the file it is about; any other error as it is. */
export function refusedIn(file: string, error: unknown): unknown {
  if (!(error instanceof FeedRefused) || error.message.startsWith(file)) return error;
  return new FeedRefused(`${file}: ${error.message}`, error.place);
}

/** @throws FeedRefused where a header holds a null character, which no database keeps */
export function refuseNull(names: readonly string[]): void {
  if (names.some((name) => name.includes('\0'))) {
    throw new FeedRefused('Line 1: the header holds a null character.', { line: 1 });
  }
}
