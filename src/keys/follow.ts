import type { Logger } from 'pino';
import type { Database } from '../database/database.js';
import type { Sealer } from '../database/secrets.js';
import { values } from '../values.js';
import { keysVersion, loadKeys } from './keys.js';
import type { KeyRing } from './keys.js';

/** The keys of the moment, in a process that goes on while they change. */
export interface KeyFollower {
  ring(): KeyRing;
  /** Calls `use` with every ring that comes after now. */
  onChange(use: (ring: KeyRing) => void): void;
  /** Looks now: resolves when the keys that were there at the call are in use. */
  look(): Promise<void>;
  stop(): void;
}

/**
 * Loads the keys, and looks every few seconds whether they changed: by a question and not by LISTEN, so that it works
 * through PgBouncer in transaction mode. Where the question or the new keys fail, those at hand go on.
 *
 * @throws WrongSecretsKey when SECRETS_KEY is not the one the keys were sealed with
 */
export async function followKeys(db: Database, sealer: Sealer, logger: Logger): Promise<KeyFollower> {
  let ring = await loadKeys(db, sealer);
  const users: Array<(ring: KeyRing) => void> = [];
  const lookOnce = async (): Promise<void> => {
    if ((await keysVersion(db)) === ring.version) return;
    const found = await loadKeys(db, sealer);
    for (const use of users) use(found);
    // Last, so that what failed on the way is tried again.
    ring = found;
    logger.info({ keys: ring.version }, 'keys: changed, and followed');
  };

  let running: Promise<void> | null = null;
  let waiting: Promise<void> | null = null;
  const look = (): Promise<void> => {
    if (running === null) {
      running = lookOnce().finally(() => {
        running = null;
      });
      return running;
    }
    // Who asks while another looks shares one look after it, however many they are.
    waiting ??= running
      .catch(() => {})
      .then(() => {
        waiting = null;
        return look();
      });
    return waiting;
  };

  let failing = false;
  const timer = setInterval(() => {
    look().then(
      () => {
        failing = false;
      },
      (error: unknown) => {
        if (!failing) logger.warn({ err: error }, 'keys: could not look whether they changed; those at hand go on');
        failing = true;
      },
    );
  }, values.keysLookedAt * 1000);
  timer.unref();
  return {
    ring: () => ring,
    onChange: (use) => void users.push(use),
    look,
    stop: () => clearInterval(timer),
  };
}
