import { argon2id, hash, needsRehash, verify } from 'argon2';
import { values } from '../values.js';

/** All places at the hasher and in its queue are taken; `retryAfter` is in seconds. */
export class HasherBusy extends Error {
  readonly status = 503;

  constructor(readonly retryAfter: number) {
    super('too many sign-ins at once');
    this.name = 'HasherBusy';
  }
}

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /**
   * Compares, also when there is nothing to compare with (`null`): then against a hash of nothing, so that an unknown
   * person takes the same time.
   */
  verify(stored: string | null, password: string): Promise<boolean>;
  /** Whether the stored hash was made with other parameters than today's. */
  isOutdated(stored: string): boolean;
}

const options = { type: argon2id, ...values.argon2 } as const;

/** NIST SP 800-63B-4 §3.1.1.2: Unicode is normalised before it is hashed, so that every keyboard makes the same bytes. */
function bytes(password: string): string {
  return password.normalize('NFKC');
}

/**
 * argon2id in a bounded queue: each hash holds 19 MiB and a core, so a storm of sign-ins waits in line, and beyond the
 * line is told when to come again, instead of taking the machine down.
 *
 * @param concurrency hashes at one time
 * @param queue how many may wait
 */
export async function passwordHasher(concurrency: number, queue: number): Promise<PasswordHasher> {
  const nobody = await hash('nobody has this password', options);
  let running = 0;
  const waiting: Array<() => void> = [];

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= concurrency) {
      if (waiting.length >= queue) throw new HasherBusy(5);
      // The one who leaves hands its place over, so the count stays.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    hash: (password) => inTurn(() => hash(bytes(password), options)),
    verify: (stored, password) =>
      inTurn(async () => {
        const matches = await verify(stored ?? nobody, bytes(password));
        return matches && stored !== null;
      }),
    isOutdated: (stored) => needsRehash(stored, options),
  };
}
