/*
 * portal ─▶ Change my password ─ old + new ─▶ done; this session goes on
 *                                            ├▶ every other session and its refresh tokens end
 *                                            └▶ a letter tells the owner
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as client from 'openid-client';
import { apps, elementary } from '../../provider/family.js';
import { openBrowser } from '../../support/browser.js';
import { startTestHouse } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { relyingParty } from '../../support/relying-party.js';
import type { RelyingParty } from '../../support/relying-party.js';
import { password, register, signIn } from '../steps.js';

describe('a parent changes the password', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  const laptop = openBrowser();
  const phone = openBrowser();
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps });
    echoices = await relyingParty(house, 'echoices');
    await register(laptop, house, 'maria@example.org');
    await phone.get(`${house.issuer}/sign-in`);
    await signIn(phone, 'maria@example.org');
  });
  afterAll(async () => {
    await echoices.close();
    await house.close();
  });

  it('only with the old one, and by the rules', async () => {
    await laptop.get(`${house.issuer}/password`);
    expect(
      (await laptop.submit({ current: 'not my password at all', password: 'an even longer way home' })).status,
    ).toBe(422);
    expect((await laptop.submit({ current: password, password: 'short' })).status).toBe(422);
    expect((await openBrowser().get(`${house.issuer}/password`)).url).toContain('/interaction/');
  });

  it('ends every other session and refresh token, keeps this one, and tells the owner', async () => {
    const elsewhere = await echoices.tokens(phone);
    const here = await echoices.tokens(laptop);
    await laptop.get(`${house.issuer}/password`);
    expect((await laptop.submit({ current: password, password: 'an even longer way home' })).status).toBe(200);
    await expect(client.refreshTokenGrant(echoices.configuration, elsewhere.refresh_token ?? '')).rejects.toMatchObject(
      { error: 'invalid_grant' },
    );
    await client.refreshTokenGrant(echoices.configuration, here.refresh_token ?? '');
    expect((await phone.get(`${house.issuer}/`)).text).not.toContain('Ana');
    expect((await laptop.get(`${house.issuer}/`)).text).toContain('Ana');
    const { text } = await house.mailbox.waitFor('maria@example.org', (letter) => !letter.text.includes('/activate'));
    expect(text).toContain(`${house.issuer}/recover`);
  });
});
