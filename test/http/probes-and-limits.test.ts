import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { enterApp } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { send } from './desk.js';

describe('the outermost door', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
  });
  afterAll(() => house.close());

  describe('probes', () => {
    /** Work of an administrator of the database server, from outside the house. */
    async function asAdministrator(work: (client: pg.Client, database: string) => Promise<unknown>): Promise<void> {
      const client = new pg.Client({ connectionString: process.env['TEST_DATABASE_URL'] });
      await client.connect();
      try {
        await work(client, database);
      } finally {
        await client.end();
      }
    }
    let database: string;
    beforeAll(async () => {
      const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(house.db);
      database = rows[0]?.name ?? '';
    });

    it('say that the house is alive and ready, to any name', async () => {
      for (const path of ['/healthz', '/readyz']) {
        const answer = await fetch(`${house.issuer.replace('localhost', '127.0.0.1')}${path}`);
        expect(answer.status).toBe(200);
      }
    });

    it('without the database it is alive, not ready, and says so without a reason; people get a page; it comes back by itself', async () => {
      await asAdministrator(async (client, name) => {
        await client.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
        await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      });
      try {
        const ready = await fetch(`${house.issuer}/readyz`);
        expect(ready.status).toBe(503);
        expect(await ready.json()).toEqual({ status: 'not ready', missing: ['database'] });
        expect((await fetch(`${house.issuer}/healthz`)).status).toBe(200);

        const browser = openBrowser();
        const page = await browser.get(`${house.issuer}/register/sent`);
        expect(page.status).toBe(503);
        expect(page.headers['retry-after']).toBe('10');
        expect(page.$$('main a').map((link) => link.getAttribute('href'))).toContain('/register/sent');
        const sent = await enterApp(browser, house);
        expect(sent.status).toBe(503);
        expect(sent.headers['content-type']).toContain('text/html');
        expect(sent.text).not.toMatch(/57P|ECONN|database|not currently accepting/i);
      } finally {
        await asAdministrator((client, name) => client.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`));
      }
      expect((await fetch(`${house.issuer}/readyz`)).status).toBe(200);
      expect((await enterApp(openBrowser(), house)).$('input[name=password]')).not.toBeNull();
    });
  });

  describe('bodies', () => {
    const fields = { email: 'a'.repeat(20_000), phone: '1' };

    it.each(['/register', '/recover', '/activate', '/activate/password', '/interaction/x/login', '/password'])(
      'that are too large for %s are refused',
      async (path) => {
        const answer = await send(`${house.issuer}${path}`, fields);
        expect(answer.status).toBe(413);
        expect(answer.headers['content-type']).toContain('text/html');
        expect(answer.body).not.toContain('aaaa');
      },
    );

    it('that are too large for an endpoint of apps are refused', async () => {
      const { status, body } = await send(`${house.issuer}/token`, { grant_type: 'a'.repeat(2_000_000) });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(JSON.parse(body)).toHaveProperty('error');
      expect(body).not.toContain('aaaa');
    });

    it('that are small only because they are compressed are refused', async () => {
      const bomb = gzipSync(Buffer.from(`email=${'a'.repeat(5_000_000)}`));
      expect(bomb.length).toBeLessThan(16_000);
      expect((await send(`${house.issuer}/register`, bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
    });

    it('without an end are answered while they still come', async () => {
      const { port, host } = new URL(house.issuer);
      const status = await new Promise<number>((resolve, reject) => {
        const headers = { host, origin: house.issuer, 'content-type': 'application/x-www-form-urlencoded' };
        const sent = request({ host: '127.0.0.1', port, path: '/register', method: 'POST', headers }, (answer) => {
          clearInterval(pouring);
          answer.resume();
          resolve(answer.statusCode ?? 0);
          sent.destroy();
        });
        const pouring = setInterval(() => sent.write('a'.repeat(4_096)), 5);
        sent.on('error', (error) => {
          clearInterval(pouring);
          reject(error);
        });
      });
      expect(status).toBe(413);
    });

    it.each([
      ['JSON', 'application/json', '{"email":"maria@example.org","phone":"2135550100"}'],
      ['nothing known', 'application/octet-stream', 'email=maria@example.org&phone=2135550100'],
      ['a broken encoding', 'application/x-www-form-urlencoded', 'email=%E0%A4%A&phone=%'],
      ['a field that stands twice', 'application/x-www-form-urlencoded', 'email=&email=maria@example.org&phone=1'],
      [
        'names of objects’ insides',
        'application/x-www-form-urlencoded',
        '__proto__[email]=x&constructor=y&email[a]=maria@example.org',
      ],
      ['null bytes', 'application/x-www-form-urlencoded', 'email=%00&phone=%00'],
    ])('of %s are read as a form that was not filled in', async (_, type, text) => {
      const answer = await send(`${house.issuer}/register`, Buffer.from(text), { 'content-type': type });
      expect(answer.status).toBe(422);
    });
  });

  describe('paths', () => {
    it.each([
      '/nowhere',
      '/interaction',
      '/.env',
      '/dev/mail',
      '/dev/mail.json',
      '/%2e%2e/package.json',
      '/%E0%A4%A',
      '/authorize/never-was-there',
    ])('%s leads to a page with a next step, not to a fault', async (path) => {
      const page = await openBrowser().get(`${house.issuer}${path}`);
      expect(page.status).toBeGreaterThanOrEqual(400);
      expect(page.status).toBeLessThan(500);
      expect(page.headers['content-type']).toContain('text/html');
      expect(page.$$('main a[href]').length).toBeGreaterThan(0);
      expect(page.text).not.toMatch(/Error:|at .*\.ts|stack/);
    });

    it('that nobody has answer 404', async () => {
      expect((await openBrowser().get(`${house.issuer}/nowhere`)).status).toBe(404);
      expect((await send(`${house.issuer}/nowhere`, {})).status).toBe(404);
    });
  });
});
