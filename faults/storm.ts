import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freshDatabase } from '../test/support/database.js';
import { openBrowser } from '../test/support/browser.js';
import type { Browser } from '../test/support/browser.js';
import { freePort } from '../test/support/house.js';
import { peakMemory, share } from './house.js';
import type { Finding } from './house.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** MB that one process may hold at the height of a storm. */
const memoryCap = 512;

async function ready(issuer: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const answer = await fetch(`${issuer}/readyz`).catch(() => null);
    if (answer?.ok === true) return;
    await pause(100);
  }
  throw new Error('The server did not become ready.');
}

async function wave(issuer: string, size: number, pid: number): Promise<Finding> {
  const browsers: Browser[] = [];
  for (let index = 0; index < size; index += 1) {
    const browser = openBrowser();
    await browser.get(`${issuer}/sign-in`);
    browsers.push(browser);
  }
  const fields = { identifier: 'registered@example.org', password: 'correct horse battery staple' };
  const answers = await Promise.all(
    browsers.map(async (browser) => {
      const start = performance.now();
      const { status, headers } = await browser.submit(fields, { follow: false });
      return { status, retry: headers['retry-after'], milliseconds: performance.now() - start };
    }),
  );
  const done = answers.filter(({ status }) => status === 302 || status === 303);
  const later = answers.filter(({ status, retry }) => status === 503 && retry !== undefined);
  const memory = peakMemory(pid);
  return {
    name: `row 22: ${size} sign-ins at the same instant`,
    bar: `each is signed in, or told 503 with Retry-After; memory ≤ ${memoryCap} MB`,
    measured: `${done.length} signed in (median ${Math.round(
      share(
        done.map(({ milliseconds }) => milliseconds),
        0.5,
      ),
    )} ms, last ${Math.round(
      share(
        done.map(({ milliseconds }) => milliseconds),
        1,
      ),
    )} ms), ${later.length} told 503, ${size - done.length - later.length} else; peak ${memory} MB`,
    holds: done.length + later.length === size && done.length > 0 && memory <= memoryCap,
  };
}

/** Row 22: the real program on PostgreSQL, and more people at the same instant than it can serve. */
export async function storm(): Promise<Finding[]> {
  const database = await freshDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-storm-'));
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const clients = join(folder, 'clients.json');
  writeFileSync(clients, '{"clients":[]}');
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'serve'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH,
      HOME,
      ISSUER: issuer,
      PORT: String(port),
      DATA_DIR: folder,
      CLIENTS_FILE: clients,
      DATABASE_URL: database.url ?? '',
      THROTTLE_SCALE: '100000',
      LOG_LEVEL: 'warn',
    },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    await ready(issuer);
    const pid = child.pid ?? 0;
    return [await wave(issuer, 200, pid), await wave(issuer, 600, pid)];
  } finally {
    child.kill('SIGTERM');
    await ended;
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
