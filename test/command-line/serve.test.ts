import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { askDesk } from '../../src/control.js';
import { writeSample } from '../../src/sis/sample/sample.js';
import { openBrowser } from '../support/browser.js';
import { freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/house.js';
import { ready, run } from './program.js';
import type { Run } from './program.js';

async function environment(folder: string): Promise<Record<string, string>> {
  const port = await freePort();
  const clients = join(folder, '..', `clients-${port}.json`);
  writeFileSync(clients, JSON.stringify({ clients: [] }));
  return {
    DATA_DIR: folder,
    PORT: String(port),
    ISSUER: `http://localhost:${port}`,
    CLIENTS_FILE: clients,
    LOG_LEVEL: 'error',
  };
}

async function signsIn(issuer: string): Promise<boolean> {
  const browser = openBrowser();
  await browser.get(`${issuer}/sign-in`);
  const page = await browser.submit({ identifier: 'registered@example.org', password: 'correct horse battery staple' });
  return page.url === `${issuer}/`;
}

describe('serve on an empty folder', () => {
  const base = mkdtempSync(join(tmpdir(), 'parent-access-serve-'));
  const folder = join(base, 'data');
  let settings: Record<string, string> = {};
  let server: Run;
  beforeAll(async () => {
    settings = await environment(folder);
    server = run(['serve'], settings, '', 'source');
    await ready(server);
  });
  afterAll(async () => {
    server.child.kill('SIGKILL');
    await server.ended;
    rmSync(base, { recursive: true, force: true });
  });

  it('runs no command at its socket that has not been given a name', async () => {
    for (const name of ['constructor', 'toString', '__proto__', 'nonsense', '']) {
      await expect(askDesk(folder, name, [])).rejects.toThrow('does not know the command');
    }
  });

  it('tells a newcomer in about ten lines what to open and with whom', () => {
    expect(server.out().trim().split('\n').length).toBeLessThanOrEqual(12);
    for (const word of [
      'parent@example.org',
      '(213) 555-0100',
      'registered@example.org',
      'correct horse battery staple',
      '/dev/mail',
    ]) {
      expect(server.out()).toContain(word);
    }
  });

  it('is ready, and the sample parent signs in', async () => {
    expect((await fetch(`${settings['ISSUER']}/readyz`)).status).toBe(200);
    expect(await signsIn(settings['ISSUER'] ?? '')).toBe(true);
    const mails = await fetch(`${settings['ISSUER']}/dev/mail.json?to=parent@example.org`);
    expect(await mails.json()).toEqual([]);
  });

  it('keeps its secrets from others', () => {
    expect(statSync(join(folder, 'secrets-key')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'control.sock')).mode & 0o777).toBe(0o600);
  });

  it('a second process on the folder is refused in one sentence', async () => {
    const second = run(['serve'], { ...settings, PORT: String(await freePort()) });
    expect(await second.ended).toBe(2);
    expect(second.err().trim().split('\n')).toHaveLength(1);
    expect(second.err()).toContain('is in use by process');
  });

  it('import is done by the server that holds the folder; an unknown feed is refused in one sentence', async () => {
    const done = run(['import', '--feed', 'elementary'], settings);
    expect(await done.ended).toBe(0);
    expect(done.out()).toContain('elementary: unchanged');
    const extract = readFileSync(join(folder, 'sample', 'elementary.csv'), 'utf8');
    const piped = run(['import', '--feed', 'elementary', '--from', '-', '--whole', '--dry-run'], settings, extract);
    expect(await piped.ended).toBe(0);
    expect(piped.out()).toContain('elementary: planned');
    // What it says of its progress reaches the other process, a line each.
    expect(piped.err()).toContain('{"stage":"comparing","rows":');
    const refused = run(['import', '--feed', 'nobody'], settings);
    expect(await refused.ended).toBe(2);
    expect(refused.err()).toContain('elementary, secondary');
  });

  it('keys are listed, rotated and revoked by the server that holds the folder, and followed before the command ends', async () => {
    const published = async (): Promise<string[]> => {
      const answer = await fetch(`${settings['ISSUER']}/jwks`);
      return ((await answer.json()) as { keys: Array<{ kid: string }> }).keys.map(({ kid }) => kid);
    };
    const [signing = ''] = await published();
    const listed = run(['keys', 'list'], settings);
    expect(await listed.ended).toBe(0);
    expect(listed.out()).toContain(signing);
    const early = run(['keys', 'rotate'], settings);
    expect(await early.ended).toBe(2);
    expect(early.err()).toContain('has not been published long enough');
    const rotated = run(['keys', 'rotate', '--now'], settings);
    expect(await rotated.ended).toBe(0);
    expect((await published())[0]).not.toBe(signing);
    expect(await published()).toContain(signing);
    const revoked = run(['keys', 'revoke', signing, '--yes'], settings);
    expect(await revoked.ended).toBe(0);
    expect(await published()).not.toContain(signing);
    const again = run(['keys', 'revoke', signing, '--yes'], settings);
    expect(await again.ended).toBe(2);
    expect(again.err().trim().split('\n')).toHaveLength(1);
    expect(await signsIn(settings['ISSUER'] ?? '')).toBe(true);
    const secret = run(['clients', 'secret', 'list', 'nobody'], settings);
    expect(await secret.ended).toBe(2);
    expect(secret.err()).toContain('There is no app "nobody"');
  });

  it('a feed that is broken is refused whole, with line or column, and what stands, stands', async () => {
    writeFileSync(join(folder, 'sample', 'secondary.csv'), 'sis,school_code\nsecondary,1\n');
    const refused = run(['import', '--feed', 'secondary'], settings);
    expect(await refused.ended).toBe(2);
    expect(refused.err()).toMatch(/column|header/i);
    expect(await signsIn(settings['ISSUER'] ?? '')).toBe(true);
  });

  it('SIGTERM ends it with 0; a second start keeps the data', async () => {
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    rmSync(join(folder, 'sample'), { recursive: true });
    server = run(['serve'], settings);
    await ready(server);
    expect(await signsIn(settings['ISSUER'] ?? '')).toBe(true);
  });
});

describe('serve on PostgreSQL', () => {
  const base = mkdtempSync(join(tmpdir(), 'parent-access-serve-'));
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  it('is the same, and so is migrate, twice', async () => {
    const database = await freshDatabase();
    const settings: Record<string, string> = {
      ...(await environment(join(base, 'data'))),
      DATABASE_URL: database.url ?? '',
    };
    for (const said of ['up to date', 'up to date']) {
      const migrated = run(['migrate'], settings);
      expect(await migrated.ended).toBe(0);
      expect(migrated.out()).toContain(said);
    }
    const server = run(['serve'], settings);
    await ready(server);
    expect(await signsIn(settings['ISSUER'] ?? '')).toBe(true);
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    await database.close();
  });

  it('imports in a process of its own, of low priority, that ends with it', async () => {
    const database = await freshDatabase();
    const data = join(base, 'apart');
    const inbox = join(data, 'inbox');
    mkdirSync(inbox, { recursive: true });
    const feedsFile = join(base, 'feeds.json');
    const entry = { name: 'elementary', sis: 'elementary', format: 'district-extract', unknown_rights: 'allow' };
    writeFileSync(feedsFile, JSON.stringify({ feeds: [{ ...entry, place: { folder: 'inbox' } }] }));
    const settings = { ...(await environment(data)), DATABASE_URL: database.url ?? '', FEEDS_FILE: feedsFile };
    const drop = async (contacts: number): Promise<void> => {
      const { files } = await writeSample({ contacts, seed: contacts, out: base });
      renameSync(files.elementary, join(inbox, `${contacts}.csv`));
    };
    const server = run(['serve'], settings);
    await ready(server);
    // An operator who edits it has to start the server anew; until then nothing is read of it.
    writeFileSync(feedsFile, '{ "feeds": [');
    await drop(100);
    const done = (): string[] => (existsSync(join(inbox, 'done')) ? readdirSync(join(inbox, 'done')) : []);
    expect(await eventually(done, (files) => files.length === 1, 30_000)).toHaveLength(1);
    const runs = async (): Promise<unknown[]> =>
      (await sql`select actor, state from feed_runs order by no`.execute(database.db)).rows;
    expect(await runs()).toEqual([{ actor: 'watch', state: 'applied' }]);
    const below = (parents: Array<number | undefined>): Process[] =>
      processes().filter(({ parent, nice }) => parents.includes(parent) && nice === 19);
    const starting = (): number[] => below([server.child.pid]).map(({ id }) => id);
    const first = starting();
    expect(first).toHaveLength(1);
    // What starts them is replaced when it is gone.
    process.kill(first[0] ?? 0, 'SIGKILL');
    // Large enough to be met while it is at work.
    await drop(20_000);
    const starters = await eventually(starting, (found) => found.length === 1 && found[0] !== first[0], 30_000);
    const [importing] = await eventually(
      () => below(starters),
      (found) => found.length > 0,
      30_000,
    );
    expect(importing).toBeDefined();
    server.child.kill('SIGKILL');
    await server.ended;
    const left = (): Process[] => processes().filter(({ id }) => id === importing?.id || starters.includes(id));
    // Of the lowest priority: on a busy machine it hears of that late.
    expect(await eventually(left, (found) => found.length === 0, 60_000)).toEqual([]);
    await database.close();
  });
});

interface Process {
  id: number;
  parent: number;
  nice: number;
}

/** What runs on this machine: POSIX `ps`. */
function processes(): Process[] {
  return execFileSync('ps', ['-A', '-o', 'pid=', '-o', 'ppid=', '-o', 'nice='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => {
      const [id = 0, parent = 0, nice = 0] = line.trim().split(/\s+/).map(Number);
      return { id, parent, nice };
    });
}
