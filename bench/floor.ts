import { sql } from 'kysely';
import type { Database } from '../src/database/database.js';

const tables = ['schools', 'students', 'contacts', 'contact_phones', 'relationships'] as const;

const order: Record<(typeof tables)[number], string> = {
  schools: 'code',
  students: 'sis_id',
  contacts: 'sis_id',
  contact_phones: 'contact_id, position',
  relationships: 'contact_id, student_id',
};

class Undone extends Error {}

/**
 * The least that any first load costs: what stands is put aside, and the finished rows go back into the empty tables, in the order of their
 * keys, with no reading, no comparing and no new ids. What stands is left as it was.
 *
 * @param cost measures the work it is given
 */
export async function floor<Cost>(db: Database, cost: (work: () => Promise<void>) => Promise<Cost>): Promise<Cost> {
  const found: Cost[] = [];
  await db
    .transaction()
    .execute(async (trx) => {
      for (const table of tables)
        await sql`create temp table ${sql.table(`kept_${table}`)} on commit drop as select * from ${sql.table(table)}`.execute(
          trx,
        );
      await sql`truncate ${sql.join(tables.map((table) => sql.table(table)))} cascade`.execute(trx);
      found.push(
        await cost(async () => {
          for (const table of tables)
            await sql`insert into ${sql.table(table)} select * from ${sql.table(`kept_${table}`)} order by ${sql.raw(order[table])}`.execute(
              trx,
            );
        }),
      );
      throw new Undone();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error;
    });
  const [measured] = found;
  if (measured === undefined) throw new Error('The floor was not measured.');
  return measured;
}
