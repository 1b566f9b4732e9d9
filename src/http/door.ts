import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { values } from '../values.js';

/** Where requests come in. */
export interface Door {
  /** @throws what the system says when the port cannot be had */
  open(port: number, host: string): Promise<void>;
  /** It is about to close: `/readyz` says so, and answers ask for no further request on their connection. */
  isClosing(): boolean;
  /**
   * Says for `notice` seconds that it is about to close, so that whoever balances requests sends none any more; then stops
   * listening, lets requests at work finish, and ends those that do not within `patience`.
   */
  close(notice: number): Promise<void>;
}

/**
 * An HTTP server that waits for nobody for ever: headers come within 10 s, a request within 30 s.
 *
 * @param patience seconds that requests at work may take when it closes
 */
export function makeDoor(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  patience: number = values.closingWork,
): Door {
  let closing = false;
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 2_000 },
    (request, response) => {
      if (closing) response.setHeader('Connection', 'close');
      void handle(request, response);
    },
  );
  return {
    open: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve());
      }),
    isClosing: () => closing,
    async close(notice) {
      closing = true;
      await pause(notice * 1_000);
      await new Promise<void>((resolve) => {
        const late = setTimeout(() => server.closeAllConnections(), patience * 1_000);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
        server.closeIdleConnections();
      });
    },
  };
}
