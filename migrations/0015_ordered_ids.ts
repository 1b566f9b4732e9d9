import { sql } from 'kysely';
import type { Kysely } from 'kysely';

// RFC 9562 section 5.7: milliseconds, then random bits. They only put ids in an order; nothing reads a time from them.
const ours = `
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid`;

/**
 * Ids of the people of feeds in the order in which they come: a million random ones, put into four tables that refer to each other, touch every page
 * of every index, and take twice as long.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ has: boolean }>`select to_regprocedure('uuidv7()') is not null as has`.execute(db);
  // PostgreSQL 18 has its own.
  const made = rows[0]?.has === true ? 'select uuidv7()' : ours;
  await sql
    .raw(`create function ordered_uuid() returns uuid language sql volatile parallel safe as $$ ${made} $$`)
    .execute(db);
  for (const table of ['contacts', 'students', 'relationships']) {
    await sql.raw(`alter table ${table} alter column id set default ordered_uuid()`).execute(db);
  }
}
