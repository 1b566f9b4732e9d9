import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'node-html-parser';
import type { Browser } from '../support/browser.js';
import { familyHouse } from '../support/family-house.js';
import { letterRequests } from '../http/desk.js';
import type { TestHouse } from '../support/house.js';
import { raw } from './raw.js';

/** The ways to write a path so that one part of a server reads it as another does. */
function tricks(path: string): string[] {
  const rest = path.slice(1);
  const last = path.charCodeAt(path.length - 1).toString(16);
  return [
    `${path};x`,
    `${path};/`,
    `/;${path}`,
    `/${path}`,
    `//evil.example${path}`,
    `/.${path}`,
    `/x/..${path}`,
    `/%2e%2e${path}`,
    `/x/%2e%2e${path}`,
    `/x/%2E%2E%2f${rest}`,
    `/interaction/%2e%2e${path}`,
    `/interaction/..${path}`,
    `/interaction/..%2f${rest}`,
    `/assets/..;${path}`,
    `\\${rest}`,
    `/\\${rest}`,
    `${path}\\`,
    `/%5c${rest}`,
    `/%2f${rest}`,
    `${path}%2f`,
    `${path.slice(0, -1)}%${last}`,
    path.toUpperCase(),
    `${path}/`,
    `${path}//`,
    `${path}.`,
    `${path}./`,
    `${path}..`,
    `${path}%20`,
    `${path}%00`,
    `${path}%0a`,
    `${path}%0d%0ax:y`,
    `${path}.json`,
    `${path}%c0%ae`,
    `${path}%`,
  ];
}

const absolute = (issuer: string, path: string): string[] => [
  `${issuer}${path}`,
  `http://evil.example${path}`,
  `https://evil.example@${new URL(issuer).host}${path}`,
  `HTTP://127.0.0.1${path}`,
];

describe('row 20: paths that are written to mislead', () => {
  let house: TestHouse;
  let mother: Browser;
  beforeAll(async () => {
    ({ house, mother } = await familyHouse());
  });
  afterAll(() => house.close());

  const titleOf = (body: string): string => parse(body).querySelector('title')?.text ?? '';

  it.each(['/register', '/recover', '/help', '/terms', '/activate', '/password', '/sign-out', '/jwks', '/healthz'])(
    '%s: nothing else than that very page, or none',
    async (path) => {
      const plain = await raw(house.issuer, { target: path });
      for (const target of [...tricks(path), ...absolute(house.issuer, path)]) {
        const answer = await raw(house.issuer, { target });
        const same =
          answer.status === plain.status &&
          titleOf(answer.body) === titleOf(plain.body) &&
          answer.headers.location === plain.headers.location;
        const refused = answer.status >= 400 && answer.status < 500;
        expect({ target, status: answer.status, fine: same || refused }).toMatchObject({ target, fine: true });
        expect(answer.body).not.toContain('evil.example"');
        // A guarded page stays guarded, and carries its headers, however it is reached.
        expect(answer.body).not.toContain('name="current"');
        const isPage = answer.headers['content-type']?.startsWith('text/html') === true;
        const policy = isPage ? (answer.headers['content-security-policy'] ?? '') : "default-src 'none'";
        expect(policy).toContain("default-src 'none'");
      }
    },
  );

  it('of an interaction: no fault, and nobody else’s', async () => {
    for (const uid of [
      '..',
      '%2e%2e',
      '.',
      '%00',
      "'",
      '%27%20or%201=1--',
      '%ff',
      'x;y',
      'x%2flogin',
      'a'.repeat(8_000),
      '__proto__',
      'constructor',
    ]) {
      for (const end of ['', '/', '/login', '/cancel']) {
        const answer = await raw(house.issuer, { target: `/interaction/${uid}${end}` });
        const refused = answer.status >= 400 && answer.status < 500;
        expect({ uid, end, status: answer.status, refused }).toMatchObject({ uid, end, refused: true });
      }
    }
  });

  it('a null character in a query, or in an app’s request, is a bad request', async () => {
    for (const target of ['/register?interaction=%00', '/?%00', '/authorize?state=%00', '/language?return=/%00'])
      expect((await raw(house.issuer, { target })).status).toBe(400);
    const body = {
      client_id: 'bulletin',
      redirect_uri: house.apps.get('bulletin')?.redirect_uris[0] ?? '',
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
      state: 'a\0b',
    };
    const authorization = `Basic ${Buffer.from(`bulletin:${house.secret}`).toString('base64')}`;
    const pushed = await raw(house.issuer, { target: '/par', body, headers: { authorization } });
    const { request_uri: pushedUri = '' } = JSON.parse(pushed.body) as { request_uri?: string };
    const used = new URLSearchParams({ client_id: 'bulletin', request_uri: pushedUri });
    const answer = await raw(house.issuer, { target: `/authorize?${used}` });
    expect(new URL(answer.headers.location ?? '').searchParams.get('error')).toBe('invalid_request');
  });

  it('none of them carries a form past the guard', async () => {
    const before = await letterRequests(house);
    const body = { email: 'maria@example.org', phone: '(213) 555-0100', identifier: 'maria@example.org', token: 'x' };
    for (const path of ['/register', '/recover', '/activate', '/recover/link', '/password', '/interaction/x/login']) {
      for (const target of [...tricks(path), ...absolute(house.issuer, path)]) {
        for (const headers of [{}, { origin: 'https://evil.example' }]) {
          const answer = await raw(house.issuer, { target, body, headers });
          expect({ target, status: answer.status, refused: [400, 403, 404, 405, 421].includes(answer.status) }).toEqual(
            { target, status: answer.status, refused: true },
          );
        }
      }
    }
    expect(await letterRequests(house)).toBe(before);
  });

  it('none of them signs a parent out through another site’s form', async () => {
    const page = await mother.get(`${house.issuer}/sign-out`);
    const xsrf = page.$('input[name=xsrf]')?.getAttribute('value') ?? '';
    const cookie = await mother.jar.getCookieString(house.issuer);
    for (const target of [
      '/sign-out/confirm',
      ...tricks('/sign-out/confirm'),
      ...absolute(house.issuer, '/sign-out/confirm'),
      '/Sign-Out/Confirm',
      '/SIGN-OUT/confirm/',
    ]) {
      const answer = await raw(house.issuer, {
        target,
        body: { xsrf, logout: 'yes' },
        headers: { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      });
      const refused = [400, 403, 404, 405, 421].includes(answer.status);
      expect({ target, status: answer.status, refused }).toMatchObject({ target, refused: true });
    }
    expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
  });

  it.each(['*', 'register', '?x', 'http://', 'http:///register', '/ register', '/\tregister', '/régister'])(
    'a request line with %j is answered and harms nobody',
    async (target) => {
      const { port, host } = new URL(house.issuer);
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        });
        let text = '';
        socket.on('data', (chunk) => (text += String(chunk)));
        socket.on('end', () => resolve(text));
        socket.on('error', reject);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
      expect((await raw(house.issuer, { target: '/healthz' })).status).toBe(200);
    },
  );
});
