import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  // The rows of the file that a feed's state is, as digests: what the next file has in common with it is not read again.
  `create table feed_baselines (
     sis text primary key references feeds (sis) on update cascade on delete cascade,
     -- Of the file, hex; the baseline counts while this is the file that was applied last.
     digest text not null,
     layout text not null,
     -- How rows were read; another reader compares all of them.
     reader text not null,
     rows integer not null,
     -- When every row was compared last.
     compared_at timestamptz not null
   )`,
  `create table feed_baseline_parts (
     sis text not null references feed_baselines (sis) on update cascade on delete cascade,
     part integer not null,
     content bytea not null,
     primary key (sis, part)
   )`,
  // Digests cannot be compressed.
  'alter table feed_baseline_parts alter column content set storage external',
];

/** What of a feed's last file tells the next one's unchanged rows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
