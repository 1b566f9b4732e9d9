import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { auditLog } from '../../src/audit/audit.js';
import { sessionJobs } from '../../src/session-jobs.js';
import { elementary } from '../provider/family.js';
import { register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

describe('what time alone brings about', () => {
  let house: TestHouse;
  let ahead = 0;
  const clock = (): Date => new Date(Date.now() + ahead * 1_000);
  beforeAll(async () => {
    house = await startTestHouse({ elementary });
    await register(openBrowser(), house, 'maria@example.org');
  });
  afterAll(() => house.close());
  const jobs = () => sessionJobs({ db: house.db, audit: auditLog(clock), clock, timeZone: 'America/Los_Angeles' });

  it('is looked for by a running house: each minute what expires, every ten what is over', async () => {
    const { rows } = await sql<{ name: string; cron: string }>`
      select name, cron from jobs.schedule where name in ('expiry', 'cleaning') order by name`.execute(house.db);
    expect(rows).toEqual([
      { name: 'cleaning', cron: '*/10 * * * *' },
      { name: 'expiry', cron: '* * * * *' },
    ]);
  });

  it('forgets within the hour who asked to sign out and was nobody, and so fills no disk for a month', async () => {
    const sessions = async () => (await house.db.selectFrom('sessions').select('account_id').execute()).length;
    expect(await sessions()).toBe(1);
    for (let time = 0; time < 3; time += 1) await openBrowser().get(`${house.issuer}/sign-out`);
    expect(await sessions()).toBe(4);
    ahead = 3_700;
    await jobs().workers['cleaning']?.({});
    ahead = 0;
    expect(await sessions()).toBe(1);
  });

  it('ends sessions whose time is over, and tells restrictions on the day they begin', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const [ana, ...others] = elementary;
    await house.load('elementary', [
      { ...ana, restricted: 'yes', restriction_type: 'custody', restriction_start: tomorrow },
      ...others,
    ]);
    const told = async () =>
      (await house.db.selectFrom('restrictions').select('told_at').executeTakeFirstOrThrow()).told_at;
    const live = () =>
      house.db
        .selectFrom('sessions')
        .select('uid')
        .where('account_id', 'is not', null)
        .where('revoked_at', 'is', null)
        .execute();
    await jobs().workers['expiry']?.({});
    expect([await told(), (await live()).length]).toEqual([null, 1]);
    ahead = 2 * 86_400;
    await jobs().workers['expiry']?.({});
    expect([await told(), (await live()).length]).toEqual([expect.any(Date), 0]);
  });
});
