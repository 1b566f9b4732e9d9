import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { revokeStolenKey } from '../../src/desk/stolen-key.js';
import { SignJWT, decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose';
import type { Browser, Page } from '../support/browser.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import type { RelyingParty } from '../support/relying-party.js';
import { raw } from './raw.js';

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('row 2: sign-out that leads away', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  let cafeteria: RelyingParty;
  let mother: Browser;
  let hint: string;
  let cafeteriaHint: string;
  let home: string;
  beforeAll(async () => {
    ({ house, mother, echoices, cafeteria } = await familyHouse('echoices', 'cafeteria'));
    hint = (await echoices.tokens(mother)).id_token ?? '';
    cafeteriaHint = (await cafeteria.tokens(mother)).id_token ?? '';
    home = house.apps.get('echoices')?.post_logout_redirect_uris?.[0] ?? '';
  });
  afterAll(() => house.close());

  const ask = (parameters: Record<string, string>): Promise<Page> =>
    mother.get(`${house.issuer}/sign-out?${new URLSearchParams(parameters)}`, { follow: false });

  /** Our own page: no redirect, no question, no form that may go anywhere else; and the parent is still signed in. */
  async function expectRefused(page: Page, elsewhere: string): Promise<void> {
    expect(page.status).toBe(400);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers.location).toBeUndefined();
    expect(page.$('form[action$="/confirm"]')).toBeNull();
    expect(page.headers['content-security-policy']).not.toContain(elsewhere);
    expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
  }

  it('the registered address with the app’s own hint is asked about', async () => {
    const page = await ask({ id_token_hint: hint, post_logout_redirect_uri: home });
    expect(page.status).toBe(200);
    expect(page.text).toContain('eChoices');
    expect(page.$('form[action="/sign-out/confirm"]')).not.toBeNull();
  });

  const variants: Array<[string, (uri: URL) => string]> = [
    ['another site', () => 'https://evil.example/'],
    ['a longer path', (uri) => `${uri.href}away`],
    ['an added query', (uri) => `${uri.href}?next=https://evil.example`],
    ['a fragment', (uri) => `${uri.href}#x`],
    ['no slash at the end', (uri) => uri.origin],
    ['another port', (uri) => uri.href.replace(`:${uri.port}`, `:${Number(uri.port) + 1}`)],
    ['another scheme', (uri) => uri.href.replace('http:', 'https:')],
    ['user information', (uri) => uri.href.replace('http://', 'http://evil.example@')],
    ['a host behind user information', (uri) => uri.href.replace('localhost', 'localhost@evil.example')],
    ['another case of the host', (uri) => uri.href.replace('localhost', 'LOCALHOST')],
    ['a backslash', (uri) => `${uri.origin}\\@evil.example/`],
    ['a line break', (uri) => `${uri.href}\r\nSet-Cookie: x=1`],
    ['script', () => 'javascript:alert(1)'],
    ['data', () => 'data:text/html,<script>alert(1)</script>'],
    ['an address of another app', () => cafeteria.redirectUri.replace('/callback', '/')],
    ['the app’s own redirect_uri', () => echoices.redirectUri],
  ];
  it.each(variants)('to %s stays here, with a hint and with a client_id', async (_, variant) => {
    const target = variant(new URL(home));
    for (const who of [{ id_token_hint: hint }, { client_id: 'echoices' }]) {
      await expectRefused(await ask({ ...who, post_logout_redirect_uri: target }), 'evil.example');
    }
  });

  it('to an unregistered address for nobody: asked, and ends on our own page', async () => {
    const other = await signInAnew(house, 'maria@example.org');
    const page = await other.get(
      `${house.issuer}/sign-out?${new URLSearchParams({ post_logout_redirect_uri: 'https://evil.example/' })}`,
    );
    expect(page.status).toBe(200);
    expect(page.body).not.toContain('evil.example/"');
    const done = await other.submit({}, { form: 'form[action="/sign-out/confirm"]' });
    expect(new URL(done.url).origin).toBe(house.issuer);
    expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
  });

  it('with a hint that was modified, signed by nobody or by another key, stays here', async () => {
    const header = decodeProtectedHeader(hint);
    const claims = decodeJwt(hint);
    const [head = '', , signature = ''] = hint.split('.');
    const { privateKey } = await generateKeyPair('ES256');
    const digest = house.apps.get('echoices')?.secrets?.[0]?.sha256 ?? '';
    const jwks: unknown = await (await fetch(`${house.issuer}/jwks`)).json();
    const sign = (secret: string): Promise<string> =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
    const forged = {
      'another subject under the old signature': `${head}.${base64url({ ...claims, sub: 'somebody' })}.${signature}`,
      'another app under the old signature': `${head}.${base64url({ ...claims, aud: 'cafeteria' })}.${signature}`,
      'alg none': `${base64url({ alg: 'none' })}.${base64url(claims)}.`,
      'alg None with the old signature': `${base64url({ alg: 'None' })}.${base64url(claims)}.${signature}`,
      'no signature': `${head}.${base64url(claims)}.`,
      'another key under our kid': await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'ES256' })
        .sign(privateKey),
      'a key of its own in the header': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } })
        .sign(privateKey),
      'HS256 with the published key set': await sign(JSON.stringify(jwks)),
      'HS256 with the digest of the secret': await sign(digest),
      'HS256 with the secret': await sign(house.secret),
      'no JWT at all': 'x.y.z',
    };
    for (const [what, token] of Object.entries(forged)) {
      const page = await ask({ id_token_hint: token, post_logout_redirect_uri: home });
      expect({ what, status: page.status, location: page.headers.location }).toEqual({
        what,
        status: 400,
        location: undefined,
      });
      await expectRefused(page, new URL(home).origin.replace('localhost', 'evil.example'));
    }
  });

  it('with the hint of another app stays here', async () => {
    await expectRefused(await ask({ id_token_hint: cafeteriaHint, post_logout_redirect_uri: home }), home);
    await expectRefused(
      await ask({ id_token_hint: cafeteriaHint, client_id: 'echoices', post_logout_redirect_uri: home }),
      home,
    );
  });

  it('with parameters that stand twice stays here', async () => {
    const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: home });
    query.append('post_logout_redirect_uri', 'https://evil.example/');
    const page = await mother.get(`${house.issuer}/sign-out?${query}`, { follow: false });
    await expectRefused(page, 'evil.example');
  });

  it('with the hint of a key that was revoked meanwhile stays here, and leaves nobody signed in who wanted out', async () => {
    const { kid = '' } = decodeProtectedHeader(hint);
    await revokeStolenKey(house.keys, kid, 'operator', house.desk.keysFollowed);
    const address = `${house.issuer}/sign-out?${new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: home })}`;
    const browser = await signInAnew(house, 'maria@example.org');
    const page = await browser.get(address);
    expect([page.status, page.text.includes('You are still signed in')]).toEqual([400, true]);
    expect((await browser.submit()).url).toBe(`${house.issuer}/signed-out`);
    expect((await browser.get(`${house.issuer}/`)).text).not.toContain('Ana');
    expect((await browser.get(address)).$('main form')).toBeNull();
  });

  it('asked by another page meanwhile makes the answer to the first no good, and leaves nobody signed in who wanted out', async () => {
    const browser = await signInAnew(house, 'maria@example.org');
    await browser.get(`${house.issuer}/sign-out?client_id=echoices`);
    const cookie = await browser.jar.getCookieString(house.issuer);
    await raw(house.issuer, { target: '/sign-out?client_id=cafeteria', headers: { cookie } });
    const page = await browser.submit({}, { button: 'logout=yes' });
    expect([page.status, page.text.includes('You are still signed in')]).toEqual([400, true]);
    expect((await browser.submit()).url).toBe(`${house.issuer}/signed-out`);
    expect((await browser.get(`${house.issuer}/`)).text).not.toContain('Ana');
  });
});
