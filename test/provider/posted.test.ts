import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { raw } from '../attacks/raw.js';
import { signIn } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import type { RelyingParty } from '../support/relying-party.js';

describe('a request that an app posts', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  beforeAll(async () => {
    ({ house, echoices } = await familyHouse('echoices'));
  });
  afterAll(() => house.close());

  const form = { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://echoices.example.org' };
  const post = (path: string, body: string): ReturnType<typeof raw> =>
    raw(house.issuer, { target: path, method: 'POST', headers: { ...form, 'sec-fetch-site': 'cross-site' }, body });

  it('to /authorize goes on as the same request, with the cookies that the form did not bring', async () => {
    const browser = await signInAnew(house, 'maria@example.org');
    const { url, checks } = await echoices.request();
    const answer = await post('/authorize', url.searchParams.toString());
    expect(answer.status).toBe(303);
    const back = await browser.get(new URL(answer.headers.location ?? '', house.issuer).href);
    const { authorizationCodeGrant } = await import('openid-client');
    const tokens = await authorizationCodeGrant(echoices.configuration, new URL(back.url), checks);
    expect(tokens.claims()?.sub).toEqual(expect.any(String));
  });

  it('to /sign-out asks the person as a GET does, and goes back with the state', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, 'maria@example.org');
    const tokens = await echoices.tokens(browser);
    const back = house.apps.get('echoices')?.post_logout_redirect_uris?.[0] ?? '';
    const asked = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: back, state: 'a b&c' };
    const answer = await post('/sign-out', new URLSearchParams(asked).toString());
    await browser.get(new URL(answer.headers.location ?? '', house.issuer).href);
    const page = await browser.submit({}, { button: 'logout=yes', follow: false });
    expect(page.headers.location).toBe(`${back}?state=a+b%26c`);
  });

  it('keeps what is wrong wrong: repeated parameters, a foreign address, a wall of text, no form', async () => {
    const { url } = await echoices.request();
    const twice = await post('/authorize', `${url.searchParams}&client_id=echoices`);
    expect((await openBrowser().get(new URL(twice.headers.location ?? '', house.issuer).href)).status).toBe(400);
    expect((await post('/authorize', `x=${'y'.repeat(9_000)}`)).status).toBe(413);
    expect((await post('/authorize', `x=${'y'.repeat(90_000)}`)).status).toBe(413);
    const answer = await raw(house.issuer, {
      target: '/sign-out',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"state":"x"}',
    });
    expect(answer.headers.location).toBe('/sign-out?');
  });
});
