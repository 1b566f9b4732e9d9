import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { House } from '../../src/app.js';
import { openPostgres } from '../../src/database/postgres.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import type { FreshDatabase } from './database.js';

/** What stands before several instances and gives each request to the next of them. */
export interface Balancer {
  /** Gives every request to one instance from now on; null to each in turn. */
  pin(instance: number | null): void;
  close(): Promise<void>;
}

/** Listens on `port` and passes on to `targets`, the header `Host` as it came. */
async function balance(port: number, targets: readonly number[]): Promise<Balancer> {
  let turn = 0;
  let pinned: number | null = null;
  const server = createServer((incoming, answer) => {
    turn += 1;
    const target = targets[pinned ?? turn % targets.length];
    const { method = 'GET', url = '/', headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port: target, method, path: url, headers, agent: false }, (came) => {
      answer.writeHead(came.statusCode ?? 502, came.headers);
      came.pipe(answer);
    });
    outgoing.on('error', () => {
      if (!answer.headersSent) answer.writeHead(502);
      answer.end();
    });
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  return {
    pin: (instance) => {
      pinned = instance;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A port that the system gives. */
async function anyPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Several instances on one PostgreSQL, each with a pool of its own, behind a balancer on `port`. */
export async function severalHouses(
  count: number,
  port: number,
  database: FreshDatabase,
  open: (database: OpenDatabase, port: number) => Promise<House>,
): Promise<{ houses: House[]; balancer: Balancer; close(): Promise<void> }> {
  if (database.url === null) throw new Error('Several instances need a PostgreSQL.');
  const houses: House[] = [];
  const pools: OpenDatabase[] = [];
  const ports: number[] = [];
  for (let instance = 0; instance < count; instance += 1) {
    const own = openPostgres(database.url);
    const at = await anyPort();
    houses.push(await open(own, at));
    pools.push(own);
    ports.push(at);
  }
  const balancer = await balance(port, ports);
  return {
    houses,
    balancer,
    async close() {
      await balancer.close();
      await Promise.all(houses.map((house) => house.close()));
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}
