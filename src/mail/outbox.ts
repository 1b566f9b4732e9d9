import type { Database } from '../database/database.js';
import type { Sealer } from '../database/secrets.js';
import type { Jobs, Worker } from '../jobs/jobs.js';
import { refusesRecipient } from './mailer.js';
import type { Letter, Mailer } from './mailer.js';

export const mailQueue = 'mail';

/** Puts a letter in the post with the transaction of what it tells. */
export type PostLetter = (trx: Database, letter: Letter) => Promise<void>;

/** Letters carry links and codes, so the queue holds them sealed: a stolen dump opens nothing. */
export function outbox(jobs: Pick<Jobs, 'send'>, sealer: Sealer): PostLetter {
  return async (trx, letter) => {
    await jobs.send(trx, mailQueue, { sealed: await sealer.seal(JSON.stringify(letter)) });
  };
}

/**
 * The worker that hands letters to the mail server.
 *
 * @param onRefused told of an address that the server refuses for good; the letter is tried again all the same, because somebody asked for it
 */
export function mailWorker(mailer: Mailer, sealer: Sealer, onRefused: (address: string) => Promise<void>): Worker {
  return async (payload) => {
    if (typeof payload['sealed'] !== 'string') throw new Error('A mail job without a letter.');
    const letter = JSON.parse(await sealer.open(payload['sealed'])) as Letter;
    try {
      await mailer.send(letter);
    } catch (error) {
      if (refusesRecipient(error)) await onRefused(letter.to);
      throw error;
    }
  };
}
