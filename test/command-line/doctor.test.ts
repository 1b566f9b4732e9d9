import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { doctor } from '../../src/doctor/doctor.js';
import { freePort } from '../support/house.js';
import { setScene } from './doctor-scene.js';
import type { Said, Scene } from './doctor-scene.js';
import { ready, run } from './program.js';

let scene: Scene;
beforeAll(async () => {
  scene = await setScene();
});
afterAll(() => scene.close());

/** Exactly one thing is broken: it is named on standard error, with its repair, and nothing secret is said. */
function expectFailed(said: Said, name: string, found: RegExp, repair: RegExp): void {
  expect(said.checks.filter((check) => check.state === 'failed').map((check) => check.name)).toEqual([name]);
  expect(said.of(name)).toMatchObject({
    found: expect.stringMatching(found),
    repair: expect.stringMatching(repair),
  });
  expect(said.code).toBe(2);
  expect(said.err).toBe(`1 of ${said.checks.length} checks failed: ${name}.`);
  expectNoSecret(JSON.stringify(said));
}

function expectWarned(said: Said, name: string, found: RegExp, repair: RegExp): void {
  expect(said.of(name)).toMatchObject({
    state: 'warning',
    found: expect.stringMatching(found),
    repair: expect.stringMatching(repair),
  });
  expect({ code: said.code, err: said.err }).toEqual({ code: 0, err: '' });
}

function expectNoSecret(text: string): void {
  for (const secret of scene.secrets) expect(text).not.toContain(secret);
}

/** Breaks something in the database for one question. */
async function during<T>(breaking: string, mending: string, work: () => Promise<T>): Promise<T> {
  await sql.raw(breaking).execute(scene.database.db);
  try {
    return await work();
  } finally {
    await sql.raw(mending).execute(scene.database.db);
  }
}

describe('doctor, where all is in order', () => {
  it('says so of each thing, with 0 and without a secret', async () => {
    const said = await scene.ask();
    expect(said.checks.filter((check) => check.state !== 'ok')).toEqual([]);
    expect({ code: said.code, err: said.err }).toEqual({ code: 0, err: '' });
    const names = said.checks.map((check) => check.name.replace(/ [\w-]{8}$/, ''));
    for (const name of [
      'configuration',
      'clients file',
      'feeds file',
      'database',
      'database schema',
      'database rights',
      'audit log',
      'job queues',
      'clock',
      'key ES256',
      'key RS256',
      'key cookie',
      'key pairwise',
      'smtp',
      'secrets of bus',
      'keys of bus',
      'logout of bus',
      'place of feed elementary',
      'feed elementary',
    ]) {
      expect(names).toContain(name);
    }
    expect(said.of('smtp').found).toMatch(/^127\.0\.0\.1:\d+ takes connections and the sign-in/);
    expectNoSecret(JSON.stringify(said));
  });

  it('prints a table by the real program; a failure is one sentence on standard error', async () => {
    const good = run(['doctor'], scene.environment);
    expect({ code: await good.ended, err: good.err() }).toEqual({ code: 0, err: '' });
    expect(good.out()).toMatch(/^ok {7}database {2,}PostgreSQL answers/m);
    const bad = run(['doctor'], { ...scene.environment, SECRETS_KEY: randomBytes(32).toString('base64url') });
    expect(await bad.ended).toBe(2);
    expect(bad.err()).toMatch(/^1 of \d+ checks failed: SECRETS_KEY\.\n$/);
    expect(bad.out()).toMatch(/^FAILED {3}SECRETS_KEY .*\n +→ Set SECRETS_KEY/m);
    expectNoSecret(good.out() + bad.out());
  });
});

describe('doctor, of mail', () => {
  it('a mail server that is down', async () => {
    const said = await scene.ask({ SMTP_URL: `smtp://u:a-mail-secret@127.0.0.1:${await freePort()}` });
    expectFailed(said, 'smtp', /127\.0\.0\.1:\d+ .*connection refused/, /firewall/);
    expect(JSON.stringify(said)).not.toContain('a-mail-secret');
  });

  it('a mail server that refuses the sign-in, and repeats the password', async () => {
    const url = new URL(scene.environment['SMTP_URL'] ?? '');
    url.password = 'another-secret';
    const said = await scene.ask({ SMTP_URL: url.href });
    expectFailed(said, 'smtp', /password are refused/, /user name and password in SMTP_URL/);
    expect(JSON.stringify(said)).not.toContain('another-secret');
  });

  it('a mail server that is silent', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()));
    const said = await scene.ask({ SMTP_URL: `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}` });
    silent.close();
    expectFailed(said, 'smtp', /no answer came in time/, /mail server runs/);
  });

  it('the mailbox of development needs nothing', async () => {
    expect((await scene.ask({ SMTP_URL: '' })).of('smtp')).toMatchObject({ state: 'ok', repair: null });
  });
});

describe('doctor, of keys', () => {
  it('a SECRETS_KEY that is not the one, or is none', async () => {
    const other = await scene.ask({ SECRETS_KEY: randomBytes(32).toString('base64url') });
    expectFailed(other, 'SECRETS_KEY', /opens none of the 7 keys/, /the one these keys were made with/);
    expectFailed(await scene.ask({ SECRETS_KEY: '' }), 'SECRETS_KEY', /not set/, /Set SECRETS_KEY/);
  });

  it('one key that does not open, one that does not verify, and the pairwise one gone', async () => {
    const { db } = scene.database;
    const rows = await db.selectFrom('signing_keys').selectAll().execute();
    const es = rows.find((row) => row.alg === 'ES256');
    const rs = rows.find((row) => row.alg === 'RS256');
    const pairwise = rows.find((row) => row.use === 'pairwise');
    if (es === undefined || rs === undefined || pairwise === undefined) throw new Error('no keys');
    const name = `key ES256 ${es.kid.slice(0, 8)}`;
    const put = (kid: string, sealed: string) =>
      db.updateTable('signing_keys').set({ sealed }).where('kid', '=', kid).execute();
    await put(es.kid, `${es.sealed}x`);
    expectFailed(await scene.ask(), name, /does not open it/, /last backup/);
    await put(es.kid, rs.sealed);
    expectFailed(await scene.ask(), name, /does not verify/, /last backup/);
    await put(es.kid, es.sealed);
    await db.deleteFrom('signing_keys').where('kid', '=', pairwise.kid).execute();
    expectFailed(await scene.ask(), 'key pairwise', /stranger/, /last backup/);
    await db.insertInto('signing_keys').values(pairwise).execute();
  });
});

describe('doctor, of the database', () => {
  it('a user who lacks a right', async () => {
    const role = `nurse_${randomBytes(4).toString('hex')}`;
    const { db, url } = scene.database;
    const name = new URL(url ?? '').pathname.slice(1);
    const grants = `
      create role ${role} login password 'a-role-secret';
      grant connect on database "${name}" to ${role};
      grant usage on schema public, jobs to ${role};
      grant select, insert, update, delete on all tables in schema public, jobs to ${role};
      revoke update, delete on audit_events, kysely_migration, kysely_migration_lock from ${role}`;
    for (const statement of grants.split(';')) await sql.raw(statement).execute(db);
    try {
      const as = new URL(url ?? '');
      [as.username, as.password] = [role, 'a-role-secret'];
      expect((await scene.ask({ DATABASE_URL: as.href })).code).toBe(0);
      await sql.raw(`revoke delete on artifacts from ${role}`).execute(db);
      const said = await scene.ask({ DATABASE_URL: as.href });
      expectFailed(said, 'database rights', /lacks DELETE on artifacts\.$/, /GRANT/);
      await sql.raw(`revoke select on signing_keys from ${role}`).execute(db);
      const blind = await scene.ask({ DATABASE_URL: as.href });
      expect(blind.err).toContain('2 of ');
      expect(blind.of('keys').found).toContain('a right is missing');
      as.password = 'wrong-secret';
      const refused = await scene.ask({ DATABASE_URL: as.href });
      expectFailed(refused, 'database', /refuses the password/, /password in DATABASE_URL/);
      expect(JSON.stringify([said, refused])).not.toMatch(/a-role-secret|wrong-secret/);
    } finally {
      await sql.raw(`drop owned by ${role}`).execute(db);
      await sql.raw(`drop role ${role}`).execute(db);
    }
  });

  it('a database that is away: the rest is checked', async () => {
    const said = await scene.ask({ DATABASE_URL: `postgres://u:a-db-secret@127.0.0.1:${await freePort()}/p` });
    expectFailed(said, 'database', /connection refused/, /Start the database/);
    expect(said.of('clock')).toMatchObject({ state: 'warning', found: expect.stringContaining('Not checked') });
    expect(said.of('keys of bus').state).toBe('ok');
    expect(JSON.stringify(said)).not.toContain('a-db-secret');
  });

  it('a migration that is pending is told and not applied; one of a newer version too', async () => {
    const gone = await during(
      `update kysely_migration set name = '0000_gone' where name = '0004_house'`,
      `update kysely_migration set name = '0004_house' where name = '0000_gone'`,
      () => scene.ask(),
    );
    expectFailed(gone, 'database schema', /pending: 0004_house/, /parent-access migrate/);
    const newer = await during(
      `insert into kysely_migration (name, timestamp) values ('9999_future', '2026')`,
      `delete from kysely_migration where name = '9999_future'`,
      () => scene.ask(),
    );
    expectFailed(newer, 'database schema', /newer version: 9999_future/, /version of Parent Access/);
  });

  it('an audit log that could be changed', async () => {
    const said = await during(
      'alter table audit_events disable trigger audit_events_append_only',
      'alter table audit_events enable trigger audit_events_append_only',
      () => scene.ask(),
    );
    expectFailed(said, 'audit log', /switched off/, /ENABLE TRIGGER/);
  });

  it('letters that nobody sends', async () => {
    const said = await during(
      `insert into jobs.queue (name, policy, retry_limit, retry_backoff, retry_delay, expire_seconds, retention_seconds, deletion_seconds, table_name, partition, created_on, updated_on)
         values ('mail', 'standard', 1, false, 1, 60, 60, 60, 'job_common', false, now(), now());
       insert into jobs.job (name, start_after) values ('mail', now() - interval '1 hour')`,
      `delete from jobs.job; delete from jobs.queue`,
      () => scene.ask(),
    );
    expectWarned(said, 'job queues', /15 minutes: 1 of mail/, /a server runs/);
  });

  const repair = expect.stringContaining('NTP');
  it.each([
    [0.5, 'ok', null],
    [10, 'warning', repair],
    [-10, 'warning', repair],
    [-90, 'failed', repair],
    [90, 'failed', repair],
  ])('a clock that is %d seconds off: %s', async (seconds, state, said) => {
    const checks = await doctor(scene.environment, () => new Date(Date.now() + seconds * 1000));
    expect(checks.find((check) => check.name === 'clock')).toMatchObject({ state, repair: said });
  });
});

describe('doctor, of the embedded database', () => {
  const base = mkdtempSync(join(tmpdir(), 'parent-access-doctor-'));
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  it('none is made; the server that holds it is asked; without a server it is opened', async () => {
    const port = await freePort();
    const clients = join(base, 'clients.json');
    writeFileSync(clients, '{"clients":[]}');
    const settings = {
      DATA_DIR: join(base, 'data'),
      CLIENTS_FILE: clients,
      PORT: String(port),
      ISSUER: `http://localhost:${port}`,
      LOG_LEVEL: 'error',
    };
    const asked = async () => {
      const doctoring = run(['doctor'], settings);
      return { code: await doctoring.ended, out: doctoring.out(), err: doctoring.err() };
    };
    const before = await asked();
    expect(before).toMatchObject({ code: 0, err: '' });
    expect(before.out).toMatch(/^warning +database +There is no embedded database yet/m);
    expect(existsSync(settings.DATA_DIR)).toBe(false);

    const server = run(['serve'], settings);
    await ready(server);
    const held = await asked();
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    const alone = await asked();
    for (const said of [held, alone]) {
      expect(said).toMatchObject({ code: 0, err: '' });
      expect(said.out).not.toContain('warning');
      for (const name of ['database', 'key ES256', 'feed secondary', 'clock', 'audit log', 'data folder']) {
        expect(said.out).toMatch(new RegExp(`^ok +${name} `, 'm'));
      }
    }
  });

  it('a data folder that cannot be one, and a server that does not answer', async () => {
    const environment = { ...scene.environment, DATABASE_URL: '' };
    const file = await scene.ask({ ...environment, DATA_DIR: join(scene.folder, 'feeds.json', 'data') });
    expect(file.of('data folder')).toMatchObject({ state: 'failed', repair: expect.stringContaining('DATA_DIR') });
    const held = join(base, 'held');
    mkdirSync(held);
    writeFileSync(join(held, 'lock'), String(process.ppid));
    const deaf = await scene.ask({ ...environment, DATA_DIR: held, FEEDS_FILE: join(base, 'feeds.json') });
    expect(deaf.of('server')).toMatchObject({ state: 'failed', repair: expect.stringContaining('restart') });
  });
});
