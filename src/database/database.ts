import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.js';

/** A handle on the database: the pool, or a transaction on it. Functions that write several tables take a `Transaction`. */
export type Database = Kysely<Tables>;
export type DatabaseTransaction = Transaction<Tables>;
