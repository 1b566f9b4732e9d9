import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as client from 'openid-client';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { databases } from '../support/database.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { post, relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { register } from '../journeys/steps.js';
import { apps, elementary } from './family.js';

describe.each(databases)('what an app receives, on %s', (kind) => {
  let house: TestHouse;
  let mother: Browser;
  let echoices: RelyingParty;
  let cafeteria: RelyingParty;
  let bulletin: RelyingParty;
  beforeAll(async () => {
    house = await startTestHouse({ kind, elementary, apps });
    [echoices, cafeteria, bulletin] = [
      await relyingParty(house, 'echoices'),
      await relyingParty(house, 'cafeteria'),
      await relyingParty(house, 'bulletin'),
    ];
    mother = openBrowser();
    await register(mother, house, 'maria@example.org');
  });
  afterAll(async () => {
    for (const app of [echoices, cafeteria, bulletin]) await app.close();
    await house.close();
  });

  it('openid-client completes code with PKCE, userinfo, refresh and sign-out', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: 'maria@example.org', password: 'a long way to school' });
    const tokens = await echoices.tokens(browser);
    const claims = tokens.claims();
    expect(claims?.['students']).toBeUndefined();
    const info = await client.fetchUserInfo(echoices.configuration, tokens.access_token, claims?.sub ?? '');
    expect(info['name']).toBe('Maria López');
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const personal = await fetch(`${house.issuer}/userinfo`, { headers });
    expect([personal.status, personal.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const refreshed = await client.refreshTokenGrant(echoices.configuration, tokens.refresh_token ?? '');
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    await client.fetchUserInfo(echoices.configuration, refreshed.access_token, claims?.sub ?? '');
    const out = client.buildEndSessionUrl(echoices.configuration, {
      id_token_hint: refreshed.id_token ?? '',
      post_logout_redirect_uri: echoices.redirectUri.replace('/callback', '/'),
    });
    await browser.get(out.href);
    const end = await browser.submit({}, { button: 'logout=yes' });
    expect(end.url).toBe(echoices.redirectUri.replace('/callback', '/'));
    await expect(client.refreshTokenGrant(echoices.configuration, refreshed.refresh_token ?? '')).rejects.toMatchObject(
      { error: 'invalid_grant' },
    );
    await expect(
      client.fetchUserInfo(echoices.configuration, refreshed.access_token, claims?.sub ?? ''),
    ).rejects.toMatchObject({ status: 401 });
  });

  it('gives each app the children with the facts it is registered for, and the school only where it may be told', async () => {
    const a = await echoices.tokens(mother);
    const b = await cafeteria.tokens(mother);
    const sub = a.claims()?.sub ?? '';
    const inEchoices = (await client.fetchUserInfo(echoices.configuration, a.access_token, sub))['students'] as Array<
      Record<string, unknown>
    >;
    const inCafeteria = (await client.fetchUserInfo(cafeteria.configuration, b.access_token, sub))['students'] as Array<
      Record<string, unknown>
    >;
    expect(inEchoices.map(({ id: _, ...facts }) => facts)).toEqual([
      { name: 'Ana López', school: 'Lincoln Elementary', grade: '3' },
      { name: 'Beto López', grade: '3' },
    ]);
    expect(inCafeteria.map(({ id: _, ...facts }) => facts)).toEqual([
      { name: 'Ana López', meals: true },
      { name: 'Beto López', meals: true },
    ]);
    expect(inCafeteria.map(({ id }) => id)).toEqual(inEchoices.map(({ id }) => id));
  });

  it('the claims parameter fetches nothing that the app is not registered for', async () => {
    const wish = JSON.stringify({
      userinfo: { students: { essential: true }, email: null },
      id_token: { students: null, email: null },
    });
    const tokens = await bulletin.tokens(mother, { claims: wish });
    expect(tokens.claims()).not.toHaveProperty('students');
    expect(tokens.claims()).not.toHaveProperty('email');
    const info = await client.fetchUserInfo(bulletin.configuration, tokens.access_token, tokens.claims()?.sub ?? '');
    expect(Object.keys(info)).toEqual(['sub']);
  });

  it('no child is ever in an ID token, even when asked for by name', async () => {
    const tokens = await echoices.tokens(mother, {
      claims: JSON.stringify({ id_token: { students: { essential: true } } }),
    });
    expect(decodeJwt(tokens.id_token ?? '')).not.toHaveProperty('students');
  });

  it('signs ID tokens with ES256 by a published key, with acr, amr and auth_time', async () => {
    const tokens = await echoices.tokens(mother, { max_age: '86400', acr_values: 'urn:parent-access:acr:password' });
    const header = decodeProtectedHeader(tokens.id_token ?? '');
    const { keys } = (await (await fetch(`${house.issuer}/jwks`)).json()) as { keys: Array<Record<string, unknown>> };
    expect(header.alg).toBe('ES256');
    expect(keys.find(({ kid }) => kid === header.kid)).toMatchObject({ kty: 'EC', use: 'sig' });
    expect(JSON.stringify(keys)).not.toMatch(/"(d|p|q|dp|dq|qi|k)":/);
    expect(tokens.claims()).toMatchObject({ acr: 'urn:parent-access:acr:password', amr: ['pwd'] });
    expect(tokens.claims()?.auth_time).toBeGreaterThan(0);
  });

  it('a scope that the app is not registered for is refused, at /authorize and at refresh', async () => {
    const { url } = await cafeteria.request({ scope: 'openid email' });
    const page = await mother.get(url.href);
    expect(new URL(page.url).searchParams.get('error')).toBe('invalid_scope');
    const { refresh_token: token } = await cafeteria.tokens(mother, { scope: 'openid' });
    await expect(
      client.refreshTokenGrant(cafeteria.configuration, token ?? '', { scope: 'openid students' }),
    ).rejects.toMatchObject({ error: expect.stringMatching(/invalid_scope|invalid_grant/) });
  });

  it('a refresh may name the whole scope of the app, offline_access with it', async () => {
    const scope = house.apps.get('echoices')?.scope ?? '';
    expect(scope).toContain('offline_access');
    const { refresh_token: token } = await echoices.tokens(mother, { scope });
    const refreshed = await client.refreshTokenGrant(echoices.configuration, token ?? '', { scope });
    expect(refreshed.scope?.split(' ').toSorted()).toEqual(scope.split(' ').toSorted());
  });

  it('an essential assurance that nobody can reach is a proper error', async () => {
    const claims = JSON.stringify({
      id_token: { acr: { essential: true, value: 'urn:parent-access:acr:two-factor' } },
    });
    const { url } = await echoices.request({ claims });
    const page = await mother.get(url.href);
    expect(new URL(page.url).searchParams.get('error')).toBe('unmet_authentication_requirements');
  });

  it('client credentials are for who is registered for them, and see no person', async () => {
    const credentials = { clientId: 'statistics', secret: house.secret };
    const { status, body } = await post(house, '/token', { grant_type: 'client_credentials' }, credentials);
    expect(status).toBe(200);
    const info = await fetch(`${house.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${String(body['access_token'])}` },
    });
    expect(info.status).toBe(401);
    const refused = await post(
      house,
      '/token',
      { grant_type: 'client_credentials' },
      { clientId: 'echoices', secret: house.secret },
    );
    expect(refused.status).toBe(400);
  });

  it('introspection and revocation are for the app’s own tokens', async () => {
    const tokens = await echoices.tokens(mother);
    const mine = { clientId: 'echoices', secret: house.secret };
    const other = { clientId: 'cafeteria', secret: house.secret };
    expect((await post(house, '/introspect', { token: tokens.access_token }, mine)).body).toMatchObject({
      active: true,
    });
    expect((await post(house, '/introspect', { token: tokens.access_token }, other)).body).toEqual({ active: false });
    await post(house, '/revoke', { token: tokens.refresh_token ?? '' }, other);
    expect((await post(house, '/introspect', { token: tokens.refresh_token ?? '' }, mine)).body).toMatchObject({
      active: true,
    });
    await post(house, '/revoke', { token: tokens.refresh_token ?? '' }, mine);
    expect((await post(house, '/introspect', { token: tokens.refresh_token ?? '' }, mine)).body).toEqual({
      active: false,
    });
  });

  it('discovery is complete and true', async () => {
    const found = (await (await fetch(`${house.issuer}/.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >;
    expect(found).toMatchObject({
      issuer: house.issuer,
      authorization_endpoint: `${house.issuer}/authorize`,
      token_endpoint: `${house.issuer}/token`,
      userinfo_endpoint: `${house.issuer}/userinfo`,
      jwks_uri: `${house.issuer}/jwks`,
      introspection_endpoint: `${house.issuer}/introspect`,
      revocation_endpoint: `${house.issuer}/revoke`,
      pushed_authorization_request_endpoint: `${house.issuer}/par`,
      end_session_endpoint: `${house.issuer}/sign-out`,
      scopes_supported: ['openid', 'profile', 'email', 'phone', 'offline_access', 'students'],
      response_types_supported: ['code', 'none'],
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      claims_parameter_supported: true,
      ui_locales_supported: ['en', 'es'],
      acr_values_supported: ['urn:parent-access:acr:password'],
    });
    expect(JSON.stringify(found)).not.toMatch(/HS256|implicit|id_token token|client_secret_jwt|A128KW|"dir"/);
    const posted = new Set([
      'token_endpoint',
      'introspection_endpoint',
      'revocation_endpoint',
      'pushed_authorization_request_endpoint',
    ]);
    for (const [name, value] of Object.entries(found)) {
      if (!name.endsWith('_endpoint') && name !== 'jwks_uri') continue;
      expect(
        (await fetch(String(value), { method: posted.has(name) ? 'POST' : 'GET', redirect: 'manual' })).status,
      ).not.toBe(404);
    }
  });
});
