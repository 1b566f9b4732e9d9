import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from '../support/browser.js';
import { familyHouse } from '../support/family-house.js';
import { letterRequests } from '../http/desk.js';
import type { TestHouse } from '../support/house.js';
import { raw } from './raw.js';

const body = { email: 'maria@example.org', phone: '(213) 555-0100' };

describe('row 8: forms that seem to be ours', () => {
  let house: TestHouse;
  let mother: Browser;
  beforeAll(async () => {
    ({ house, mother } = await familyHouse());
  });
  afterAll(() => house.close());

  it('are taken from our own pages', async () => {
    for (const headers of [{ origin: house.issuer }, { origin: house.issuer, 'sec-fetch-site': 'same-origin' }])
      expect((await raw(house.issuer, { target: '/register', body, headers })).status).toBe(302);
  });

  it('are refused from an origin that only looks like ours', async () => {
    const { port } = new URL(house.issuer);
    const before = await letterRequests(house);
    const origins: Array<string | string[]> = [
      `http://localhost:${Number(port) + 1}`,
      'http://localhost',
      `https://localhost:${port}`,
      `ws://localhost:${port}`,
      `http://127.0.0.1:${port}`,
      `http://[::1]:${port}`,
      `http://localhost.:${port}`,
      `http://localhost.evil.example:${port}`,
      `http://evil.localhost:${port}`,
      `http://localhost:${port}.evil.example`,
      `http://x@localhost:${port}`,
      `${house.issuer}/`,
      `${house.issuer}/register`,
      house.issuer.toUpperCase(),
      `${house.issuer} https://evil.example`,
      `${house.issuer}, https://evil.example`,
      `https://evil.example, ${house.issuer}`,
      [house.issuer, 'https://evil.example'],
      ['https://evil.example', house.issuer],
      [house.issuer, house.issuer],
      'null',
      '',
    ];
    for (const origin of origins) {
      for (const more of [{}, { 'sec-fetch-site': 'same-site' }, { referer: `${house.issuer}/register` }]) {
        const { status } = await raw(house.issuer, { target: '/register', body, headers: { origin, ...more } });
        expect({ origin, status }).toEqual({ origin, status: 403 });
      }
    }
    expect(await letterRequests(house)).toBe(before);
  });

  it('are refused where the browser says that they come from elsewhere, though the origin is ours', async () => {
    for (const site of [
      'cross-site',
      'same-site',
      'none',
      'Same-Origin',
      'same-origin, cross-site',
      ['same-origin', 'cross-site'],
      'x',
    ]) {
      const headers = { origin: house.issuer, 'sec-fetch-site': site };
      const { status } = await raw(house.issuer, { target: '/register', body, headers });
      expect({ site, status }).toEqual({ site, status: 403 });
    }
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' };
    expect((await raw(house.issuer, { target: '/register', body, headers: foreign })).status).toBe(403);
  });

  it('are not made of an address that is only looked at, by no method override', async () => {
    const before = await letterRequests(house);
    const cookie = await mother.jar.getCookieString(house.issuer);
    const query = new URLSearchParams({ ...body, _method: 'POST', 'X-HTTP-Method-Override': 'POST', logout: 'yes' });
    for (const path of ['/register', '/recover', '/activate', '/password', '/leave', '/sign-out/confirm']) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
          const answer = await raw(house.issuer, {
            target: `${path}?${query}`,
            method,
            headers: { cookie, [name]: 'POST', 'sec-fetch-site': 'cross-site' },
          });
          expect(answer.status).toBeLessThan(500);
        }
      }
    }
    expect(await letterRequests(house)).toBe(before);
    expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
  });

  it('have one method', async () => {
    const before = await letterRequests(house);
    for (const method of ['PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE']) {
      for (const headers of [{}, { origin: house.issuer }]) {
        const { status, body: text } = await raw(house.issuer, { target: '/register', method, body, headers });
        expect({ method, refused: status >= 400 && status < 502 && status !== 500 }).toEqual({ method, refused: true });
        expect(text).not.toContain('maria@');
      }
    }
    expect(await letterRequests(house)).toBe(before);
  });

  it('a page of a family has nothing in it of the address by which another site led there', async () => {
    const cookie = await mother.jar.getCookieString(house.issuer);
    for (const page of ['/', '/permissions', '/devices', '/password', '/password/changed']) {
      const answer = await raw(house.issuer, { target: `${page}?guess`, headers: { cookie } });
      expect(answer.body).toContain('action="/leave"');
      expect(answer.body).not.toContain('guess');
    }
  });

  it('another site’s form with a parent’s cookies changes nothing that is theirs', async () => {
    const cookie = await mother.jar.getCookieString(house.issuer);
    for (const target of ['/password', '/leave', '/sign-out/confirm']) {
      for (const headers of [
        { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        { origin: 'null' },
        {},
      ]) {
        const fields = { current: 'a long way to school', password: 'an even longer way home', logout: 'yes' };
        const { status } = await raw(house.issuer, { target, body: fields, headers: { cookie, ...headers } });
        expect({ target, status }).toEqual({ target, status: 403 });
      }
    }
    expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
  });
});
