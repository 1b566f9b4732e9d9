import { rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Check } from './doctor/check.js';
import type { Progress } from './sis/import.js';

function socketPath(dataDir: string): string {
  return join(dataDir, 'control.sock');
}

/** What the command line may ask of a running server. */
export interface Control {
  /** What only the process that holds the embedded database can look at. */
  doctor(): Promise<Check[]>;
  /** Runs a command on the database, by its name and arguments, and tells how far a long one is. @returns what to print */
  desk(name: string, args: string[], onProgress: (progress: Progress) => void): Promise<string>;
}

/** What the server says, a line each: how far it is, and in the last one what came of it. */
type Line = { progress: Progress } | { done: unknown } | { refused: string };

/** Bytes of a question: names and numbers, never a file. */
const mostBytes = 65_536;

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
    const say = (line: Line): void => void answer.write(`${JSON.stringify(line)}\n`);
    const answering = incoming.method === 'POST' ? answerTo(control, incoming, (progress) => say({ progress })) : null;
    if (answering === null) {
      answer.writeHead(404).end();
      return;
    }
    answer.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    answering
      .then(
        (done) => say({ done }),
        (error: unknown) => say({ refused: error instanceof Error ? error.message : 'failed' }),
      )
      .finally(() => answer.end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The socket is made within `listen`, before anybody else has a turn: at no moment is it open to others.
    const mask = process.umask(0o177);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(mask);
    }
  });
  return () => {
    server.close();
    rmSync(path, { force: true });
  };
}

function answerTo(
  control: Control,
  incoming: IncomingMessage,
  onProgress: (progress: Progress) => void,
): Promise<unknown> | null {
  const path = incoming.url ?? '';
  if (path === '/doctor') return control.doctor();
  if (path === '/desk') return answerDesk(control, incoming, onProgress);
  return null;
}

async function answerDesk(
  control: Control,
  incoming: IncomingMessage,
  onProgress: (progress: Progress) => void,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > mostBytes) throw new Error('The command is too long.');
    chunks.push(chunk);
  }
  const { name, args } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { name: string; args: string[] };
  return control.desk(name, args, onProgress);
}

/** The running server said no; its sentence is the message. */
export class ControlRefused extends Error {}

/**
 * Asks the server that holds the data folder how its database, its keys and its feeds are.
 *
 * @throws ControlRefused when it does not answer
 */
export async function askToDiagnose(dataDir: string): Promise<Check[]> {
  return (await ask(dataDir, '/doctor')) as Check[];
}

/**
 * Lets the server that holds the data folder run a command on its database.
 *
 * @throws ControlRefused with the server's reason
 */
export async function askDesk(
  dataDir: string,
  name: string,
  args: string[],
  onProgress?: (progress: Progress) => void,
): Promise<string> {
  return (await ask(dataDir, '/desk', JSON.stringify({ name, args }), onProgress)) as string;
}

async function ask(
  dataDir: string,
  path: string,
  body = '',
  onProgress: (progress: Progress) => void = () => {},
): Promise<unknown> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ socketPath: socketPath(dataDir), method: 'POST', path }, resolve);
    asked.once('error', () => reject(new ControlRefused('The server on this data folder does not answer.')));
    asked.end(body);
  });
  if (answer.statusCode !== 200) throw new ControlRefused('The server does not know this.');
  try {
    for await (const text of createInterface({ input: answer })) {
      const line = JSON.parse(text) as Line;
      if ('done' in line) return line.done;
      if ('refused' in line) throw new ControlRefused(line.refused);
      onProgress(line.progress);
    }
  } catch (error) {
    if (error instanceof ControlRefused) throw error;
  }
  throw new ControlRefused('The server ended before it had answered.');
}
