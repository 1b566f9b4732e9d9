import type { Logger } from 'pino';
import type { Schedule, Worker } from './jobs/jobs.js';
import type { KeyFollower } from './keys/follow.js';
import { tendKeys } from './keys/states.js';
import type { KeyParts } from './keys/states.js';
import type { AppRegistration } from './provider/app-registration.js';
import { expiringSecrets } from './provider/client-secrets.js';

/** What is done by the clock about keys and apps' secrets. */
export interface KeyJobs {
  workers: Record<string, Worker>;
  schedules: Schedule[];
  /** Says in the log which secrets expire soon; each start does so, and the job every morning. */
  warnOfSecrets(): Promise<void>;
}

export function keyJobs(
  parts: KeyParts,
  keys: KeyFollower,
  apps: ReadonlyMap<string, AppRegistration>,
  timeZone: string,
  logger: Logger,
): KeyJobs {
  const warnOfSecrets = async (): Promise<void> => {
    for (const expiring of await expiringSecrets(parts.db, apps.values(), parts.clock())) {
      logger.warn(expiring, "an app's secret expires soon");
    }
  };
  return {
    workers: {
      async keys() {
        const { rotated, removed } = await tendKeys(parts);
        if (rotated.length + removed.length > 0) logger.info({ rotated, removed }, 'keys: tended');
        await keys.look();
      },
      secrets: warnOfSecrets,
    },
    schedules: [
      { queue: 'keys', key: 'all', cron: '7 * * * *', timeZone: 'UTC', payload: {} },
      { queue: 'secrets', key: 'all', cron: '0 8 * * *', timeZone, payload: {} },
    ],
    warnOfSecrets,
  };
}
