import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { interactionOf } from '../journeys/steps.js';
import { apps, elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import { signInAnew } from '../support/family-house.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { post, relyingParty } from '../support/relying-party.js';
import { raw } from './raw.js';

describe('row 21: requests that are too large, too many or too slow', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps });
  });
  afterAll(() => house.close());

  const served = async (): Promise<void> =>
    expect((await openBrowser().get(`${house.issuer}/register`)).status).toBe(200);
  const ours = (): Record<string, string> => ({ origin: house.issuer });
  const forms = ['/register', '/recover', '/activate', '/activate/password', '/recover/password', '/password'];
  const endpoints = ['/token', '/par', '/introspect', '/revoke', '/sign-out', '/sign-out/confirm'];

  /** What came back on a connection of its own; a server that refuses early may close before it has read all. */
  function pour(target: string, headers: string, body: string): Promise<string> {
    const { port, host } = new URL(house.issuer);
    return new Promise((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(`POST ${target} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${house.issuer}\r\nConnection: close\r\n`);
        socket.write(`Content-Type: application/x-www-form-urlencoded\r\n${headers}\r\n`);
        socket.write(body);
      });
      let text = '';
      socket.on('data', (chunk) => (text += String(chunk)));
      socket.on('close', () => resolve(text));
      socket.on('error', () => {});
    });
  }

  it('a password of 1 MB is refused unread at sign-in', async () => {
    const browser = openBrowser();
    const uid = interactionOf(await browser.get(`${house.issuer}/sign-in`));
    const cookie = await browser.jar.getCookieString(`${house.issuer}/interaction/${uid}`);
    const body = `identifier=maria%40example.org&password=${'a'.repeat(1_000_000)}`;
    const answer = await pour(
      `/interaction/${uid}/login`,
      `Cookie: ${cookie}\r\nContent-Length: ${body.length}\r\n`,
      body,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413/);
    await served();
  });

  it.each([...forms, ...endpoints])('a body of 10 MB to %s is refused', async (target) => {
    const body = `a=${'b'.repeat(10_000_000)}`;
    const answer = await pour(target, `Content-Length: ${body.length}\r\n`, body);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
    await served();
  });

  it.each(forms)('10,000 fields to %s are refused', async (target) => {
    const body = Array.from({ length: 10_000 }, (_, index) => `f${index}=x`).join('&');
    expect((await raw(house.issuer, { target, body, headers: ours() })).status).toBe(413);
    const small = 'a&'.repeat(8_000);
    const answer = await raw(house.issuer, { target, body: small, headers: ours() });
    expect(answer.status).toBeGreaterThanOrEqual(300);
    expect(answer.status).toBeLessThan(500);
  });

  it.each(['gzip', 'deflate', 'br'])(
    'what says that it is packed with %s and is not is no fault of ours',
    async (how) => {
      for (const target of ['/register', '/done', '/authorize', '/sign-out', '/token']) {
        const headers = { ...ours(), 'content-encoding': how };
        expect([target, (await raw(house.issuer, { target, body: 'a=b', headers })).status]).toEqual([target, 400]);
      }
      expect(house.log.filter((line) => line.includes('request failed'))).toEqual([]);
    },
  );

  it('what unpacks to a mountain is refused', async () => {
    const headers = { ...ours(), 'content-encoding': 'gzip' };
    const body = gzipSync(Buffer.alloc(50_000_000, 'a'));
    for (const target of ['/register', '/authorize', '/sign-out']) {
      expect([target, (await raw(house.issuer, { target, body, headers })).status]).toEqual([target, 413]);
    }
    await served();
  });

  it('fields within fields are no fields', async () => {
    for (const body of [
      `email${'[a]'.repeat(4_000)}=x`,
      `email${'[]'.repeat(4_000)}=x`,
      `${'email[]=x&'.repeat(1_500)}phone=1`,
      'a%5Bb%5D=c&__proto__%5Bx%5D=1',
    ]) {
      expect((await raw(house.issuer, { target: '/register', body, headers: ours() })).status).toBe(422);
    }
    await served();
  });

  it.each(['/register', '/', '/authorize', '/sign-out', '/interaction/x'])(
    '10,000 parameters in the query of %s are refused, as many as fit are harmless',
    async (path) => {
      expect((await raw(house.issuer, { target: `${path}?${'a&'.repeat(10_000)}` })).status).toBe(431);
      for (const query of ['a&'.repeat(7_000), 'client_id=x&'.repeat(1_000), `a${'[b]'.repeat(4_000)}=c`])
        expect((await raw(house.issuer, { target: `${path}?${query}` })).status).toBeLessThan(500);
    },
  );

  it('claims within claims are refused, and logged as no failure of ours', async () => {
    const app = await relyingParty(house, 'echoices');
    const ask = async (claims: string) => {
      const { url } = await app.request({ claims });
      return post(house, '/par', Object.fromEntries(url.searchParams), { clientId: 'echoices', secret: house.secret });
    };
    expect((await ask('{"id_token":{"acr":{"essential":true,"values":["a","b"]}}}')).status).toBe(201);
    for (const [open, close] of [
      ['{"a":', '}'],
      ['[', ']'],
    ] as const) {
      for (const depth of [10, 1_500, 5_000]) {
        const { status, body } = await ask(`{"id_token":{"a":${open.repeat(depth)}0${close.repeat(depth)}}}`);
        expect([depth, status, body['error']]).toEqual([depth, 400, 'invalid_request']);
      }
    }
    await app.close();
    expect(house.log.filter((line) => line.includes('provider: failed'))).toEqual([]);
  });

  it('headers that are too large or too many are refused', async () => {
    const large = await raw(house.issuer, { target: '/register', headers: { 'x-large': 'a'.repeat(20_000) } });
    expect(large.status).toBe(431);
    const cookie = Array.from({ length: 2_000 }, (_, index) => `c${index}=x`).join('; ');
    expect((await raw(house.issuer, { target: '/register', headers: { cookie } })).status).toBe(431);
    const language = await raw(house.issuer, {
      target: '/register',
      headers: { 'accept-language': 'xx;q=0.1,'.repeat(1_500) },
    });
    expect(language.status).toBe(200);
    await served();
  });

  it('hundreds of headers and bodies that never end do not keep others waiting', async () => {
    const { port, host } = new URL(house.issuer);
    const begun = (head: string): Promise<Socket> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.on('error', () => {});
          socket.write(head, () => resolve(socket));
        });
        socket.once('error', reject);
      });
    const heads = [
      `GET /register HTTP/1.1\r\nHost: ${host}\r\nX-Slow: a`,
      `POST /register HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${house.issuer}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\nemail=`,
      `POST /token HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\ngrant_type=`,
    ];
    const sockets = await Promise.all(Array.from({ length: 300 }, (_, index) => begun(heads[index % 3] ?? '')));
    try {
      for (let time = 0; time < 5; time += 1) await served();
      expect((await signInAnew(house, 'maria@example.org', 'wrong')).page().status).toBe(422);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['a length that is none', 'Content-Length: -1\r\n'],
    ['chunks under another name', 'Transfer-Encoding: xchunked\r\n'],
    ['a folded header', 'X-A: b\r\n c\r\nContent-Length: x\r\n'],
  ])('%s: refused as no HTTP', async (_, headers) => {
    expect(await pour('/register', headers, '0\r\n\r\nGET /password HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    await served();
  });
});
