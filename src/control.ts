import { chmodSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import type { RunReport } from './sis/import.js';

function socketPath(dataDir: string): string {
  return join(dataDir, 'control.sock');
}

/** What the command line may ask of a running server. */
export interface Control {
  import(feed: string): Promise<RunReport>;
}

/**
 * Listens on a socket in the data folder that only its owner can open: the embedded database belongs to the server's
 * process, so the command line asks it.
 *
 * @returns how to stop
 */
export async function listenForControl(dataDir: string, control: Control): Promise<() => void> {
  const path = socketPath(dataDir);
  rmSync(path, { force: true });
  const server = createServer((incoming, answer) => {
    const feed = /^\/import\/([a-z0-9-]+)$/.exec(incoming.url ?? '')?.[1];
    if (incoming.method !== 'POST' || feed === undefined) {
      answer.writeHead(404).end();
      return;
    }
    control.import(feed).then(
      (report) => answer.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(report)),
      (error: unknown) => answer.writeHead(422).end(error instanceof Error ? error.message : 'failed'),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return () => {
    server.close();
    rmSync(path, { force: true });
  };
}

/** The running server said no; its sentence is the message. */
export class ControlRefused extends Error {}

/**
 * Asks the server that holds the data folder to import a feed.
 *
 * @throws ControlRefused with the server's reason
 */
export function askToImport(dataDir: string, feed: string): Promise<RunReport> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socketPath(dataDir), method: 'POST', path: `/import/${feed}` }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (answer.statusCode === 200) resolve(JSON.parse(text) as RunReport);
        else reject(new ControlRefused(text === '' ? 'The server does not know this.' : text));
      });
    });
    asked.once('error', () => reject(new ControlRefused('The server on this data folder does not answer.')));
    asked.end();
  });
}
