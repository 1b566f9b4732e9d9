import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { startReceiver } from '../support/receiver.js';
import type { Receiver } from '../support/receiver.js';
import { register, signIn } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { relyingParty } from '../support/relying-party.js';

describe('a house that is about to close', () => {
  let receiver: Receiver;
  let house: TestHouse;
  beforeAll(async () => {
    receiver = await startReceiver();
    house = await startTestHouse({
      elementary,
      apps: [
        { registration: { client_id: 'echoices', scope: 'openid profile', backchannel_logout_uri: receiver.address } },
      ],
    });
    await register(openBrowser(), house, 'maria@example.org');
  });
  afterAll(async () => {
    await house.close();
    await receiver.close();
  });

  it('still tells the apps of who signs out', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, 'maria@example.org');
    const app = await relyingParty(house, 'echoices');
    await app.tokens(browser);
    await app.close();
    await browser.get(`${house.issuer}/`);
    const closed = house.house.close(3);
    expect((await fetch(`${house.issuer}/readyz`)).status).toBe(503);
    const left = await browser.submit({}, { form: 'header form', follow: false });
    expect(left.headers.location).toBe('/signed-out');
    await closed;
    expect(receiver.tokens).toHaveLength(1);
  });
});
