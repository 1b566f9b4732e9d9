import { csvRecords, refuseNull, refusedIn } from './csv.js';
import { openFiles } from './folder-or-zip.js';
import type { FileSet } from './folder-or-zip.js';
import { FeedRefused } from './format.js';
import type { FeedFormat, FeedReading, ReadRow } from './format.js';
import { assembleOneRoster } from './oneroster-assemble.js';
import { Cells } from './oneroster-cells.js';
import { columnsNeeded, specification } from './oneroster-columns.js';
import type { FileRead } from './oneroster-columns.js';
import { readManifest } from './oneroster-manifest.js';
import { recordOf } from './oneroster-rows.js';
import type { OneRosterKey, ReadingContext } from './oneroster-rows.js';
import { recordTables } from './oneroster-tables.js';
import { zipLimits } from './zip.js';
import type { ZipLimits } from './zip.js';

/**
 * OneRoster CSV 1.1, 1.2 and 1.2.1 (1EdTech), bulk or delta, as a zip or a folder with the files at its root; rights come in a sidecar
 * `rights.csv` beside them. Streams; holds one chunk in memory. manifest.csv, orgs.csv, users.csv, roles.csv, demographics.csv and
 * rights.csv are opened and no other: userProfiles.csv may hold credentials, and the password column of users.csv is not looked at.
 *
 * Refuses the set when it is no such set, its manifest is wrong about it, a file lacks a column that is read, its bytes are not UTF-8, its
 * quotes are broken or it breaks off.
 *
 * @param key under which id people are known; with another than `sourcedId` a delta is refused, because it names people by that alone
 */
export function onerosterKeyedBy(key: OneRosterKey, limits: ZipLimits = zipLimits): FeedFormat {
  return {
    recordTables,
    tellsKind: true,
    async open(source): Promise<FeedReading> {
      const set = await openFiles(source.path, limits);
      try {
        const manifest = await readManifest(set);
        if (source.delta && manifest.kind === 'bulk') {
          throw new FeedRefused('The set was handed over as a delta, and its manifest says bulk.');
        }
        if (manifest.kind === 'delta' && key !== 'sourcedId') {
          throw new FeedRefused(`A delta names people by sourcedId alone, and this feed knows them by ${key}.`);
        }
        const context: ReadingContext = { ...manifest, key };
        const headers = new Map<FileRead, string>();
        for (const file of manifest.files) headers.set(file, await headerOf(set, file, context));
        const shapes = [...headers].map(([file, header]) => `${file}:${header}`);
        return {
          kind: manifest.kind,
          layout: [manifest.version, ...shapes].join('\n'),
          rows: rowsOf(source.path, limits, headers, context),
        };
      } finally {
        set.close();
      }
    },
    assemble: assembleOneRoster,
  };
}

/** OneRoster as most exporters write it. */
export const oneroster: FeedFormat = onerosterKeyedBy('sourcedId');

async function headerOf(set: FileSet, file: FileRead, context: ReadingContext): Promise<string> {
  for await (const { names } of recordsOf(set, file, context)) return names.join(',');
  throw new FeedRefused(`${file}.csv is empty: not even its header line is there.`, { line: 1 });
}

async function* rowsOf(
  path: string,
  limits: ZipLimits,
  headers: ReadonlyMap<FileRead, string>,
  context: ReadingContext,
): AsyncGenerator<ReadRow> {
  // The headers were read in a pass of their own, so that a set that is never read to its end leaves nothing open.
  const set = await openFiles(path, limits);
  try {
    for (const [file, header] of headers) {
      const read = columnsNeeded(context.version, file);
      for await (const { names, cells, at, line } of recordsOf(set, file, context)) {
        if (cells === null) {
          if (names.join(',') !== header) throw new FeedRefused(`${file}.csv changed while it was read.`, { line: 1 });
        } else if (cells.length !== names.length) yield { line, problem: 'field_count', unreadable: true, of: file };
        else {
          const row = recordOf(file, new Cells(cells, at), line, read, context);
          yield 'unreadable' in row ? { ...row, of: file } : row;
        }
      }
    }
  } finally {
    set.close();
  }
}

interface FileRecord {
  names: readonly string[];
  at: ReadonlyMap<string, number>;
  /** Null for the header, which comes first. */
  cells: readonly string[] | null;
  line: number;
}

/** The records of one file under its header, which is checked; the last one, when it is short, tells that the file was cut. */
async function* recordsOf(set: FileSet, file: FileRead, context: ReadingContext): AsyncGenerator<FileRecord> {
  const name = `${file}.csv`;
  const read = columnsNeeded(context.version, file);
  const known = [...read, ...(specification[context.version][file] ?? [])];
  let names: string[] = [];
  let at: ReadonlyMap<string, number> = new Map();
  let held: FileRecord | null = null;
  let openEnd = false;
  const form = {
    // Where a file has no header this would be a cell of its first row.
    columnName: (index: number, header: string) =>
      known.find((column) => column === (names[index] ?? header.split(',')[index]?.replace(/^\s*"|"\s*$/g, ''))),
    openEnd: () => (openEnd = true),
  };
  try {
    for await (const { cells, line } of csvRecords(set.read(name), form)) {
      if (names.length === 0) {
        names = cells.map((cell) => cell.trim());
        at = positions(names, read);
        yield { names, at, cells: null, line };
        continue;
      }
      if (held !== null) yield held;
      held = { names, at, cells, line };
    }
  } catch (error) {
    throw refusedIn(name, error);
  }
  if (held === null) return;
  const found = held.cells?.length ?? 0;
  if (found < names.length) {
    throw new FeedRefused(
      `${name} breaks off in line ${held.line}: its last row has ${found} of ${names.length} fields.`,
      { line: held.line, column: names[found] ?? '' },
    );
  }
  // A line end is no duty (RFC 4180, section 2.2), but without one a folder's file may have lost the end of its last cell.
  const last = names.at(-1) ?? '';
  if (openEnd && !set.whole && read.includes(last)) {
    throw new FeedRefused(
      `${name} may break off in line ${held.line}: there is no line end after its last cell, "${last}".`,
      { line: held.line, column: last },
    );
  }
  yield held;
}

function positions(names: readonly string[], needed: readonly string[]): ReadonlyMap<string, number> {
  refuseNull(names);
  // Where no column is known it is a row, and the file has no header.
  const isHeader = needed.some((column) => names.includes(column));
  const twice = names.find((name, index) => isHeader && name !== '' && names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new FeedRefused(`The header has the column "${twice.slice(0, 60)}" twice.`, { line: 1, column: twice });
  }
  const lacking = needed.find((column) => !names.includes(column));
  if (lacking !== undefined) {
    throw new FeedRefused(`The header lacks the column "${lacking}".`, { line: 1, column: lacking });
  }
  return new Map(names.map((name, index) => [name, index]));
}
