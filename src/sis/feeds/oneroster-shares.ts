import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../../database/database.js';
import { people, rights, roles } from './oneroster-tables.js';

/** Whether a row, of the table with this alias, belongs to the share that is at work. */
export type Share = (alias?: string) => RawBuilder<boolean>;

/** Records from which on a run is joined in shares. */
const large = 100_000;
// As many as the column `share` of the tables has values; it is a column so that the planner knows how few rows a share has.
const shares = 4;

/**
 * Does a long step in several statements, each for a share of the people, one after the other: no statement of a large run takes longer
 * than a connection may, and a database with one connection has turns in between.
 */
export async function inShares(db: Database, runId: string, work: (share: Share) => Promise<void>): Promise<void> {
  const counts = [people, roles, rights].map(
    ({ name }) => sql`(select count(*) from ${sql.table(name)} where run_id = ${runId})`,
  );
  const { rows } = await sql<{ records: string }>`select ${sql.join(counts, sql` + `)} as records`.execute(db);
  if (Number(rows[0]?.records ?? 0) < large) return work(() => sql<boolean>`true`);
  for (let share = 0; share < shares; share += 1) {
    await work(
      (alias) => sql<boolean>`${sql.ref(alias === undefined ? 'share' : `${alias}.share`)} = ${sql.lit(share)}`,
    );
  }
}
