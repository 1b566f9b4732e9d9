import { cleanRequests } from './accounts/clean-requests.js';
import type { RecordEvent } from './audit/audit.js';
import type { Clock } from './database/clock.js';
import type { Database } from './database/database.js';
import { localDate } from './families/entitlement.js';
import type { Schedule, Worker } from './jobs/jobs.js';
import { cleanSessions } from './sessions/cleaning.js';
import { expireSessions } from './sessions/expire.js';
import { endPassedRights } from './sis/end-passed-rights.js';
import { cleanImages } from './sis/roll-back.js';
import { tellRestrictions } from './sis/tell-restrictions.js';

const cleaningQueue = 'cleaning';
const expiryQueue = 'expiry';
const passedQueue = 'passed-rights';

/**
 * What time alone brings about: each minute sessions expire and restrictions begin, every ten what is over is cleaned away, and as a day
 * begins in the district the rights pass to students who turn 18.
 */
export function sessionJobs({
  db,
  audit,
  clock,
  timeZone,
}: {
  db: Database;
  audit: RecordEvent;
  clock: Clock;
  timeZone: string;
}): { workers: Record<string, Worker>; schedules: Schedule[] } {
  return {
    workers: {
      [expiryQueue]: async () => {
        await expireSessions(db, audit, clock);
        // A restriction may begin on a day without an import.
        const today = localDate(clock(), timeZone);
        await db.transaction().execute((trx) => tellRestrictions(trx, audit, clock, today));
      },
      [passedQueue]: async () => void (await endPassedRights(db, { audit, clock, timeZone })),
      [cleaningQueue]: async () => {
        await cleanSessions(db, clock);
        await cleanRequests(db, clock);
        await cleanImages(db, clock());
      },
    },
    schedules: [
      { queue: expiryQueue, key: 'all', cron: '* * * * *', timeZone: 'UTC', payload: {} },
      { queue: passedQueue, key: 'all', cron: '1 0 * * *', timeZone, payload: {} },
      { queue: cleaningQueue, key: 'all', cron: '*/10 * * * *', timeZone: 'UTC', payload: {} },
    ],
  };
}
