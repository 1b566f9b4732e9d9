import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { password, register } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

describe('the choice of a language', () => {
  let house: TestHouse;
  let browser: Browser;
  beforeAll(async () => {
    house = await startTestHouse({ elementary });
    await register(openBrowser(), house, 'maria@example.org');
    browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: 'maria@example.org', password });
  });
  afterAll(() => house.close());

  const kept = async (): Promise<string> =>
    (await house.db.selectFrom('accounts').select('locale').executeTakeFirstOrThrow()).locale;

  it.each(['cross-site', 'same-site', 'none', ''])(
    'by a link from elsewhere (%s) is not the account’s',
    async (site) => {
      const cookies = Object.entries(await browser.cookies(house.issuer)).map(([name, value]) => `${name}=${value}`);
      const answer = await fetch(`${house.issuer}/language?locale=es&return=/help`, {
        redirect: 'manual',
        headers: { cookie: cookies.join('; '), ...(site === '' ? {} : { 'sec-fetch-site': site }) },
      });
      expect(answer.headers.get('location')).toBe('/help');
      expect(await kept()).toBe('en');
    },
  );

  it('on our own page is the account’s', async () => {
    await browser.get(`${house.issuer}/`);
    await browser.click('Español');
    expect(await kept()).toBe('es');
  });
});
