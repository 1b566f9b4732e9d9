import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { folderDemoSecret } from './database/data-folder.js';
import type { AppRegistration } from './provider/app-registration.js';

/** Gives each demo app a secret of this data folder: `clients.json` carries none. */
export function withDemoSecrets(apps: AppRegistration[], dataDir: string): AppRegistration[] {
  return apps.map((app) => {
    if (!app.demo) return app;
    const sha256 = createHash('sha256').update(folderDemoSecret(dataDir, app.client_id)).digest('hex');
    return { ...app, secrets: [{ name: 'demo', sha256 }] };
  });
}

/** A demo app as the example program takes it. */
interface LinkedApp {
  name: string;
  clientId: string;
  clientSecret: string;
  port: number;
  issuer: string;
  scope: string;
}

function linkedApps(apps: readonly AppRegistration[], issuer: string, dataDir: string): LinkedApp[] {
  return apps
    .filter((app) => app.demo && app.party === 'district')
    .map((app) => ({
      name: app.client_name,
      clientId: app.client_id,
      clientSecret: folderDemoSecret(dataDir, app.client_id),
      port: Number(new URL(app.redirect_uris[0] ?? '').port),
      issuer,
      scope: app.scope,
    }));
}

/**
 * Starts the example program, one for all demo apps, as a child that ends with this process.
 *
 * @returns the apps' names and addresses, and how to end them
 */
export function startDemoApps(
  apps: readonly AppRegistration[],
  issuer: string,
  dataDir: string,
  logger: Logger,
): { addresses: Array<{ name: string; url: string }>; close(): void } {
  const linked = linkedApps(apps, issuer, dataDir);
  const program = fileURLToPath(new URL('../examples/linked-app/main.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program], {
    env: { ...process.env, LINKED_APPS: JSON.stringify(linked), PARENT_PIPE: '1' },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stderr.on('data', (text: Buffer) => logger.warn({ demo: text.toString('utf8').slice(0, 500) }, 'demo apps'));
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) logger.warn({ code }, 'the demo apps ended; are their ports 4001 to 4003 in use?');
  });
  return {
    addresses: linked.map(({ name, port }) => ({ name, url: `http://localhost:${port}` })),
    close: () => child.kill(),
  };
}
