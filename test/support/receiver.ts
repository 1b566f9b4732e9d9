import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { freePort } from './house.js';

/** An app's logout receiver that does as a test says, on loopback. */
export interface Receiver {
  port: number;
  address: string;
  /** The logout tokens that came, oldest first. */
  tokens: string[];
  /** How many requests are being answered at this moment, and the most there ever were. */
  busy: { now: number; most: number };
  /** What it answers from now on; 200 at first. */
  answer: (response: ServerResponse, request: IncomingMessage) => void;
  open(): Promise<void>;
  /** Refuses connections from now on. */
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const port = await freePort();
  const server = createServer((request, response) => {
    receiver.busy.now += 1;
    receiver.busy.most = Math.max(receiver.busy.most, receiver.busy.now);
    response.on('close', () => {
      receiver.busy.now -= 1;
    });
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      receiver.tokens.push(new URLSearchParams(body).get('logout_token') ?? '');
      receiver.answer(response, request);
    });
  });
  const receiver: Receiver = {
    port,
    address: `http://127.0.0.1:${port}/backchannel-logout`,
    tokens: [],
    busy: { now: 0, most: 0 },
    answer: (response) => response.writeHead(200).end(),
    open: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => resolve());
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await receiver.open();
  return receiver;
}
