import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, generateKeyPair } from 'jose';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { familyHouse } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import { post } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { interactionOf, password, register } from '../journeys/steps.js';

describe('attacks on the provider', () => {
  let house: TestHouse;
  let mother: Browser;
  let echoices: RelyingParty;
  let cafeteria: RelyingParty;
  beforeAll(async () => {
    ({ house, mother, echoices, cafeteria } = await familyHouse('echoices', 'cafeteria'));
  });
  afterAll(() => house.close());

  describe('row 1: redirect_uri look-alikes', () => {
    const variants: Array<[string, (uri: URL) => string]> = [
      ['another case of the path', (uri) => uri.href.replace('/callback', '/Callback')],
      ['another port', (uri) => uri.href.replace(`:${uri.port}`, `:${Number(uri.port) + 1}`)],
      ['no port', (uri) => uri.href.replace(`:${uri.port}`, '')],
      ['user information', (uri) => uri.href.replace('http://', 'http://evil.example@')],
      [
        'a host behind user information',
        (uri) => uri.href.replace('http://localhost', 'http://localhost@evil.example'),
      ],
      ['a fragment', (uri) => `${uri.href}#x`],
      ['an encoded dot', (uri) => uri.href.replace('/callback', '/%2e/callback')],
      ['dot segments', (uri) => uri.href.replace('/callback', '/x/../callback')],
      ['a trailing slash', (uri) => `${uri.href}/`],
      ['an added query', (uri) => `${uri.href}?next=evil`],
      ['another scheme', (uri) => uri.href.replace('http:', 'https:')],
      ['a loopback address instead of the name', (uri) => uri.href.replace('localhost', '127.0.0.1')],
      ['a host with a longer name', (uri) => uri.href.replace('localhost', 'localhost.evil.example')],
      ['script', () => 'javascript:alert(1)'],
    ];
    it.each(variants)('%s: our own page, no redirect, no code', async (_, variant) => {
      const { url } = await echoices.request({ redirect_uri: variant(new URL(echoices.redirectUri)) });
      const page = await mother.get(url.href, { follow: false });
      expect(page.status).toBe(400);
      expect(page.headers.location).toBeUndefined();
      expect(page.headers['content-type']).toContain('text/html');
      expect(page.body).not.toContain('code=');
    });

    it.each(['redirect_uri', 'client_id', 'state', 'scope', 'response_type', 'code_challenge', 'nonce'])(
      'a %s that stands twice gives an error and no code',
      async (name) => {
        const { url } = await echoices.request();
        url.searchParams.append(name, url.searchParams.get(name) ?? '');
        const page = await mother.get(url.href, { follow: false });
        expect(`${page.headers.location ?? ''}${page.body}`).not.toMatch(/[?&]code=/);
      },
    );

    it('an unknown app: our page with a next step', async () => {
      const { url } = await echoices.request({ client_id: 'nobody' });
      const page = await mother.get(url.href, { follow: false });
      expect(page.status).toBe(400);
      expect(page.$$('a[href]').length).toBeGreaterThan(0);
      expect(page.text).not.toMatch(/invalid_client|stack|Error:/);
    });
  });

  describe('row 4: codes, PKCE and scopes', () => {
    const mine = () => ({ clientId: 'echoices', secret: house.secret });
    const code = () => echoices.codeForm(mother);

    it('a code of another client', async () => {
      const answer = await post(
        house,
        '/token',
        { ...(await code()), redirect_uri: cafeteria.redirectUri },
        { clientId: 'cafeteria', secret: house.secret },
      );
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });

    it.each([
      ['no verifier', { code_verifier: '' }],
      ['a wrong verifier', { code_verifier: 'x'.repeat(43) }],
      ['another redirect_uri', { redirect_uri: 'http://localhost:1/callback' }],
      ['a code that never was', { code: 'x'.repeat(43) }],
    ])('%s', async (_, change) => {
      const fields = Object.fromEntries(
        Object.entries({ ...(await code()), ...change }).filter(([, value]) => value !== ''),
      );
      const { status, body } = await post(house, '/token', fields, mine());
      expect(status).toBe(400);
      expect(body['error']).toMatch(/invalid_grant|invalid_request/);
    });

    it('the verifier in place of a challenge that was never sent', async () => {
      for (const change of [
        { code_challenge: '' },
        { code_challenge_method: 'plain' },
        { code_challenge_method: '' },
      ]) {
        const { url } = await echoices.request();
        for (const [name, value] of Object.entries(change)) {
          if (value === '') url.searchParams.delete(name);
          else url.searchParams.set(name, value);
        }
        const page = await mother.get(url.href);
        expect(new URL(page.url).searchParams.get('code')).toBeNull();
        expect(new URL(page.url).searchParams.get('error')).toBe('invalid_request');
      }
    });

    it.each(['token', 'id_token', 'code id_token', 'code token'])('the response type %s', async (type) => {
      const { url } = await echoices.request({ response_type: type });
      const page = await mother.get(url.href);
      expect(page.url).not.toMatch(/access_token=|id_token=|[?&#]code=/);
    });

    it('a wrong secret, no secret, the published digest as secret', async () => {
      const digest = house.apps.get('echoices')?.secrets?.[0]?.sha256 ?? '';
      for (const secret of ['wrong', '', digest]) {
        const { status, body } = await post(house, '/token', await code(), { clientId: 'echoices', secret });
        expect(status).toBe(secret === '' ? 400 : 401);
        expect(body).not.toHaveProperty('access_token');
      }
    });

    it('a request object signed with the published digest, with none, or sent at all', async () => {
      const digest = house.apps.get('echoices')?.secrets?.[0]?.sha256 ?? '';
      const payload = {
        client_id: 'echoices',
        redirect_uri: echoices.redirectUri,
        scope: 'openid',
        response_type: 'code',
      };
      const signed = await new SignJWT(payload)
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('echoices')
        .setAudience(house.issuer)
        .sign(new TextEncoder().encode(digest));
      for (const object of [
        signed,
        `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.`,
      ]) {
        const { url } = await echoices.request({ request: object });
        const page = await mother.get(url.href);
        expect(page.url).not.toMatch(/[?&]code=/);
      }
    });

    it('an assertion by a key that nobody registered', async () => {
      const { privateKey } = await generateKeyPair('ES256');
      const assertion = await new SignJWT({})
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer('echoices')
        .setSubject('echoices')
        .setAudience(house.issuer)
        .setJti('1')
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
      const fields = {
        ...(await code()),
        client_id: 'echoices',
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      };
      expect((await post(house, '/token', fields)).status).toBe(401);
    });
  });

  describe('row 7: sessions and interactions of others', () => {
    it('a session id from before sign-in is worth nothing after it', async () => {
      const browser = openBrowser();
      await browser.get(`${house.issuer}/sign-in`);
      const before = await browser.cookies(house.issuer);
      await browser.submit({ identifier: 'maria@example.org', password });
      const after = await browser.cookies(house.issuer);
      expect(after['pa-session']).toBeDefined();
      expect(after['pa-session']).not.toBe(before['pa-session']);
    });

    it('an interaction is of no use in another browser: one sentence and the way to the app', async () => {
      const victim = openBrowser();
      const { url } = await echoices.request();
      const uid = interactionOf(await victim.get(url.href));
      const thief = openBrowser();
      const page = await thief.get(`${house.issuer}/interaction/${uid}`);
      expect(page.status).toBe(400);
      expect(
        page
          .$$('a')
          .some(
            (anchor) =>
              anchor.getAttribute('href')?.startsWith(echoices.redirectUri.replace('/callback', '/login')) === true,
          ),
      ).toBe(true);
      expect(page.$('input[name=password]')).toBeNull();
    });

    it('a finished interaction does not run again', async () => {
      const browser = openBrowser();
      const { url } = await echoices.request();
      const uid = interactionOf(await browser.get(url.href));
      await browser.submit({ identifier: 'maria@example.org', password });
      const again = await browser.get(`${house.issuer}/authorize/${uid}`, { follow: false });
      expect(again.headers.location ?? '').not.toContain('code=');
    });

    it('a re-authentication that is cancelled leaves the old session as it was and grants nothing', async () => {
      const before = await house.db
        .selectFrom('sessions')
        .selectAll()
        .where('revoked_at', 'is', null)
        .orderBy('uid')
        .execute();
      const { url } = await echoices.request({ prompt: 'login' });
      const page = await mother.get(url.href);
      expect(page.url).toContain('/interaction/');
      const form = page.$$('form').find((each) => each.getAttribute('action')?.endsWith('/cancel') === true);
      const back = await mother.submit({}, { form: `form[action="${form?.getAttribute('action') ?? ''}"]` });
      expect(new URL(back.url).searchParams.get('error')).toBe('access_denied');
      expect(new URL(back.url).searchParams.get('code')).toBeNull();
      const after = await house.db
        .selectFrom('sessions')
        .selectAll()
        .where('revoked_at', 'is', null)
        .orderBy('uid')
        .execute();
      expect(after.map(({ uid, account_id: account }) => ({ uid, account }))).toEqual(
        before.map(({ uid, account_id: account }) => ({ uid, account })),
      );
      expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
    });

    it('another account on the same browser ends the first one’s session whole', async () => {
      const browser = openBrowser();
      await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122').catch(() => null);
      await browser.get(`${house.issuer}/sign-in`);
      await browser.submit({ identifier: 'maria@example.org', password });
      const tokens = await echoices.tokens(browser);
      const { url } = await echoices.request({ prompt: 'login' });
      await browser.get(url.href);
      const page = await browser.submit({ identifier: 'pedro@example.org', password });
      await (page.url.includes('/interaction/')
        ? browser.submit({}, { button: 'decision=accept' })
        : Promise.resolve(page));
      expect((await browser.get(`${house.issuer}/`)).text).toContain('Tomas');
      const info = await fetch(`${house.issuer}/userinfo`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      expect(info.status).toBe(401);
    });
  });
});
