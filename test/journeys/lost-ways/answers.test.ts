/*
 * a step is taken, and its answer lost on a bad network, or it was sent twice:
 * password chosen ─▶ again ─▶ "used already", sign in
 * sign-in         ─▶ the way back again ─▶ the app, which starts over
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elementary } from '../../provider/family.js';
import { openBrowser } from '../../support/browser.js';
import type { Browser } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { askToRegister, choosePassword, enterApp, linkIn, pressLink, register, signIn } from '../steps.js';
import { share } from './tabs.js';

const maria = 'maria@example.org';

describe('a step whose answer is lost', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
    await register(openBrowser(), house, maria);
  });
  afterAll(() => house.close());

  /** The same browser on the same page, of whose next answers this one hears nothing. */
  async function twin(browser: Browser): Promise<Browser> {
    const other = openBrowser();
    await share(browser, other, [house.issuer, `${house.issuer}/authorize`]);
    return other;
  }

  it.each(['/activate', '/recover/link'] as const)(
    'the password of %s: taken again, it says that the link is used and leads to the sign-in',
    async (kind) => {
      const email = kind === '/activate' ? 'pedro@example.org' : maria;
      const browser = openBrowser();
      if (kind === '/activate') await askToRegister(browser, house, email, '(213) 555-0122');
      else {
        await browser.get(`${house.issuer}/recover`);
        await browser.submit({ identifier: email });
      }
      const letter = await house.mailbox.waitFor(email, ({ text }) => text.includes(kind));
      const page = await pressLink(browser, linkIn(letter, kind));
      const other = await twin(browser);
      await other.get(page.url);
      await choosePassword(other);
      for (const again of [await choosePassword(browser), await browser.get(page.url)]) {
        expect(again.status).toBe(410);
        expect(again.title).toContain('already used');
        expect(again.$('main a[href="/sign-in"]')).not.toBeNull();
      }
    },
  );

  it('the way back from the sign-in: taken again, it leads to the app, which starts over', async () => {
    const browser = openBrowser();
    await enterApp(browser, house);
    const { headers } = await browser.submit(
      { identifier: maria, password: 'a long way to school' },
      { follow: false },
    );
    const back = headers.location ?? '';
    expect(back).toContain('/authorize/');
    await (await twin(browser)).get(back);
    const page = await browser.get(back);
    expect(page.title).toContain('Sign in to go on to eChoices');
    expect((await signIn(browser, maria)).text).toContain('Ana');
  });
});
