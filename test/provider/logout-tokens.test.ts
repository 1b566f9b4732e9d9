import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { register, signIn } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { startReceiver } from '../support/receiver.js';
import type { Receiver } from '../support/receiver.js';
import { relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { apps, elementary } from './family.js';

const event = 'http://schemas.openid.net/event/backchannel-logout';

describe('the logout tokens of a sign-out', () => {
  let house: TestHouse;
  const receivers = new Map<string, Receiver>();
  const parties = new Map<string, RelyingParty>();
  beforeAll(async () => {
    const told = [];
    for (const app of apps.filter(({ registration }) =>
      ['echoices', 'bulletin', 'homework'].includes(registration.client_id),
    )) {
      const receiver = await startReceiver();
      receivers.set(app.registration.client_id, receiver);
      told.push({
        registration: {
          ...app.registration,
          backchannel_logout_uri: receiver.address,
          ...(app.registration.client_id === 'bulletin' ? { id_token_signed_response_alg: 'RS256' as const } : {}),
        },
      });
    }
    house = await startTestHouse({ elementary, apps: told });
    for (const name of receivers.keys()) parties.set(name, await relyingParty(house, name));
    await register(openBrowser(), house, 'maria@example.org');
  });
  afterAll(async () => {
    for (const party of parties.values()) await party.close();
    for (const receiver of receivers.values()) await receiver.close();
    await house.close();
  });

  async function idTokens(browser: Browser): Promise<Map<string, ReturnType<typeof decodeJwt>>> {
    const found = new Map<string, ReturnType<typeof decodeJwt>>();
    for (const [name, party] of parties) {
      // A vendor asks first, once.
      const { url, checks } = await party.request();
      let page = await browser.get(url.href);
      if (page.$('form[action$="/consent"]') !== null)
        page = await browser.submit({}, { form: 'form[action$="/consent"]' });
      const { authorizationCodeGrant } = await import('openid-client');
      const tokens = await authorizationCodeGrant(party.configuration, new URL(page.url), checks);
      found.set(name, decodeJwt(tokens.id_token ?? ''));
    }
    return found;
  }

  it('hold what the specification asks: typ, our keys, this app, the sub and sid it knows, the event, no nonce, two minutes', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, 'maria@example.org');
    const known = await idTokens(browser);
    await browser.get(`${house.issuer}/`);
    await browser.submit({}, { form: 'header form' });
    const keys = createRemoteJWKSet(new URL(`${house.issuer}/jwks`));
    const subjects = new Set<unknown>();
    for (const [name, receiver] of receivers) {
      const [token = ''] = await eventually(
        () => receiver.tokens,
        (all) => all.length > 0,
      );
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: house.issuer,
        audience: name,
        typ: 'logout+jwt',
      });
      expect(protectedHeader.alg).toBe(name === 'bulletin' ? 'RS256' : 'ES256');
      expect(payload).toEqual({
        iss: house.issuer,
        aud: name,
        sub: known.get(name)?.sub,
        sid: known.get(name)?.['sid'],
        events: { [event]: {} },
        jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
        iat: expect.any(Number),
        exp: (payload.iat ?? 0) + 120,
      });
      subjects.add(payload.sub);
    }
    // The vendor's sub is its own.
    expect(subjects.size).toBe(2);
  });

  it('an app that refuses at once, hangs up, or is a wall of bytes, disturbs neither the person nor the house', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, 'maria@example.org');
    await idTokens(browser);
    await receivers.get('echoices')?.close();
    const bulletin = receivers.get('bulletin');
    const homework = receivers.get('homework');
    if (bulletin === undefined || homework === undefined) throw new Error('no receivers');
    bulletin.answer = (response) => response.socket?.destroy();
    homework.answer = (response) => {
      response.writeHead(400);
      const more = (): void => void (response.destroyed || (response.write('x'.repeat(65_536)), setImmediate(more)));
      more();
    };
    await browser.get(`${house.issuer}/`);
    const page = await browser.submit({}, { form: 'header form' });
    expect(page.title).toContain('You are signed out');
    const states = await eventually(
      () =>
        house.db
          .selectFrom('deliveries')
          .select(['client_id', 'state', 'tries'])
          .where('state', '<>', 'confirmed')
          .execute(),
      (rows) => rows.every(({ tries }) => tries > 0) && rows.some(({ state }) => state === 'refused'),
    );
    expect(states.map(({ client_id: id, state }) => `${id} ${state}`).toSorted()).toEqual([
      'bulletin waiting',
      'echoices waiting',
      'homework refused',
    ]);
    expect((await fetch(`${house.issuer}/readyz`)).status).toBe(200);
    expect((await browser.get(`${house.issuer}/signed-out`)).text).toContain('Homework Helper: did not confirm');
  });
});
