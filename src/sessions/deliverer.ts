import type { Logger } from 'pino';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { values } from '../values.js';
import { recordTry, takeDueDeliveries } from './deliveries.js';
import type { DueDelivery, Try } from './deliveries.js';

export interface DelivererParts {
  db: Database;
  clock: Clock;
  logger: Logger;
  /** Makes the logout token of one try: a new `jti` and `iat` each time. */
  sign(delivery: DueDelivery): Promise<string>;
  fetch: typeof fetch;
  /** Milliseconds between two looks into the queue; a wake-up looks at once. */
  every?: number;
}

/** Tells the apps what has ended. Every instance has one. */
export interface Deliverer {
  /** Looks into the queue now: called after the transaction that wrote to it. */
  wake(): void;
  /** Takes nothing more, and waits for the tries at work. */
  stop(): Promise<void>;
}

/** How much of an app's own words is kept. */
const wordsKept = 200;

export function startDeliverer(parts: DelivererParts): Deliverer {
  const { db, clock, logger, every = 1_000 } = parts;
  const busy = new Map<string, number>();
  const atWork = new Set<Promise<void>>();
  let stopped = false;
  let looking: Promise<void> | null = null;
  let again = false;

  const one = async (delivery: DueDelivery): Promise<void> => {
    busy.set(delivery.clientId, (busy.get(delivery.clientId) ?? 0) + 1);
    try {
      const state = await recordTry(db, clock, delivery, await tell(parts, delivery));
      if (state !== 'confirmed') logger.warn({ client: delivery.clientId, delivery: delivery.id, state }, 'deliveries');
    } catch (error) {
      // Not recorded: the lease runs out, and the app is told again.
      logger.error({ err: error, delivery: delivery.id }, 'deliveries: a try was not recorded');
    } finally {
      busy.set(delivery.clientId, (busy.get(delivery.clientId) ?? 1) - 1);
    }
  };
  const look = async (): Promise<void> => {
    for (const delivery of await takeDueDeliveries(db, clock, busy)) {
      const work: Promise<void> = one(delivery).finally(() => {
        atWork.delete(work);
        // A place is free.
        wake();
      });
      atWork.add(work);
    }
  };
  const wake = (): void => {
    if (stopped) return;
    if (looking !== null) {
      again = true;
      return;
    }
    again = false;
    looking = look()
      .catch((error: unknown) => logger.error({ err: error }, 'deliveries: the queue cannot be read'))
      .finally(() => {
        looking = null;
        if (again) wake();
      });
  };
  const timer = setInterval(wake, every);
  wake();
  return {
    wake,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      await Promise.all(atWork);
    },
  };
}

/** One try: `POST` of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.5); a redirect is not followed. */
async function tell({ clock, sign, fetch: send }: DelivererParts, delivery: DueDelivery): Promise<Try> {
  const triedAt = clock();
  const began = performance.now();
  const made = (status: number | null, words: string | null): Try => ({
    triedAt,
    status,
    milliseconds: Math.round(performance.now() - began),
    words,
  });
  try {
    const answer = await send(delivery.address, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: await sign(delivery) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(values.deliveryTry * 1000),
    });
    const good = answer.status === 200 || answer.status === 204;
    return made(answer.status, good ? await discard(answer) : await wordsOf(answer));
  } catch (error) {
    return made(null, faultOf(error));
  }
}

async function discard(answer: Response): Promise<null> {
  await answer.body?.cancel();
  return null;
}

/** The beginning of what the app says, in one line, whatever it sends. */
async function wordsOf(answer: Response): Promise<string | null> {
  const reader = answer.body?.getReader();
  if (reader === undefined) return null;
  const { value } = await reader.read();
  await reader.cancel();
  const text = new TextDecoder().decode(value?.subarray(0, 4_096)).replace(/[\p{C}\s]+/gu, ' ');
  return text.trim() === '' ? null : text.trim().slice(0, wordsKept);
}

/** The reason of a failed request by its code: what it says in words may quote. */
function faultOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'failed';
  if ('name' in error && error.name === 'TimeoutError') return `no answer within ${values.deliveryTry} s`;
  const cause = 'cause' in error ? error.cause : null;
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return String(cause.code);
  return 'name' in error ? String(error.name) : 'failed';
}
