import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Where requests come in. */
export interface Door {
  /** @throws what the system says when the port cannot be had */
  open(port: number, host: string): Promise<void>;
  /** Stops listening, lets requests at work finish, and after 8 s ends those that do not. */
  close(): Promise<void>;
}

/** An HTTP server that waits for nobody for ever: headers come within 10 s, a request within 30 s. */
export function makeDoor(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Door {
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 2_000 },
    (request, response) => void handle(request, response),
  );
  return {
    open: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve());
      }),
    close: () =>
      new Promise((resolve) => {
        const late = setTimeout(() => server.closeAllConnections(), 8_000);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
