import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabase } from '../support/database.js';
import { freePort } from '../support/house.js';
import { run } from './program.js';

/** What the machine lacks is said in one sentence that names the setting, and the program ends. */
describe('where it cannot be served', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-lacks-'));
  const clients = join(folder, 'clients.json');
  let taken: Server;
  let port: number;
  beforeAll(async () => {
    writeFileSync(clients, '{"clients":[]}');
    port = await freePort();
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => {
    taken.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function refusal(args: string[], environment: Record<string, string>): Promise<string> {
    const started = run(args, { CLIENTS_FILE: clients, LOG_LEVEL: 'fatal', ...environment });
    expect({ code: await started.ended, err: started.err() }).toMatchObject({ code: 2 });
    expect(started.err().trim().split('\n')).toHaveLength(1);
    return started.err();
  }

  it('a port that another program has', async () => {
    const said = await refusal(['serve'], {
      DATA_DIR: join(folder, 'port'),
      PORT: String(port),
      ISSUER: `http://localhost:${port}`,
    });
    expect(said).toContain('PORT');
    // The folder is free again: nothing of the first try is left running.
    const free = String(await freePort());
    const again = run(['migrate'], { DATA_DIR: join(folder, 'port'), PORT: free, ISSUER: `http://localhost:${free}` });
    expect(await again.ended).toBe(0);
  });

  it.each([['serve'], ['migrate'], ['import', '--feed', 'elementary']])(
    'a database that does not answer, at %s',
    async (...args) => {
      const said = await refusal(
        args.filter((arg) => arg !== undefined),
        { DATABASE_URL: `postgres://parent:a-password@127.0.0.1:${await freePort()}/parents` },
      );
      expect(said).toContain('DATABASE_URL');
      expect(said).not.toContain('a-password');
    },
  );

  it('a data folder that is a file', async () => {
    expect(await refusal(['serve'], { DATA_DIR: join(clients, 'data') })).toContain('DATA_DIR');
  });

  it('a database that holds another district: no sample families go into it', async () => {
    const database = await freshDatabase();
    await database.db
      .insertInto('feeds')
      .values({ name: 'real', label: 'Real', sis: 'real', unknown_rights: 'deny', sample: false })
      .execute();
    const free = await freePort();
    const said = await refusal(['serve'], {
      DATABASE_URL: database.url ?? '',
      DATA_DIR: join(folder, 'other'),
      PORT: String(free),
      ISSUER: `http://localhost:${free}`,
    });
    expect(said).toContain('"real"');
    await database.close();
  });

  it.each(['constructor', 'toString', '__proto__'])('the command %s, which is none', async (name) => {
    const started = run([name], {});
    expect(await started.ended).toBe(2);
    expect(started.err()).toContain('clients check');
  });
});
