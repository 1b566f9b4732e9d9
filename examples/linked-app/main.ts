import { readFileSync } from 'node:fs';
import { startLinkedApp } from './linked-app.js';
import type { LinkedAppOptions } from './linked-app.js';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isOptions(value: unknown): value is LinkedAppOptions {
  if (typeof value !== 'object' || value === null) return false;
  const { name, clientId, clientSecret, port, issuer, scope } = value as Partial<Record<string, unknown>>;
  return [name, clientId, clientSecret, issuer, scope].every(isText) && typeof port === 'number';
}

/** The apps to run: a JSON array in `LINKED_APPS`, or in the file named on the command line. */
function readOptions(): LinkedAppOptions[] {
  const [, , file] = process.argv;
  const text = file === undefined ? process.env['LINKED_APPS'] : readFileSync(file, 'utf8');
  const parsed: unknown = JSON.parse(text ?? 'null');
  const list = Array.isArray(parsed) ? parsed : [parsed];
  if (!list.every(isOptions)) {
    throw new Error('each app needs name, clientId, clientSecret, port (a number), issuer and scope');
  }
  return list;
}

// Started by another program, it ends together with that one: their pipe closes.
if (process.env['PARENT_PIPE'] === '1') {
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

let running = 0;
try {
  for (const options of readOptions()) {
    try {
      const app = await startLinkedApp(options);
      running += 1;
      console.log(`${options.name}: ${app.url}`);
    } catch (error) {
      console.error(`${options.name} did not start: ${messageOf(error)}`);
    }
  }
} catch (error) {
  console.error(`LINKED_APPS or the file is not what it should be: ${messageOf(error)}`);
}
if (running === 0) process.exit(1);
