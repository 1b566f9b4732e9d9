import { CompiledQuery } from 'kysely';
import type pg from 'pg';
import { PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { Database } from '../database/database.js';

/** Work that is written down in the transaction that caused it and done after, at least once, also after a crash. */
export interface Jobs {
  /**
   * Starts the workers of this process.
   *
   * @param queues each queue's name and worker
   * @param schedules jobs by the clock; a schedule that is no longer listed ends
   * @param long names of queues whose jobs may take hours; others are given to another worker after ten minutes
   */
  start(queues: Record<string, Worker>, schedules: Schedule[], long?: readonly string[]): Promise<void>;
  /** Writes a job with the caller's transaction; it exists if and only if that commits. `payload` holds no plain secret or personal data. */
  send(trx: Database, queue: string, payload: Record<string, unknown>): Promise<void>;
  /** Looks for work now instead of at the next poll (2 s): call it after the transaction. */
  wake(queue: string): void;
  stop(): Promise<void>;
}

/** A queue's worker: called once per job, with the payload that was sent; an error means "again later". */
export type Worker = (payload: Record<string, unknown>) => Promise<void>;

/** A job that comes by the clock: `cron` in `timeZone`; missed turns are made up for once. */
export interface Schedule {
  queue: string;
  key: string;
  cron: string;
  timeZone: string;
  payload: Record<string, unknown>;
}

const queueOptions = {
  // A mail server that is down for an hour costs nobody a mail: 20 tries with growing waits span more than a day.
  retryLimit: 20,
  retryDelay: 5,
  retryBackoff: true,
  retryDelayMax: 3_600 * 3,
  expireInSeconds: 600,
  deleteAfterSeconds: 3_600,
};

/** A worker that lives says so; one that was killed is missed within minutes, however long its job might have taken. */
const longWork = { expireInSeconds: 6 * 3_600, heartbeatSeconds: 120 };

/** Readies the queues' tables; `serve` does so at its start, `migrate` for those who run it apart. */
export async function migrateJobs(pool: pg.Pool, kind: 'postgres' | 'pglite'): Promise<void> {
  const boss = bossOn(pool, kind);
  await boss.start({});
  await boss.stop({ graceful: false });
}

function bossOn(pool: pg.Pool, kind: 'postgres' | 'pglite'): PgBoss {
  return new PgBoss({
    db: { executeSql: async (text, parameters) => pool.query(text, parameters) },
    backend: kind,
    schema: 'jobs',
    superviseIntervalSeconds: 60,
  });
}

/**
 * Opens the queues. Nothing is worked on before `start`.
 */
export async function openJobs(pool: pg.Pool, kind: 'postgres' | 'pglite', logger: Logger): Promise<Jobs> {
  const boss = bossOn(pool, kind);
  boss.on('error', (error) => logger.error({ err: error }, 'jobs: the queue had an error'));
  await boss.start();
  const workers = new Map<string, string>();
  return {
    async start(queues, schedules, long = []) {
      for (const queue of Object.keys(queues)) {
        const options = long.includes(queue) ? { ...queueOptions, ...longWork } : queueOptions;
        await boss.createQueue(queue, options);
        // A queue that was there before keeps what it was made with.
        await boss.updateQueue(queue, options);
      }
      await syncSchedules(boss, schedules);
      for (const [queue, worker] of Object.entries(queues)) {
        // Jobs fetched together end together: a long one would keep those that come meanwhile waiting. As many at once as come by the clock.
        const atOnce = long.includes(queue)
          ? Math.max(1, schedules.filter((each) => each.queue === queue).length)
          : null;
        workers.set(queue, await startWorker(boss, queue, worker, logger, atOnce));
      }
    },
    async send(trx, queue, payload) {
      const executeSql = async (text: string, parameters: unknown[] = []) => {
        const { rows } = await trx.executeQuery(CompiledQuery.raw(text, parameters));
        return { rows };
      };
      await boss.send(queue, payload, { db: { executeSql } });
    },
    wake(queue) {
      const id = workers.get(queue);
      if (id !== undefined) boss.notifyWorker(id);
    },
    stop: () => boss.stop({ graceful: true, timeout: 8_000, close: false }),
  };
}

/** @param atOnce how many jobs are done at once, each by itself; null where they are short, and done in batches */
async function startWorker(
  boss: PgBoss,
  queue: string,
  worker: Worker,
  logger: Logger,
  atOnce: number | null,
): Promise<string> {
  const pace = atOnce === null ? { batchSize: 20 } : { batchSize: 1, localConcurrency: atOnce };
  return boss.work<
    Record<string, unknown>,
    unknown,
    { batchSize: number; localConcurrency?: number; pollingIntervalSeconds: number; perJobResults: true }
  >(queue, { ...pace, pollingIntervalSeconds: 2, perJobResults: true }, (jobs) =>
    Promise.all(
      jobs.map(async (job) => {
        try {
          await worker(job.data);
          return { id: job.id, status: 'completed' as const };
        } catch (error) {
          logger.warn({ err: error, queue, job: job.id }, 'jobs: failed, will be tried again');
          return { id: job.id, status: 'failed' as const };
        }
      }),
    ),
  );
}

async function syncSchedules(boss: PgBoss, schedules: Schedule[]): Promise<void> {
  const wanted = new Set(schedules.map(({ queue, key }) => `${queue} ${key}`));
  for (const { name, key } of await boss.getSchedules()) {
    if (!wanted.has(`${name} ${key}`)) await boss.unschedule(name, key);
  }
  for (const { queue, key, cron, timeZone, payload } of schedules) {
    await boss.schedule(queue, cron, payload, { tz: timeZone, key, missed: 'once' });
  }
}
