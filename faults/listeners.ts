import { decodeJwt } from 'jose';
import { startReceiver } from '../test/support/receiver.js';
import type { Receiver } from '../test/support/receiver.js';

/** An app's receiver, and when it was first told of each sign-in and how often. */
export interface Listener {
  clientId: string;
  receiver: Receiver;
  /** By `sid`: `Date.now()` of each time a token came that was, or will be, answered with 200. */
  told: Map<string, number[]>;
  /** From now on notes and confirms what comes, after so many milliseconds. */
  confirm(wait?: () => number): void;
}

/** Starts a receiver for each app, which confirms what it is told. */
export async function listeners(clientIds: readonly string[]): Promise<Listener[]> {
  const all: Listener[] = [];
  for (const clientId of clientIds) {
    const receiver = await startReceiver();
    const listener: Listener = {
      clientId,
      receiver,
      told: new Map(),
      confirm(wait = () => 0) {
        receiver.answer = (response) => {
          // The receiver has just kept the token of this request as its latest.
          const { sid, aud } = decodeJwt(receiver.tokens.at(-1) ?? '');
          if (typeof sid !== 'string' || aud !== clientId) return response.writeHead(400).end();
          listener.told.set(sid, [...(listener.told.get(sid) ?? []), Date.now()]);
          const milliseconds = wait();
          if (milliseconds === 0) response.writeHead(200).end();
          else setTimeout(() => response.writeHead(200).end(), milliseconds);
        };
      },
    };
    listener.confirm();
    all.push(listener);
  }
  return all;
}
