import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { useDatabase } from '../support/suite-database.js';

describe('a connection that is lost', () => {
  let db: Database;
  useDatabase('postgres', (opened) => {
    db = opened;
  });

  const backend = async (of: Database): Promise<number> =>
    (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(of)).rows[0]?.pid ?? 0;

  it.each([
    ['between two statements of a transaction', sql`select 1`],
    ['in the middle of one', sql`select pg_sleep(5)`],
  ])('%s fails that transaction and nothing else', async (_, statement) => {
    const lost = db.transaction().execute(async (trx) => {
      const pid = await backend(trx);
      const ending = sql`select pg_terminate_backend(${pid}) from pg_sleep(0.2)`.execute(db);
      if (statement.compile(trx).sql.includes('sleep')) await statement.execute(trx);
      await ending;
      await statement.execute(trx);
    });
    // In whichever words, and of whichever realm the socket's error is.
    await expect(lost).rejects.toHaveProperty('message');
    expect(await backend(db)).toBeGreaterThan(0);
  });
});
