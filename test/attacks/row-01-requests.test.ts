import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from '../support/browser.js';
import { familyHouse } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import { post } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { raw } from './raw.js';

describe('rows 1, 4 and 6: requests with something changed', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  let cafeteria: RelyingParty;
  let mother: Browser;
  beforeAll(async () => {
    ({ house, mother, echoices, cafeteria } = await familyHouse('echoices', 'cafeteria'));
  });
  afterAll(() => house.close());
  const app = (clientId: string) => ({ clientId, secret: house.secret });

  const variants: Array<[string, (uri: URL) => string]> = [
    ['the host in capitals', (uri) => uri.href.replace('localhost', 'LOCALHOST')],
    ['the scheme in capitals', (uri) => uri.href.replace('http:', 'HTTP:')],
    ['a dot after the host', (uri) => uri.href.replace('localhost', 'localhost.')],
    ['a backslash before the path', (uri) => uri.href.replace('/callback', '\\callback')],
    ['backslashes for slashes', (uri) => uri.href.replace('//', '\\\\')],
    ['a host behind a backslash', (uri) => uri.href.replace('localhost', 'evil.example\\@localhost')],
    ['a tab in the scheme', (uri) => uri.href.replace('http', 'ht\ttp')],
    ['a space before it', (uri) => ` ${uri.href}`],
    ['a line break after it', (uri) => `${uri.href}\r\nX-Evil: 1`],
    ['an encoded letter', (uri) => uri.href.replace('callback', '%63allback')],
    ['an encoded slash', (uri) => uri.href.replace('/callback', '%2fcallback')],
    ['a path parameter', (uri) => `${uri.href};x=y`],
    ['two slashes', (uri) => uri.href.replace('/callback', '//callback')],
    ['an empty query', (uri) => `${uri.href}?`],
    ['an empty fragment', (uri) => `${uri.href}#`],
    ['a look-alike letter', (uri) => uri.href.replace('localhost', 'l\u043Ecalhost')],
    ['no scheme', (uri) => uri.href.replace('http:', '')],
    ['a path only', (uri) => uri.pathname],
    ['the address of another app', () => cafeteria.redirectUri],
    ['the address for signing out', (uri) => `${uri.origin}/`],
    ['our own address', () => `${house.issuer}/signed-in`],
    ['nothing', () => ''],
  ];
  it.each(variants)('row 1: a redirect_uri with %s leads nowhere, nor pushed', async (_, variant) => {
    const redirectUri = variant(new URL(echoices.redirectUri));
    const { url } = await echoices.request({ redirect_uri: redirectUri });
    const page = await mother.get(url.href, { follow: false });
    expect(page.status).toBe(400);
    expect(page.headers.location).toBeUndefined();
    const { status, body } = await post(house, '/par', Object.fromEntries(url.searchParams), app('echoices'));
    expect(status).toBe(400);
    expect(body).not.toHaveProperty('request_uri');
  });

  it('row 1: a request that another app pushed is not one’s own', async () => {
    const { url } = await cafeteria.request();
    const { body } = await post(house, '/par', Object.fromEntries(url.searchParams), app('cafeteria'));
    const query = new URLSearchParams({ client_id: 'echoices', request_uri: String(body['request_uri']) });
    const page = await mother.get(`${house.issuer}/authorize?${query}`, { follow: false });
    expect(`${page.headers.location ?? ''}${page.body}`).not.toMatch(/[?&]code=/);
  });

  it('row 4: a refresh does not widen the scope, nor serve another app or nobody', async () => {
    const tokens = await echoices.tokens(mother, { scope: 'openid offline_access' });
    const fields = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    for (const scope of ['openid students', 'openid phone', 'openid email offline_access', 'admin']) {
      const { status, body } = await post(house, '/token', { ...fields, scope }, app('echoices'));
      expect({ scope, status }).toEqual({ scope, status: 400 });
      expect(body).not.toHaveProperty('access_token');
    }
    expect((await post(house, '/token', fields, app('cafeteria'))).body).toMatchObject({ error: 'invalid_grant' });
    expect((await post(house, '/token', { ...fields, client_id: 'echoices' })).status).toBeGreaterThanOrEqual(400);
  });

  it('row 4: a request without PKCE gets no code', async () => {
    const { url } = await echoices.request();
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    const page = await mother.get(url.href);
    expect(new URL(page.url).searchParams.get('code')).toBeNull();
    expect(new URL(page.url).searchParams.get('error')).toBe('invalid_request');
  });

  it('row 4: a code of one request is not redeemed with the proof of another', async () => {
    const first = await echoices.authorize(mother);
    const second = await echoices.authorize(mother);
    const { status, body } = await post(
      house,
      '/token',
      {
        grant_type: 'authorization_code',
        code: first.callback.searchParams.get('code') ?? '',
        redirect_uri: echoices.redirectUri,
        code_verifier: second.checks.pkceCodeVerifier ?? '',
      },
      app('echoices'),
    );
    expect({ status, error: body['error'] }).toEqual({ status: 400, error: 'invalid_grant' });
  });

  it('row 4: an app’s token is nothing to another app', async () => {
    const tokens = await echoices.tokens(mother);
    for (const token of [tokens.access_token, tokens.refresh_token ?? '']) {
      expect((await post(house, '/introspect', { token }, app('cafeteria'))).body['active']).not.toBe(true);
      await post(house, '/revoke', { token }, app('cafeteria'));
      expect((await post(house, '/introspect', { token }, app('echoices'))).body['active']).toBe(true);
    }
  });

  it('row 6: a Host that only looks like ours is refused on every path', async () => {
    const { host, port } = new URL(house.issuer);
    for (const forged of [
      'localhost',
      `localhost.:${port}`,
      `localhost:${Number(port) + 1}`,
      `evil.example:${port}`,
      `x@${host}`,
      `${host}@evil.example`,
      `${host}.evil.example`,
      `${host}/`,
      `${host}, evil.example`,
      `evil.example, ${host}`,
      ' ',
    ]) {
      for (const target of ['/register', '/.well-known/openid-configuration', '/token', '/sign-in']) {
        const answer = await raw(house.issuer, { target, headers: { host: forged } });
        expect({ forged, refused: [400, 421].includes(answer.status) }).toEqual({ forged, refused: true });
        expect(`${answer.headers.location ?? ''}${answer.body}`).not.toContain('evil.example');
      }
    }
  });

  it('row 6: a letter for a new password carries our address alone', async () => {
    await raw(house.issuer, {
      target: '/recover',
      body: { identifier: 'maria@example.org' },
      headers: {
        origin: house.issuer,
        'x-forwarded-host': 'evil.example',
        forwarded: 'host=evil.example;proto=https',
        'x-forwarded-proto': 'https',
        'x-forwarded-prefix': '/evil',
        referer: 'https://evil.example/',
      },
    });
    const { text, html } = await house.mailbox.waitFor('maria@example.org', (letter) =>
      letter.text.includes('/recover/link'),
    );
    expect(text).toContain(`${house.issuer}/recover/link`);
    expect(text + html).not.toContain('evil');
  });
});
