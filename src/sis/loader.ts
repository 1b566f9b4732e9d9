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

/** Writes rows to a table, in one statement. */
export type LoadRows = (target: LoadTarget, rows: readonly Cell[][]) => Promise<void>;

/** The one bulk loader: COPY on PostgreSQL, unnest on the embedded database, which has no COPY over its protocol. */
export function bulkLoader({ kind, pool, db }: OpenDatabase): LoadRows {
  if (kind === 'pglite') {
    return async ({ table, columns }, rows) => {
      const names = columns.map(([name]) => name).join(', ');
      const lists = columns.map(([, type], index) => `unnest($${index + 1}::${type}[])`).join(', ');
      const cells = columns.map((_, index) => rows.map((row) => row[index] ?? null));
      await db.executeQuery(CompiledQuery.raw(`insert into ${table} (${names}) select ${lists}`, cells));
    };
  }
  return async ({ table, columns }, rows) => {
    const client = await pool.connect();
    let fault: Error | undefined;
    try {
      const stream = client.query(copyFrom(`copy ${table} (${columns.map(([name]) => name).join(', ')}) from stdin`));
      stream.end(rows.map(copyLine).join(''));
      await finished(stream);
    } catch (error) {
      fault = error instanceof Error ? error : new Error('The copy failed.', { cause: error });
      throw fault;
    } finally {
      // A connection whose copy broke off is not used again.
      client.release(fault);
    }
  };
}

const special = /[\\\t\n\r]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A row in the text format of COPY (PostgreSQL manual, COPY, "Text Format"). */
function copyLine(row: readonly Cell[]): string {
  const cells = row.map((cell) => {
    if (cell === null) return '\\N';
    if (typeof cell !== 'string') return String(cell);
    return special.test(cell) ? cell.replaceAll(/[\\\t\n\r]/g, (found) => escapes[found] ?? found) : cell;
  });
  return `${cells.join('\t')}\n`;
}
