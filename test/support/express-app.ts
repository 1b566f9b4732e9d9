import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What express-openid-connect is told of its provider and of itself. */
export interface ExpressAppOptions {
  port: number;
  issuer: string;
  clientId: string;
  secret: string;
  scope: string;
}

/** A running Express app: `/` is open, `/children` is for who is signed in, and the rest is the library's own. */
export interface ExpressApp {
  home: string;
  close(): Promise<void>;
}

/**
 * Starts the program beside this file, as this process's child.
 *
 * @throws when it does not start, with its own words
 */
export async function startExpressApp({
  port,
  issuer,
  clientId,
  secret,
  scope,
}: ExpressAppOptions): Promise<ExpressApp> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./express-program.ts', import.meta.url))],
    {
      env: {
        PATH,
        HOME,
        PORT: String(port),
        APP_ISSUER: issuer,
        APP_CLIENT_ID: clientId,
        APP_SECRET: secret,
        APP_SCOPE: scope,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const ready = new Promise<'ready'>((resolve) => {
    child.stdout.once('data', () => resolve('ready'));
  });
  const state = await Promise.race([ready, ended.then(() => 'ended')]);
  if (state === 'ended') throw new Error(`The Express app did not start: ${complaint}`);
  return {
    home: `http://localhost:${port}/`,
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
