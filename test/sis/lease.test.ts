import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { systemClock } from '../../src/database/clock.js';
import type { Database } from '../../src/database/database.js';
import { parseFeedsFile, syncFeeds } from '../../src/sis/feeds-file.js';
import { holdTurn, isUnderWay, takeTurn } from '../../src/sis/lease.js';
import { restingDatabase } from '../../src/sis/rest.js';
import { useDatabase } from '../support/suite-database.js';

const entry = { name: 'elementary', sis: 'elementary', format: 'district-extract', unknown_rights: 'allow' };
const file = parseFeedsFile(JSON.stringify({ feeds: [{ ...entry, place: { folder: 'inbox' } }] }), 'feeds.json');

// The embedded database belongs to one process, which knows what it does.
describe('the turn of a feed among instances', () => {
  let db: Database;
  useDatabase('postgres', (taken) => {
    db = taken;
  });
  beforeEach(() => syncFeeds(db, file, systemClock));

  const underWay = (): Promise<boolean> => isUnderWay(db, 'elementary', systemClock);

  it('is taken while a run lives or applies, however long, and not when it was killed', async () => {
    expect(await underWay()).toBe(false);
    const id = randomUUID();
    await takeTurn(db, 'elementary', { id, actor: 'watch' }, systemClock);
    expect(await underWay()).toBe(true);
    await sql`update feeds set running_beat_at = now() - interval '1 hour'`.execute(db);
    expect(await underWay()).toBe(false);
    // What is said in a transaction is heard by nobody before its end.
    await restingDatabase(db)
      .transaction()
      .execute(async (trx) => {
        await holdTurn(trx, 'elementary', id);
        expect(await underWay()).toBe(true);
      });
    expect(await underWay()).toBe(false);
  });
});
