import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';

/** A server with bounded waits: 10 s for headers, 30 s for a request, 5 s of idling. */
export function makeDoor(handle: RequestListener): Server {
  return createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 2_000 },
    handle,
  );
}

/** @throws when the port is taken */
export function openDoor(door: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    door.once('error', reject);
    door.listen(port, host, () => resolve());
  });
}

/** Stops listening, lets requests at work finish, and after 8 s ends those that do not. */
export function closeDoor(door: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => door.closeAllConnections(), 8_000);
    door.close(() => {
      clearTimeout(late);
      resolve();
    });
    door.closeIdleConnections();
  });
}
