import { FeedRefused } from './format.js';

const newline = 0x0a;
const longestLine = 1_048_576;

/** What of a text depends on its format. */
export interface TextForm {
  /**
   * The name of a column by its place in the line, counted from 0.
   *
   * @param header the first line as far as it can be read, because its records may not have been parsed yet
   */
  columnName(index: number, header: string): string | undefined;
  /** Whether the last line may lack its line end, asked when it does. */
  openEnd(): boolean;
}

/**
 * Decodes strict UTF-8 as it streams, whole lines at a time, dropping a byte order mark.
 *
 * @throws FeedRefused with the line and the column where bytes are not UTF-8, or when the last line has no end and needs one
 */
export async function* linesOfUtf8(bytes: AsyncIterable<Uint8Array>, form: TextForm): AsyncGenerator<string> {
  let kept: Buffer = Buffer.alloc(0);
  let lines = 0;
  let first = true;
  let header = '';
  for await (const chunk of bytes) {
    const joined =
      kept.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([kept, chunk]);
    const end = joined.lastIndexOf(newline) + 1;
    kept = joined.subarray(end);
    if (kept.length > longestLine)
      throw new FeedRefused(`Line ${lines + 1} is longer than any row can be.`, { line: lines + 1 });
    if (end === 0) continue;
    const block = joined.subarray(0, end);
    if (first) header = firstLine(block);
    const text = decode(block, lines, (index) => form.columnName(index, header));
    for (let at = block.indexOf(newline); at !== -1; at = block.indexOf(newline, at + 1)) lines += 1;
    yield first && text.startsWith('\uFEFF') ? text.slice(1) : text;
    first = false;
  }
  if (kept.length > 0) {
    const text = decode(kept, lines, (index) => form.columnName(index, first ? firstLine(kept) : header));
    if (form.openEnd()) {
      yield first && text.startsWith('\uFEFF') ? text.slice(1) : text;
      return;
    }
    throw new FeedRefused(`The file breaks off in line ${lines + 1}: the last line has no line end.`, {
      line: lines + 1,
    });
  }
}

function firstLine(block: Uint8Array): string {
  const end = block.indexOf(newline);
  return new TextDecoder().decode(end === -1 ? block : block.subarray(0, end)).trim();
}

type ColumnName = (index: number) => string | undefined;

// Whole lines only, so a character is never cut and a decoder needs no state.
function decode(block: Uint8Array, linesBefore: number, name: ColumnName): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(block);
  } catch {
    throw notUtf8(block, linesBefore, name);
  }
}

function notUtf8(block: Uint8Array, linesBefore: number, name: ColumnName): FeedRefused {
  let start = 0;
  for (let line = linesBefore + 1; start < block.length; line += 1) {
    const found = block.indexOf(newline, start);
    const end = found === -1 ? block.length : found + 1;
    const bytes = block.subarray(start, end);
    const column = columnOfBadByte(bytes, name);
    if (column !== null) {
      return new FeedRefused(`Line ${line}, column ${column}: the bytes are not UTF-8. The file must be UTF-8.`, {
        line,
        column,
      });
    }
    start = end;
  }
  return new FeedRefused('The bytes are not UTF-8. The file must be UTF-8.', { line: linesBefore + 1 });
}

function columnOfBadByte(bytes: Uint8Array, name: ColumnName): string | null {
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const strict = new TextEncoder().encode(lenient);
  if (strict.length === bytes.length && strict.every((byte, index) => byte === bytes[index])) return null;
  const before = lenient.slice(0, lenient.indexOf('\uFFFD'));
  let quoted = false;
  let commas = 0;
  for (const character of before) {
    if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) commas += 1;
  }
  return name(commas) ?? String(commas + 1);
}
