import { createServer, request as send } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Who stands before the instances. */
export interface Balancer {
  /** How often a request found that nobody listened, and was sent to another instance: none of it had been sent. */
  refused(): number;
  close(): Promise<void>;
}

/** Milliseconds between two looks at each instance. */
const every = 500;

/**
 * A small HTTP balancer: asks each instance for `/readyz`, and sends requests in turn to those that are ready, each on a
 * connection of its own. What cannot be connected goes to the next; what was sent is never sent again.
 *
 * @param port where it listens
 * @param instances the ports of the instances
 */
export async function startBalancer(port: number, instances: readonly number[]): Promise<Balancer> {
  const ready = new Set<number>();
  let turn = 0;
  let refused = 0;

  async function look(): Promise<void> {
    await Promise.all(
      instances.map(async (instance) => {
        const answer = await fetch(`http://127.0.0.1:${instance}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(
          () => null,
        );
        if (answer?.ok === true) ready.add(instance);
        else ready.delete(instance);
        await answer?.body?.cancel();
      }),
    );
  }

  function pass(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, tried: ReadonlySet<number>): void {
    const choice = [...ready].filter((instance) => !tried.has(instance));
    turn += 1;
    const instance = choice[turn % choice.length];
    if (instance === undefined) {
      outgoing.writeHead(502).end('no instance is ready');
      return;
    }
    const { connection: _, ...headers } = incoming.headers;
    const forwarded = { ...headers, 'x-forwarded-for': incoming.socket.remoteAddress ?? '' };
    const onward = send({
      host: '127.0.0.1',
      port: instance,
      method: incoming.method,
      path: incoming.url,
      headers: forwarded,
      agent: false,
    });
    onward.on('response', (answer) => {
      const { connection: _hop, 'keep-alive': _kept, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, kept);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    onward.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' && error.syscall === 'connect') {
        refused += 1;
        pass(incoming, outgoing, body, new Set([...tried, instance]));
      } else if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end(`${instance}: ${String(error.code)}`);
    });
    onward.end(body);
  }

  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => pass(incoming, outgoing, Buffer.concat(chunks), new Set()));
  });
  await look();
  const timer = setInterval(() => void look(), every);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    refused: () => refused,
    close: () => {
      clearInterval(timer);
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
