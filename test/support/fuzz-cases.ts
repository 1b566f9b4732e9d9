import fc from 'fast-check';
import type { RawRequest } from '../attacks/raw.js';
import { enterApp, interactionOf, register } from '../journeys/steps.js';
import { apps, elementary } from '../provider/family.js';
import { openBrowser } from './browser.js';
import { startTestHouse, twoApps } from './house.js';
import type { TestHouse } from './house.js';

/*
 * Bounded and seeded, so that a finding can be repeated. The test looks at what comes back, `npm run faults` at how long it
 * takes: both send the same cases.
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
  // What only looks like an id of ours.
  '-'.repeat(36),
  '00000000-0000-4000-8000-000000000000',
);
const value = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 200 }), fc.emailAddress(), fc.webUrl());
const pairsOf = (names: readonly string[]) => fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 8 });
const names =
  'identifier password email phone code token device decision signInName recoveryCode app current shared xsrf logout session said end facts';
const fields = pairsOf([...names.split(' '), '__proto__', 'constructor[prototype]']);
const parameters = pairsOf(
  'client_id redirect_uri scope state claims request prompt login_hint grant_type code refresh_token response_mode'.split(
    ' ',
  ),
);
const type = fc.constantFrom(
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=utf-7',
  'application/json',
  'multipart/form-data; boundary=x',
  'text/plain',
  'nonsense',
);
const endpoints = '/token /introspect /revoke /par /userinfo /authorize /sign-out /sign-out/confirm'.split(' ');

/**
 * A house, a browser in the middle of a sign-in, and one that is signed in: `forms` are the addresses of all forms, those of the
 * interaction too, `pages` of all pages.
 */
export interface FuzzScene {
  house: TestHouse;
  forms: readonly string[];
  pages: readonly string[];
  /** The cookies that a browser would send to an address of the house: the signed-in one to what is for who is signed in. */
  cookies(path: string): Promise<string>;
}

/** What is for who is signed in; not what signs out, after which there would be nobody. */
const signedIn = ['/', '/password', '/password/changed', '/permissions', '/devices', '/confirm-email', '/signed-in'];

export async function fuzzScene(): Promise<FuzzScene> {
  const house = await startTestHouse({ elementary, apps: [...twoApps, ...apps.slice(2, 4)] });
  const browser = openBrowser();
  const mother = openBrowser();
  await register(mother, house, 'maria@example.org');
  const uid = interactionOf(await enterApp(browser, house));
  const forms = [
    '/register /register/code /recover /activate /activate/password /recover/link'.split(' '),
    '/recover/password /confirm-email /password /permissions /devices /leave /done'.split(' '),
    ['login', 'terms', 'news', 'address', 'consent', 'cancel'].map((page) => `/interaction/${uid}/${page}`),
    ['login', 'cancel'].map((page) => `/interaction/never-was/${page}`),
  ].flat();
  const pages = [
    '/ /help /terms /language /sign-in /signed-in /signed-out /done /register /register/sent /recover /recover/sent'.split(
      ' ',
    ),
    '/recover/link /recover/password /activate /activate/password /confirm-email'.split(' '),
    '/password /password/changed /permissions /devices'.split(' '),
    [`/interaction/${uid}`, '/interaction/never-was'],
  ].flat();
  const cookies = (path: string): Promise<string> =>
    (signedIn.includes(path) ? mother : browser).jar.getCookieString(`${house.issuer}${path}`);
  return { house, forms, pages, cookies };
}

/** One case of one kind: what is sent, in this order. */
type Case = (scene: FuzzScene) => Promise<RawRequest[]>;

const quoted = (text: string): string => encodeURIComponent(text.toWellFormed()).slice(0, 500);

const kinds = {
  'to a form, with any body and any content type': fc
    .tuple(fc.nat(), fields, type)
    .map(([which, pairs, contentType]): Case => async ({ house, forms, cookies }) => {
      const target = forms[which % forms.length] ?? '/';
      const headers = { origin: house.issuer, 'content-type': contentType, cookie: await cookies(target) };
      return [{ target, headers, body: new URLSearchParams(pairs).toString() }];
    }),
  'in an address: path, query, language, cookies': fc
    .tuple(fc.nat(), fields, value)
    .map(([which, pairs, text]): Case => async ({ pages, cookies }) => {
      const path = pages[which % pages.length] ?? '/';
      const query = new URLSearchParams([
        ...pairs.map(([name, each]) => [name, each.slice(0, 2_000)]),
        ['interaction', text.slice(0, 2_000)],
        ['return', text.slice(0, 2_000)],
        ['ui_locales', text.slice(0, 200)],
      ]);
      const headers = { 'accept-language': quoted(text), cookie: `${await cookies(path)}; pa-shared=${quoted(text)}` };
      return [{ target: `${path}?${query}`, headers }];
    }),
  'to the endpoints of apps and to /authorize': fc
    .tuple(fc.constantFrom(...endpoints), parameters, type)
    .map(([target, pairs, contentType]): Case => async ({ house }) => {
      const query = new URLSearchParams([
        ['client_id', 'echoices'],
        ...pairs.map(([name, text]) => [name, text.slice(0, 1_000)]),
      ]).toString();
      const headers = { origin: house.issuer, 'content-type': contentType };
      return [{ target: `/authorize?${query}` }, { target, headers, body: query }];
    }),
} as const;

export type FuzzKind = keyof typeof kinds;
export const fuzzKinds = Object.keys(kinds) as FuzzKind[];

/**
 * Makes all cases of a kind, the same in every run, and hands each request over.
 *
 * @param number which case of its kind it belongs to, from 1
 */
export async function everyCase(
  kind: FuzzKind,
  scene: FuzzScene,
  look: (request: RawRequest, number: number) => Promise<void>,
): Promise<void> {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(kinds[kind], async (make) => {
      number += 1;
      for (const request of await make(scene)) await look(request, number);
    }),
    { seed, numRuns: runs },
  );
}
