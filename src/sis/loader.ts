import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { CompiledQuery } from 'kysely';
import { from as copyFrom } from 'pg-copy-streams';
import type { OpenDatabase } from '../database/postgres.js';

export interface LoadTarget {
  table: string;
  /** Names and types, in the order of a row's cells. */
  columns: ReadonlyArray<readonly [name: string, type: string]>;
}

type Cell = string | number | boolean | null;

/** Rows on their way into a table. They stand when `end` has come back; whoever cannot go on calls `abort`. */
export interface Loading {
  write(rows: readonly Cell[][]): Promise<void>;
  end(): Promise<void>;
  abort(): Promise<void>;
}

export type OpenLoading = (target: LoadTarget) => Promise<Loading>;

/**
 * The one bulk loader: on PostgreSQL one COPY, into which the rows flow while the next are read; on the embedded database, which has no
 * COPY over its protocol and one connection for everybody, a statement for each `write`.
 */
export function bulkLoader(opened: OpenDatabase): OpenLoading {
  return opened.kind === 'pglite' ? async (target) => byUnnest(opened, target) : (target) => byCopy(opened, target);
}

function byUnnest({ db }: OpenDatabase, { table, columns }: LoadTarget): Loading {
  const names = columns.map(([name]) => name).join(', ');
  const lists = columns.map(([, type], index) => `unnest($${index + 1}::${type}[])`).join(', ');
  return {
    async write(rows) {
      const cells = columns.map((_, index) => rows.map((row) => row[index] ?? null));
      await db.executeQuery(CompiledQuery.raw(`insert into ${table} (${names}) select ${lists}`, cells));
    },
    async end() {},
    async abort() {},
  };
}

async function byCopy({ pool }: OpenDatabase, { table, columns }: LoadTarget): Promise<Loading> {
  const client = await pool.connect();
  const stream = client.query(copyFrom(`copy ${table} (${columns.map(([name]) => name).join(', ')}) from stdin`));
  const done = finished(stream);
  let broken: unknown = null;
  // Told to who writes or ends; until then it must not count as unhandled.
  done.catch((error: unknown) => (broken = error));
  return {
    async write(rows) {
      if (broken === null && stream.write(`${rows.map(copyLine).join('\n')}\n`)) return;
      await Promise.race([once(stream, 'drain'), done]);
    },
    async end() {
      if (broken === null) stream.end();
      await done;
      client.release();
    },
    async abort() {
      // What the server itself refused is over; anything else it must be told.
      if (broken === null) {
        stream.destroy();
        await done.catch(() => {});
      }
      // A connection whose copy broke off is not used again.
      client.release(true);
    },
  };
}

const special = /[\\\t\n\r]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A row in the text format of COPY (PostgreSQL manual, COPY, "Text Format"), without its line end. */
function copyLine(row: readonly Cell[]): string {
  return row.map(copyCell).join('\t');
}

function copyCell(cell: Cell): string | number {
  if (cell === null) return '\\N';
  if (typeof cell === 'string') {
    return special.test(cell) ? cell.replaceAll(/[\\\t\n\r]/g, (found) => escapes[found] ?? found) : cell;
  }
  return typeof cell === 'boolean' ? (cell ? 't' : 'f') : cell;
}
