import { CsvError, parse } from 'csv-parse/sync';
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
  for await (const records of csvBlocks(bytes, form)) yield* records;
}

/** Likewise, by the block: a step for each record would cost as much as its splitting. */
export async function* csvBlocks(bytes: AsyncIterable<Uint8Array>, form: TextForm): AsyncGenerator<CsvRecord[]> {
  let header: string[] | null = null;
  let line = 1;
  let open = '';
  for await (const text of linesOfUtf8(bytes, form)) {
    const parts = cut(open + text);
    open = parts.open;
    const records: CsvRecord[] = [];
    let error: CsvError | null = null;
    try {
      for (const { cells, lines } of rowsOf(parts)) {
        header ??= cells;
        if (cells.length > 1 || cells[0]?.trim() !== '' || line === 1) records.push({ cells, line });
        line += lines;
      }
      if (open.length > longestRecord) throw tooLong(open);
    } catch (thrown) {
      if (!(thrown instanceof CsvError)) throw thrown;
      error = thrown;
    }
    if (records.length > 0) yield records;
    if (error !== null) throw refusal(error, line, (index) => form.columnName(index, header?.join(',') ?? ''));
  }
  if (open !== '') throw refusal(tooLong(open), line, (index) => form.columnName(index, header?.join(',') ?? ''));
}

interface Parsed {
  cells: string[];
  /** Physical lines that it takes. */
  lines: number;
}

interface Parts {
  /** Whole lines before and after those with quotes: they need no parser, which costs five times as much as splitting them. */
  before: string;
  after: string;
  quoted: string;
  /** A record whose quote is still open. */
  open: string;
}

function cut(text: string): Parts {
  const first = text.indexOf('"');
  if (first === -1) return { before: text, quoted: '', after: '', open: '' };
  const from = text.lastIndexOf('\n', first) + 1;
  let closed = from;
  let lastQuoted = from;
  let quotes = 0;
  for (let at = from; at < text.length;) {
    const end = endOfLine(text, at);
    const here = countOf('"', text, at, end);
    quotes += here;
    if (quotes % 2 === 0) {
      closed = end;
      if (here > 0) lastQuoted = end;
    }
    at = end;
  }
  return {
    before: text.slice(0, from),
    quoted: text.slice(from, lastQuoted),
    after: text.slice(lastQuoted, closed),
    open: text.slice(closed),
  };
}

function* rowsOf({ before, quoted, after }: Parts): Generator<Parsed> {
  yield* plainRows(before);
  if (quoted !== '') {
    const { rows, error } = parsedRows(quoted);
    // The rows before the broken one tell on which line it begins.
    yield* rows;
    if (error !== null) throw error;
  }
  yield* plainRows(after);
}

/** Where the next line begins; a last line may lack its end. */
function endOfLine(text: string, at: number): number {
  return text.indexOf('\n', at) + 1 || text.length;
}

function countOf(character: string, text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf(character, from); at !== -1 && at < to; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

function* plainRows(text: string): Generator<Parsed> {
  for (let at = 0; at < text.length;) {
    const end = endOfLine(text, at);
    if (end - at > longestRecord) throw tooLong(text.slice(at, end));
    yield {
      cells: text
        .slice(at, end)
        .replace(/\r?\n$/, '')
        .split(','),
      lines: 1,
    };
    at = end;
  }
}

/** What the parser says of a record that is longer than any can be, or whose quote stays open. */
function tooLong(record: string): CsvError {
  const { error } = parsedRows(record);
  if (error === null) throw new Error('The parser found nothing wrong with a record that is too long.');
  return error;
}

/** The rows up to the first that is broken, and what is wrong with that. */
function parsedRows(text: string): { rows: Parsed[]; error: CsvError | null } {
  const rows: Parsed[] = [];
  let counted = 0;
  try {
    parse(text, {
      relax_column_count: true,
      record_delimiter: ['\r\n', '\n'],
      max_record_size: longestRecord,
      on_record: (cells: string[], { lines }) => {
        // The parser counts a quoted CRLF twice, so its count only tells whether there is more than one line.
        const several = lines - counted !== 1;
        counted = lines;
        rows.push({
          cells,
          lines: several ? 1 + cells.reduce((breaks, cell) => breaks + cell.split('\n').length - 1, 0) : 1,
        });
        return null;
      },
    });
    return { rows, error: null };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { rows, error };
  }
}

function refusal(error: CsvError, line: number, name: (index: number) => string | undefined): FeedRefused {
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
