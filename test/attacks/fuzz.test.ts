import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'node-html-parser';
import { send } from '../http/desk.js';
import { enterApp, interactionOf } from '../journeys/steps.js';
import { apps, elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

/*
 * Bounded and seeded, so that a finding can be repeated: no answer is a fault of ours, and nothing that was sent comes back
 * as markup.
 */
const seed = 20_261_125;
const runs = 150;

const nasty = fc.constantFrom(
  '"><x-probe onclick=1>',
  "'><x-probe>",
  '</title><x-probe>',
  '{{constructor}}${7*7}',
  'a\0b',
  '\r\nSet-Cookie: x-probe=1',
  '\u202Eevil\u2066@example.org',
  'Ａ́'.repeat(50),
  '😀'.repeat(500),
  '../../etc/passwd',
  '%00%0d%0a%252e',
  "' or 1=1 --",
  'x'.repeat(15_000),
  '\uD800',
  '-1e309',
  '__proto__',
);
const value = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 200 }), fc.emailAddress(), fc.webUrl());
const names = [
  'identifier',
  'password',
  'email',
  'phone',
  'code',
  'token',
  'device',
  'decision',
  'signInName',
  'recoveryCode',
  'app',
  'current',
  'shared',
  'xsrf',
  'logout',
  '__proto__',
  'constructor[prototype]',
];
const fields = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 8 });
const type = fc.constantFrom(
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=utf-7',
  'application/json',
  'multipart/form-data; boundary=x',
  'text/plain',
  'nonsense',
);

describe('whatever is sent', () => {
  let house: TestHouse;
  let browser: Browser;
  let forms: string[];
  const pages = ['/', '/help', '/register', '/recover', '/register/sent', '/recover/sent', '/activate', '/language'];
  const endpoints = ['/token', '/introspect', '/revoke', '/par', '/userinfo', '/sign-out/confirm'];
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: [...twoApps, ...apps.slice(2, 4)] });
    browser = openBrowser();
    const uid = interactionOf(await enterApp(browser, house));
    forms = [
      '/register /register/code /recover /activate /activate/password /recover/link'.split(' '),
      '/recover/password /confirm-email /password /permissions /leave /done'.split(' '),
      ['login', 'terms', 'news', 'address', 'consent', 'cancel'].map((page) => `/interaction/${uid}/${page}`),
      ['login', 'cancel'].map((page) => `/interaction/never-was/${page}`),
    ].flat();
  });
  afterAll(() => house.close());

  /** What is wrong with an answer; nothing when it is as it should be. */
  function faults(status: number, headers: Record<string, unknown>, body: string): string[] {
    const cookies = JSON.stringify(headers['set-cookie'] ?? '');
    const isPage = JSON.stringify(headers['content-type'] ?? '').includes('html');
    return [
      ...(status >= 500 ? [`a fault of ours: ${status}`] : []),
      ...('x-probe' in headers || cookies.includes('x-probe') ? ['a header of the sender’s making'] : []),
      ...(isPage && (body.includes('<x-probe') || parse(body).querySelector('x-probe') !== null) ? ['markup'] : []),
      ...(/\bat .+\.(ts|js):\d+|syntax error at or near|ECONN|node_modules/.test(body) ? ['our insides'] : []),
    ];
  }

  it('to a form, with any body and any content type', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fields, type, async (which, pairs, contentType) => {
        const path = forms[which % forms.length] ?? '/';
        const cookie = await browser.jar.getCookieString(`${house.issuer}${path}`);
        const body = Buffer.from(new URLSearchParams(pairs.map(([name, text]) => [name, text])).toString());
        const answer = await send(`${house.issuer}${path}`, body, { 'content-type': contentType, cookie });
        expect(faults(answer.status, answer.headers, answer.body)).toEqual([]);
      }),
      { seed, numRuns: runs },
    );
  });

  it('in an address: path, query, language, cookies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...pages), fields, value, async (path, pairs, text) => {
        const query = new URLSearchParams([
          ...pairs.map(([name, each]) => [name, each.slice(0, 2_000)]),
          ['interaction', text.slice(0, 2_000)],
          ['return', text.slice(0, 2_000)],
          ['ui_locales', text.slice(0, 200)],
        ]);
        const answer = await fetch(`${house.issuer}${path}?${query}`, {
          redirect: 'manual',
          headers: {
            'accept-language': encodeURIComponent(text.toWellFormed()).slice(0, 500),
            cookie: `pa-shared=${encodeURIComponent(text.toWellFormed()).slice(0, 500)}`,
          },
        });
        expect(faults(answer.status, Object.fromEntries(answer.headers), await answer.text())).toEqual([]);
        expect(new URL(answer.headers.get('location') ?? '/', house.issuer).origin).toBe(house.issuer);
      }),
      { seed, numRuns: runs },
    );
  });

  it('to the endpoints of apps and to /authorize', async () => {
    const parameters = [
      'client_id',
      'redirect_uri',
      'scope',
      'state',
      'claims',
      'request',
      'prompt',
      'login_hint',
      'grant_type',
      'code',
      'refresh_token',
      'response_mode',
    ];
    const pairs = fc.array(fc.tuple(fc.constantFrom(...parameters), value), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...endpoints), pairs, type, async (path, sent, contentType) => {
        const query = new URLSearchParams([
          ['client_id', 'echoices'],
          ...sent.map(([name, text]) => [name, text.slice(0, 1_000)]),
        ]);
        const authorized = await fetch(`${house.issuer}/authorize?${query}`, { redirect: 'manual' });
        expect(faults(authorized.status, Object.fromEntries(authorized.headers), await authorized.text())).toEqual([]);
        const answer = await send(`${house.issuer}${path}`, Buffer.from(query.toString()), {
          'content-type': contentType,
        });
        expect(faults(answer.status, answer.headers, answer.body)).toEqual([]);
      }),
      { seed, numRuns: runs },
    );
  });
});
