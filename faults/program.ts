import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshDatabase } from '../test/support/database.js';
import type { FreshDatabase } from '../test/support/database.js';
import { freePort } from '../test/support/house.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The secret of every app. */
export const appSecret = 'the-secret-of-every-app-of-the-faults';
const sha256 = createHash('sha256').update(appSecret).digest('hex');

/** An app as `clients.json` has it; what is not said here is the same for all. */
export interface App {
  client_id: string;
  redirect_uris: string[];
  backchannel_logout_uri?: string;
  scope?: string;
}

/** One run of the real program. */
export interface Program {
  pid: number;
  /** Sends a signal; `SIGKILL` is `kill -9`. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** How it ended: the exit code, or null where a signal ended it; `at` as `performance.now()`. */
  ended: Promise<{ code: number | null; at: number }>;
}

/** A database, and what the program needs to be started on it, as often as one likes. */
export interface Stage {
  database: FreshDatabase;
  /** Where people and apps find it. */
  issuer: string;
  /** The environment of every program here, for its commands too. */
  environment: Record<string, string>;
  /** Starts an instance and waits until it is ready. It listens on the issuer's own port unless told otherwise. */
  start(port?: number): Promise<Program>;
  /** Ends the programs that still run, by their ids, and removes everything. */
  close(): Promise<void>;
}

/** Waits for the program's own word: who answers on a port may be another. */
function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('is ready')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`The program ended with ${String(code)} before it was ready.`)));
  });
}

/**
 * Lays out a real PostgreSQL database, and files for the real program: these apps, no feeds, one secret for all instances.
 *
 * @param main the program as `npm run build` makes it; without it the source is started
 */
export async function layStage(
  apps: readonly App[],
  extra: Record<string, string> = {},
  main?: string,
): Promise<Stage> {
  const database = await freshDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-faults-'));
  const home = await freePort();
  const issuer = `http://localhost:${home}`;
  const clients = apps.map((app) => ({
    client_name: app.client_id,
    scope: 'openid profile',
    party: 'district',
    secrets: [{ name: 'faults', sha256 }],
    ...app,
  }));
  writeFileSync(join(folder, 'clients.json'), JSON.stringify({ clients }));
  writeFileSync(join(folder, 'feeds.json'), '{"feeds":[]}');
  const { PATH = '', HOME = '' } = process.env;
  const environment: Record<string, string> = {
    PATH,
    HOME,
    ISSUER: issuer,
    PORT: String(home),
    DATA_DIR: folder,
    CLIENTS_FILE: join(folder, 'clients.json'),
    FEEDS_FILE: join(folder, 'feeds.json'),
    DATABASE_URL: database.url ?? '',
    SECRETS_KEY: randomBytes(32).toString('base64url'),
    THROTTLE_SCALE: '1000',
    // Warnings tell of each failed delivery, which is what some of these faults are.
    LOG_LEVEL: 'error',
    ...extra,
  };
  const running = new Set<Program>();

  async function start(port = home): Promise<Program> {
    const child = spawn(
      process.execPath,
      [...(main === undefined ? ['--import', 'tsx', 'src/main.ts'] : [main]), 'serve'],
      {
        cwd: root,
        env: { ...environment, PORT: String(port) },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const program: Program = {
      pid: child.pid ?? 0,
      kill: (signal) => void child.kill(signal),
      ended: new Promise((resolve) => {
        child.once('exit', (code) => {
          running.delete(program);
          resolve({ code, at: performance.now() });
        });
      }),
    };
    running.add(program);
    await untilReady(child);
    return program;
  }

  return {
    database,
    issuer,
    environment,
    start,
    async close() {
      for (const program of running) {
        program.kill('SIGKILL');
        await program.ended;
      }
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
