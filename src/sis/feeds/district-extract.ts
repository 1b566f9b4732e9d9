import { createReadStream } from 'node:fs';
import { columns, essential } from './columns.js';
import type { Column } from './columns.js';
import { tidy } from './cells.js';
import { csvBlocks, refuseNull } from './csv.js';
import type { CsvRecord } from './csv.js';
import { districtRow } from './district-row.js';
import type { Positions } from './district-row.js';
import { FeedRefused } from './format.js';
import type { FeedFormat, ReadRow, SkimmedRow } from './format.js';
import type { TextForm } from './text.js';

// Some forty rows: what waits beside an import in this process, a sign-in's dozen of steps, waits for a block each.
const blockBytes = 16_384;

/** A test says when it has to be another. */
const reader = 'district-extract 1';

/** A cut file is told by its last line, which must end; columns are named where they are known: in a file without a header it is a row. */
const form: TextForm = {
  columnName: (index, header) => columns.find((column) => column === header.split(',')[index]?.trim()),
  openEnd: () => false,
};

/**
 * The district extract: one CSV row per student–contact pair, UTF-8, RFC 4180, header required, byte order mark tolerated.
 * Columns are known by their names: another order, a new column or the loss of one that is not essential is another layout. Streams;
 * holds one chunk in memory. A file is a delta when whoever names it says so.
 *
 * Refuses a header without an essential column, bytes that are not UTF-8, broken quoting, and a truncated end.
 */
export const districtExtract: FeedFormat = {
  layout: columns.join(','),
  async open({ path, delta }, sis) {
    const blocks = blocksOf(path);
    const first = await blocks.next();
    await blocks.return();
    const header = first.value?.[0];
    if (header === undefined)
      throw new FeedRefused('The file is empty: not even its header line is there.', { line: 1 });
    const names = header.cells.map((cell) => cell.trim());
    const file = { path, names, positions: positionsOf(names), sis };
    return {
      kind: delta ? 'delta' : 'bulk',
      layout: names.join(','),
      rows: rowsOf(file, () => true),
      skimming: {
        reader,
        skim: () => skimmed(file),
        rows: (wanted) => rowsOf(file, (row) => wanted[row] === 1),
      },
    };
  },
};

interface ExtractFile {
  path: string;
  names: readonly string[];
  positions: Positions;
  sis: string;
}

async function* blocksOf(path: string): AsyncGenerator<CsvRecord[], void, undefined> {
  yield* csvBlocks(createReadStream(path, { highWaterMark: blockBytes }), form);
}

/** Without the header. */
async function* bodyOf({ path }: ExtractFile): AsyncGenerator<CsvRecord[]> {
  let header = true;
  for await (const block of blocksOf(path)) {
    yield header ? block.slice(1) : block;
    header = false;
  }
}

async function* rowsOf(file: ExtractFile, wanted: (row: number) => boolean): AsyncGenerator<ReadRow> {
  const { names, positions, sis } = file;
  const toRow = ({ cells, line }: CsvRecord): ReadRow =>
    cells.length === names.length
      ? districtRow(cells, positions, line, sis)
      : { line, problem: 'field_count', unreadable: true };
  let row = 0;
  let untouched = 0;
  let last: CsvRecord | null = null;
  for await (const block of bodyOf(file)) {
    for (const record of block) {
      // One row is held back: only the last one may tell that the file was cut.
      if (last !== null) {
        if (wanted(row)) {
          if (untouched > 0) yield { untouched };
          untouched = 0;
          yield toRow(last);
        } else untouched += 1;
        row += 1;
      }
      last = record;
    }
  }
  if (untouched > 0) yield { untouched };
  if (last === null) return;
  const { cells, line } = last;
  if (cells.length !== names.length) {
    throw new FeedRefused(
      `The file breaks off in line ${line}: its last row has ${cells.length} of ${names.length} fields.`,
      { line, column: names[Math.min(cells.length, names.length) - 1] ?? '' },
    );
  }
  yield wanted(row) ? toRow(last) : { untouched: 1 };
}

async function* skimmed(file: ExtractFile): AsyncGenerator<SkimmedRow[]> {
  const { names, positions } = file;
  const at = (cells: readonly string[], column: Column): string =>
    cells.length === names.length ? tidy(cells[positions[column] ?? -1] ?? '') : '';
  for await (const block of bodyOf(file)) {
    yield block.map(({ cells }) => ({
      // No row that is taken holds a null character, so no two of them read alike.
      text: cells.join('\0'),
      studentId: at(cells, 'student_id'),
      contactId: at(cells, 'contact_id'),
      schoolCode: at(cells, 'school_code'),
      schoolName: at(cells, 'school_name') || at(cells, 'school_code'),
    }));
  }
}

function positionsOf(names: readonly string[]): Positions {
  refuseNull(names);
  const positions: Partial<Record<Column, number>> = {};
  for (const column of columns) {
    const at = names.indexOf(column);
    if (at === -1) continue;
    if (names.includes(column, at + 1)) {
      throw new FeedRefused(`Line 1: the header has the column "${column}" twice.`, { line: 1, column });
    }
    positions[column] = at;
  }
  const lacking = essential.find((column) => positions[column] === undefined);
  if (lacking === undefined) return positions;
  // Beside the name that is missing the one that stands there tells most of what happened. Where no column is known it is no header.
  const at = columns.indexOf(lacking);
  const found = names[at];
  const isHeader = Object.keys(positions).length > 0;
  const there =
    !isHeader || found === undefined || columns.some((column) => column === found)
      ? ''
      : `; "${found.slice(0, 60)}" stands there`;
  throw new FeedRefused(`Line 1, column ${at + 1}: the header lacks "${lacking}"${there}.`, {
    line: 1,
    column: lacking,
  });
}
