import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askToRegister, linkIn, password, pressLink, register } from '../journeys/steps.js';
import { row } from '../sis/extract.js';
import { apps, elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { signInAnew } from '../support/family-house.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { raw } from './raw.js';
import type { RawAnswer } from './raw.js';

const maria = 'maria@example.org';
const pedro = 'pedro@example.org';
const carla = 'carla@example.org';
const diego = 'diego@example.org';
const typed = 'what was typed in the first tab';

/** Row 7: the first person's page stands open in one tab, and a second person goes on in another. */
describe('two people in two tabs of one browser', () => {
  let house: TestHouse;
  let homework: RelyingParty;
  beforeAll(async () => {
    house = await startTestHouse({
      elementary: [
        ...elementary,
        row('Elsa', 'Carla', { ed_rights: 'yes', contact_id: 'E3', email: carla, phone1: '(213) 555-0133' }),
        row('Omar', 'Diego', { ed_rights: 'yes', contact_id: 'E4', email: diego, phone1: '(213) 555-0144' }),
      ],
      apps,
    });
    homework = await relyingParty(house, 'homework');
    await register(openBrowser(), house, maria);
    await register(openBrowser(), house, pedro, '(213) 555-0122');
  });
  afterAll(async () => {
    await homework.close();
    await house.close();
  });

  const sees = async (browser: Browser, child: string): Promise<boolean> =>
    (await browser.get(`${house.issuer}/`)).text.includes(child);
  /** What a form of the page shown would send. */
  const fieldsOf = (browser: Browser, form: string): Record<string, string> =>
    Object.fromEntries(
      browser
        .page()
        .$$(`${form} input[type=hidden]`)
        .map((input) => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? '']),
    );
  /** Sends a form from another tab than the one shown. */
  async function fromOtherTab(browser: Browser, target: string, body: Record<string, string>): Promise<RawAnswer> {
    const cookie = await browser.jar.getCookieString(house.issuer);
    return raw(house.issuer, { target, body, headers: { origin: house.issuer, cookie } });
  }
  async function pressed(
    browser: Browser,
    who: string,
    path: '/recover/link' | '/activate',
    phone = '',
  ): Promise<void> {
    const letters = () => house.mailbox.to(who).filter(({ text }) => text.includes(path)).length;
    const before = letters();
    if (path === '/activate') await askToRegister(browser, house, who, phone);
    else {
      await browser.get(`${house.issuer}/recover`);
      await browser.submit({ identifier: who });
    }
    const letter = await house.mailbox.waitFor(who, ({ text }) => text.includes(path) && letters() > before);
    expect((await pressLink(browser, linkIn(letter, path))).$('[name=password]')).not.toBeNull();
  }
  /** On a page with sessions or permissions of Maria's: Pedro signs in in another tab. */
  async function pedroSignsIn(browser: Browser): Promise<void> {
    const { url } = await homework.request({ prompt: 'login' });
    await browser.get(url.href);
    await browser.submit({ identifier: pedro, password });
    expect(await sees(browser, 'Tomas')).toBe(true);
  }

  it('a password typed for the first one’s recovery is not the second one’s', async () => {
    const browser = openBrowser();
    await pressed(browser, maria, '/recover/link');
    const first = fieldsOf(browser, 'form[action="/recover/password"]');
    await pressed(browser, pedro, '/recover/link');
    expect((await fromOtherTab(browser, '/recover/password', { ...first, password: typed })).status).toBe(410);
    expect(await sees(await signInAnew(house, pedro, typed), 'Tomas')).toBe(false);
    expect(await sees(await signInAnew(house, pedro), 'Tomas')).toBe(true);
  });

  it('a password typed for the first one’s registration makes no account of the second one', async () => {
    const browser = openBrowser();
    await pressed(browser, carla, '/activate', '(213) 555-0133');
    const first = fieldsOf(browser, 'form[action="/activate/password"]');
    // The second one asked at home, and opens the letter here.
    const home = openBrowser();
    await askToRegister(home, house, diego, '(213) 555-0144');
    const letter = await house.mailbox.waitFor(diego, ({ text }) => text.includes('/activate'));
    await pressLink(browser, linkIn(letter, '/activate'));
    expect((await fromOtherTab(browser, '/activate/password', { ...first, password: typed })).status).toBe(410);
    const made = await house.db.selectFrom('accounts').select('id').where('email', '=', diego).execute();
    expect(made).toEqual([]);
  });

  it('"end all others" on the first one’s page does not end the second one’s sessions', async () => {
    const phone = await signInAnew(house, pedro);
    await signInAnew(house, maria);
    const browser = await signInAnew(house, maria);
    await browser.get(`${house.issuer}/devices`);
    const first = fieldsOf(browser, 'form:has(input[value=others])');
    await pedroSignsIn(browser);
    const answer = await fromOtherTab(browser, '/devices', first);
    // Nothing is said to be done.
    expect(answer.headers.location).toBe('/devices');
    expect(await sees(phone, 'Tomas')).toBe(true);
  });

  it('"stop sharing" on the first one’s page does not stop what the second one shares', async () => {
    const share = async (who: string): Promise<Browser> => {
      const browser = await signInAnew(house, who);
      const { url } = await homework.request();
      await browser.get(url.href);
      await browser.submit();
      return browser;
    };
    await share(pedro);
    const browser = await share(maria);
    await browser.get(`${house.issuer}/permissions`);
    const first = fieldsOf(browser, 'form[action="/permissions"]');
    expect(first['app']).toBe('homework');
    await pedroSignsIn(browser);
    expect((await fromOtherTab(browser, '/permissions', first)).headers.location).toBe('/permissions');
    expect((await browser.get(`${house.issuer}/permissions`)).text).toContain('Homework Helper');
  });
});
