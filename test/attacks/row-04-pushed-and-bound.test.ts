import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { GenerateKeyPairResult } from 'jose';
import { password, register } from '../journeys/steps.js';
import { apps, elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { post, relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';

const inThePage = {
  client_id: 'in-the-page',
  scope: 'openid profile offline_access',
  token_endpoint_auth_method: 'none',
} as const;

/** Row 4: requests that were pushed (RFC 9126), tokens that are bound to a key (RFC 9449). */
describe('row 4: what an app pushed or bound', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  let page: RelyingParty;
  let mother: Browser;
  let key: GenerateKeyPairResult;
  let thief: GenerateKeyPairResult;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: [...apps, { registration: inThePage }] });
    echoices = await relyingParty(house, 'echoices');
    page = await relyingParty(house, inThePage.client_id);
    mother = openBrowser();
    await register(mother, house, 'maria@example.org');
    [key, thief] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  });
  afterAll(async () => {
    await echoices.close();
    await page.close();
    await house.close();
  });
  const mine = () => ({ clientId: 'echoices', secret: house.secret });

  async function pushed(extra: Record<string, string> = {}): Promise<Record<string, string>> {
    const { url } = await echoices.request(extra);
    const { status, body } = await post(house, '/par', Object.fromEntries(url.searchParams), mine());
    expect(status).toBe(201);
    return { client_id: 'echoices', request_uri: String(body['request_uri']) };
  }
  async function authorize(query: Record<string, string>, browser = mother): Promise<string> {
    const { headers } = await browser.get(`${house.issuer}/authorize?${new URLSearchParams(query)}`, { follow: false });
    return headers.location ?? '';
  }

  it('is of no use to another app', async () => {
    expect(await authorize({ ...(await pushed()), client_id: 'cafeteria' })).not.toContain('code=');
  });

  it('is not changed by what stands beside it', async () => {
    const beside = { redirect_uri: 'http://evil.example/', state: 'evil', scope: 'openid' };
    const location = new URL(await authorize({ ...(await pushed({ state: 'of the app' })), ...beside }));
    expect(location.href.startsWith(echoices.redirectUri)).toBe(true);
    expect(location.searchParams.get('state')).toBe('of the app');
  });

  it('gives one code, also when it comes eight times at the same instant', async () => {
    const request = await pushed();
    const locations = await Promise.all(Array.from({ length: 8 }, () => authorize(request)));
    expect(locations.filter((location) => location.includes('code='))).toHaveLength(1);
    expect(await authorize(request)).not.toContain('code=');
  });

  it('is used once also when a sign-in stands between', async () => {
    const request = await pushed({ prompt: 'login' });
    const browser = openBrowser();
    await browser.get(`${house.issuer}/authorize?${new URLSearchParams(request)}`);
    const back = await browser.submit({ identifier: 'maria@example.org', password });
    expect(back.url).toContain('code=');
    expect(await authorize({ ...request, prompt: 'none' }, browser)).not.toContain('code=');
  });

  let proofs = 0;
  async function proof(by: GenerateKeyPairResult, claims: Record<string, string> = {}): Promise<string> {
    proofs += 1;
    return new SignJWT({ htm: 'POST', htu: `${house.issuer}/token`, jti: `proof ${proofs}`, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(by.publicKey) })
      .setIssuedAt()
      .sign(by.privateKey);
  }
  /** What `/token` gives for a code or refresh token of the app in the page. */
  async function token(fields: Record<string, string>, dpop?: string): Promise<Record<string, string>> {
    const answer = await fetch(`${house.issuer}/token`, {
      method: 'POST',
      headers: dpop === undefined ? {} : { dpop },
      body: new URLSearchParams({ client_id: inThePage.client_id, ...fields }),
    });
    return (await answer.json()) as Record<string, string>;
  }
  async function code(): Promise<Record<string, string>> {
    const { callback, checks } = await page.authorize(mother);
    return {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: page.redirectUri,
      code_verifier: checks.pkceCodeVerifier ?? '',
    };
  }
  async function userinfo(authorization: string, dpop?: string): Promise<number> {
    const headers = { authorization, ...(dpop === undefined ? {} : { dpop }) };
    return (await fetch(`${house.issuer}/userinfo`, { headers })).status;
  }

  it('a bound token opens with its key alone, and each proof once', async () => {
    const { access_token: access = '', token_type: type } = await token(await code(), await proof(key));
    expect(type).toBe('DPoP');
    const here = {
      htm: 'GET',
      htu: `${house.issuer}/userinfo`,
      ath: createHash('sha256').update(access).digest('base64url'),
    };
    expect(await userinfo(`Bearer ${access}`)).toBe(401);
    expect(await userinfo(`Bearer ${access}`, await proof(key, here))).toBe(400);
    expect(await userinfo(`DPoP ${access}`, await proof(thief, here))).toBe(401);
    for (const change of [{ ath: 'other' }, { htm: 'POST' }, { htu: `${house.issuer}/token` }])
      expect(await userinfo(`DPoP ${access}`, await proof(key, { ...here, ...change }))).toBe(401);
    const good = await proof(key, here);
    expect(await userinfo(`DPoP ${access}`, good)).toBe(200);
    expect(await userinfo(`DPoP ${access}`, good)).toBe(401);
  });

  it('a proof that comes six times at the same instant is taken once', async () => {
    const codes = [];
    for (let each = 0; each < 6; each += 1) codes.push(await code());
    const same = await proof(key);
    const answers = await Promise.all(codes.map((fields) => token(fields, same)));
    expect(answers.filter(({ access_token: access }) => access !== undefined)).toHaveLength(1);
  });

  it('the refresh token of an app in a page is of no use without its key', async () => {
    const { refresh_token: refresh = '' } = await token(await code(), await proof(key));
    const fields = { grant_type: 'refresh_token', refresh_token: refresh };
    expect(await token(fields)).toMatchObject({ error: 'invalid_grant' });
    expect(await token(fields, await proof(thief))).toMatchObject({ error: 'invalid_grant' });
    expect(await token(fields, await proof(key))).toMatchObject({ token_type: 'DPoP' });
  });
});
