import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { apps, elementary } from './family.js';

/** As behind a proxy that ends TLS: the issuer is https, the socket is not. */
describe('with an https issuer', () => {
  let house: TestHouse;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    house = await startTestHouse({
      elementary,
      apps,
      environment: { ISSUER: 'https://parentaccess.example.org', PORT: String(port), TRUSTED_PROXIES: '127.0.0.1' },
    });
  });
  afterAll(() => house.close());

  function get(path: string, cookie = ''): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
    return new Promise((resolve, reject) => {
      const headers = { host: 'parentaccess.example.org', 'x-forwarded-proto': 'http', accept: 'text/html', cookie };
      const sent = request({ host: '127.0.0.1', port, path, headers }, (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => {
          body += chunk.toString('utf8');
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  it('discovery and redirects carry the issuer’s scheme and host', async () => {
    const found = JSON.parse((await get('/.well-known/openid-configuration')).body) as Record<string, string>;
    expect(found).toMatchObject({
      issuer: house.issuer,
      token_endpoint: `${house.issuer}/token`,
      jwks_uri: `${house.issuer}/jwks`,
    });
  });

  it('cookies are Secure, HttpOnly and SameSite=Lax, with the prefixes that browsers hold', async () => {
    const start = await get('/sign-in');
    const authorize = await get(start.headers.location ?? '');
    expect(authorize.status).toBe(303);
    const cookies = authorize.headers['set-cookie'] ?? [];
    expect(cookies.length).toBeGreaterThan(1);
    for (const line of cookies) {
      expect(line).toMatch(/^__(Secure|Host)-pa-/);
      expect(line).toMatch(/; secure/i);
      expect(line).toMatch(/; httponly/i);
      expect(line).toMatch(/; samesite=lax/i);
    }
    // What is not one interaction's alone is put there by no other host: with that prefix it has the path `/` and no domain.
    for (const [path, name] of [
      ['/activate?token=x', 'presses'],
      ['/language?locale=es', 'locale'],
      ['/sign-out', 'session'],
    ] as const) {
      const [first = ''] = (await get(path)).headers['set-cookie'] ?? [];
      expect(first).toMatch(new RegExp(`^__Host-pa-${name}=[^;]+; path=/; `, 'i'));
      expect(first).not.toMatch(/domain=/i);
    }
    const jar = cookies.map((line) => line.split(';')[0]).join('; ');
    const page = await get(new URL(authorize.headers.location ?? '', house.issuer).pathname, jar);
    expect(page.status).toBe(200);
    expect(page.body).toContain('name="password"');
  });

  it('browsers are told to stay with https', async () => {
    expect((await get('/')).headers['strict-transport-security']).toMatch(/max-age=31536000/);
  });
});
