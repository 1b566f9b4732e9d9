import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';

/** Too many tries; `retryAfter` is in seconds. */
export class Throttled extends Error {
  readonly status = 429;

  constructor(readonly retryAfter: number) {
    super('too many tries');
    this.name = 'Throttled';
  }
}

/** A limit: `points` tries within `duration` seconds, counted in the database and so over all instances. */
export interface Throttle {
  /** Counts a try *before* anything is looked up. @throws Throttled when it is one too many */
  spend(key: string): Promise<void>;
  /** Forgets what was counted, after a success. */
  clear(key: string): Promise<void>;
  /** Gives one try back, after a success that says nothing about the others under this key. */
  refund(key: string): Promise<void>;
}

export type MakeThrottle = (name: string, limit: { points: number; duration: number }) => Throttle;

/**
 * Limits on the table `throttles`. Keys are kept as keyed digests: they are made of addresses and sources.
 *
 * @param scale THROTTLE_SCALE, a factor on every number of points
 * @param secret any 32 bytes of this deployment
 */
export function throttles(pool: pg.Pool, scale: number, secret: Uint8Array): MakeThrottle {
  return (name, { points, duration }) => {
    const limiter = new RateLimiterPostgres({
      storeClient: pool,
      storeType: 'pool',
      tableName: 'throttles',
      tableCreated: true,
      keyPrefix: name,
      points: Math.ceil(points * scale),
      duration,
      clearExpiredByTimeout: false,
    });
    const digest = (key: string): string =>
      createHmac('sha256', secret)
        .update(`throttle:${key.normalize('NFKC').toLowerCase()}`)
        .digest('base64url');
    return {
      async spend(key) {
        try {
          await limiter.consume(digest(key));
        } catch (refusal) {
          if (refusal instanceof RateLimiterRes) throw new Throttled(Math.ceil(refusal.msBeforeNext / 1000));
          throw refusal;
        }
      },
      async clear(key) {
        await limiter.delete(digest(key));
      },
      async refund(key) {
        await limiter.reward(digest(key), 1);
      },
    };
  };
}
