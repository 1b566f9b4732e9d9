/*
 * library computer: eChoices ─▶ register ─▶ waiting page ─────────────────────▶ stays what it was, signed in to nothing
 * phone:            mail ─▶ link ─▶ button ─▶ password ─▶ the app's own start address ─▶ terms ─▶ eChoices, signed in
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import {
  acceptTerms,
  askToRegister,
  choosePassword,
  enterApp,
  interactionOf,
  linkIn,
  pressLink,
  signIn,
} from '../steps.js';
import { elementary, secondary } from '../registration/fixture.js';

describe('the link is opened in another browser', () => {
  let house: TestHouse;
  const library = openBrowser();
  const phone = openBrowser({ userAgent: 'a phone' });
  beforeAll(async () => {
    house = await startTestHouse({ elementary, secondary, apps: twoApps });
  });
  afterAll(() => house.close());

  it('the browser with the link finishes there and goes on to the app by the app’s own address', async () => {
    const uid = interactionOf(await enterApp(library, house));
    await askToRegister(library, house, 'maria@example.org', undefined, uid);
    await pressLink(phone, linkIn(await house.mailbox.waitFor('maria@example.org'), '/activate'));
    await choosePassword(phone);
    const page = await acceptTerms(phone);
    expect(page.url.startsWith(house.running.get('echoices')?.url ?? '-')).toBe(true);
    expect(page.text).toContain('Ana');
    expect(phone.visited.some(({ url }) => url.includes(`${house.running.get('echoices')?.url}/login`))).toBe(true);
  });

  it('the browser that asked is signed in to nothing, and its waiting page reads as before', async () => {
    const waiting = await library.get(`${house.issuer}/register/sent`);
    const fresh = await openBrowser().get(`${house.issuer}/register/sent`);
    expect(waiting.text).toBe(fresh.text);
    expect((await enterApp(library, house)).url).toContain('/interaction/');
  });

  it('there the parent signs in with the password', async () => {
    const page = await signIn(library, 'maria@example.org');
    expect(page.text).toContain('Ana');
  });

  it('the used link says so and offers the way on, in any browser', async () => {
    const link = linkIn(
      await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/activate')),
      '/activate',
    );
    const page = await pressLink(openBrowser(), link);
    expect(page.status).toBe(410);
    expect(page.$$('a').map((anchor) => anchor.getAttribute('href'))).toEqual(expect.arrayContaining(['/sign-in']));
  });
});
