import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openJobs } from '../../src/jobs/jobs.js';
import type { Jobs } from '../../src/jobs/jobs.js';
import { makeLogger } from '../../src/telemetry/logger.js';
import { freshDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

describe('long work', () => {
  let database: FreshDatabase;
  let jobs: Jobs;
  beforeAll(async () => {
    database = await freshDatabase();
    jobs = await openJobs(database.pool, 'postgres', makeLogger({ logLevel: 'error' }, { write: () => {} }));
  });
  afterAll(() => database.close());

  it('of one feed, whose server sends its file byte by byte, keeps no other feed waiting', async () => {
    const begun: string[] = [];
    let end = (): void => {};
    const slow = new Promise<void>((resolve) => {
      end = resolve;
    });
    const schedule = { queue: 'import', cron: '0 2 1 1 *', timeZone: 'UTC' };
    await jobs.start(
      {
        import: async ({ feed }) => {
          begun.push(String(feed));
          if (feed === 'slow') await slow;
        },
      },
      ['slow', 'other'].map((feed) => ({ ...schedule, key: feed, payload: { feed } })),
      ['import'],
    );
    try {
      await database.db.transaction().execute((trx) => jobs.send(trx, 'import', { feed: 'slow' }));
      await eventually(
        () => begun,
        (feeds) => feeds.length === 1,
        10_000,
      );
      await database.db.transaction().execute((trx) => jobs.send(trx, 'import', { feed: 'other' }));
      await eventually(
        () => begun,
        (feeds) => feeds.length === 2,
        10_000,
      );
      expect(begun).toEqual(['slow', 'other']);
    } finally {
      end();
      await jobs.stop();
    }
  });
});
