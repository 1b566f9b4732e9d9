import { createReadStream } from 'node:fs';
import { columns, essential } from './columns.js';
import type { Column } from './columns.js';
import { csvRecords, refuseNull } from './csv.js';
import type { CsvRecord } from './csv.js';
import { districtRow } from './district-row.js';
import type { Positions } from './district-row.js';
import { FeedRefused } from './format.js';
import type { FeedFormat, ReadRow } from './format.js';
import type { TextForm } from './text.js';

// Some forty rows: what waits beside an import in this process, a sign-in's dozen of steps, waits for a block each.
const blockBytes = 16_384;

/** A cut file is told by its last line, which must end; columns are named as the header has them. */
const form: TextForm = { columnName: (index, header) => header.split(',')[index]?.trim(), openEnd: () => false };

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
    const records = csvRecords(createReadStream(path, { highWaterMark: blockBytes }), form);
    const header = await records.next();
    if (header.done === true)
      throw new FeedRefused('The file is empty: not even its header line is there.', { line: 1 });
    const names = header.value.cells.map((cell) => cell.trim());
    return {
      kind: delta ? 'delta' : 'bulk',
      layout: names.join(','),
      rows: rowsOf(records, names, positionsOf(names), sis),
    };
  },
};

async function* rowsOf(
  records: AsyncIterable<CsvRecord>,
  names: readonly string[],
  positions: Positions,
  sis: string,
): AsyncGenerator<ReadRow> {
  const toRow = ({ cells, line }: CsvRecord): ReadRow =>
    cells.length === names.length
      ? districtRow(cells, positions, line, sis)
      : { line, problem: 'field_count', unreadable: true };
  // One row is held back: only the last one may tell that the file was cut.
  let held: CsvRecord | null = null;
  for await (const record of records) {
    if (held !== null) yield toRow(held);
    held = record;
  }
  if (held === null) return;
  const { cells, line } = held;
  if (cells.length !== names.length) {
    throw new FeedRefused(
      `The file breaks off in line ${line}: its last row has ${cells.length} of ${names.length} fields.`,
      { line, column: names[Math.min(cells.length, names.length) - 1] ?? '' },
    );
  }
  yield toRow(held);
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
  // Beside the name that is missing the one that stands there tells most of what happened.
  const at = columns.indexOf(lacking);
  const found = names[at];
  const there =
    found === undefined || columns.some((column) => column === found) ? '' : `; "${found.slice(0, 60)}" stands there`;
  throw new FeedRefused(`Line 1, column ${at + 1}: the header lacks "${lacking}"${there}.`, {
    line: 1,
    column: lacking,
  });
}
