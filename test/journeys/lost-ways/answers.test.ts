/*
 * a step is taken, and its answer lost on a bad network, or it was sent twice:
 * password chosen ─▶ again ─▶ "used already", sign in; on a shared mailbox the recovery code, until its owner goes on
 * new address: answered ─▶ again ─▶ the app; confirmed ─▶ again ─▶ "changed"
 * sign-in         ─▶ the way back again ─▶ the app, which starts over
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { elementary } from '../../provider/family.js';
import { row } from '../../sis/extract.js';
import { openBrowser } from '../../support/browser.js';
import type { Browser, Page } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { acceptTerms, askToRegister, choosePassword, enterApp } from '../steps.js';
import { linkIn, pressLink, register, signIn } from '../steps.js';
import { share } from './tabs.js';

const maria = 'maria@example.org';
const shared = { email: 'casa@example.org', ed_rights: 'yes' };
const home = 'hogar@example.org';
const family = [
  ...elementary,
  row('Eva', 'Rosa', { ...shared, contact_id: 'E91', phone1: '(213) 555-0191' }),
  row('Eva', 'Pablo', { ...shared, contact_id: 'E92', phone1: '(213) 555-0192' }),
  row('Leo', 'Ana', { ...shared, email: 'ana@example.org', contact_id: 'E95', phone1: '(213) 555-0195' }),
  row('Ada', 'Ines', { ...shared, email: home, contact_id: 'E93', phone1: '(213) 555-0193' }),
  row('Ada', 'Tito', { ...shared, email: home, contact_id: 'E94', phone1: '(213) 555-0194' }),
];

describe('a step whose answer is lost', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary: family, apps: twoApps });
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

  it('the recovery code of a shared mailbox: it is shown again until its owner goes on, and works', async () => {
    const browser = openBrowser();
    await askToRegister(browser, house, shared.email, '(213) 555-0191');
    const link = linkIn(await house.mailbox.waitFor(shared.email), '/activate');
    const chosen = await pressLink(browser, link);
    const other = await twin(browser);
    await other.get(chosen.url);
    const codeOf = (page: Page): string | undefined => /[A-Z2-9]{4}(-[A-Z2-9]{4}){3}/.exec(page.text)?.[0];
    const code = codeOf(await choosePassword(other));
    expect(code).toEqual(expect.any(String));
    for (const again of [await choosePassword(browser), await browser.get(chosen.url)]) {
      expect([again.status, codeOf(again)]).toEqual([200, code]);
      expect(again.$('main a[href="/sign-in"]')).not.toBeNull();
    }
    // Whose answer came may load its page anew as well; who went on, or pressed no link here, is shown nothing.
    expect(codeOf(await other.get(chosen.url))).toBe(code);
    await other.get(`${house.issuer}/sign-in`);
    await browser.get(`${house.issuer}/sign-in`);
    await acceptTerms(other);
    await signIn(browser, shared.email);
    for (const gone of [other, browser, openBrowser()]) {
      expect(codeOf(await gone.get(chosen.url))).toBeUndefined();
    }
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: shared.email });
    const letter = await house.mailbox.waitFor(shared.email, ({ text }) => text.includes('/recover/link'));
    await pressLink(browser, linkIn(letter, '/recover/link'));
    expect((await choosePassword(browser, { recoveryCode: code ?? '' })).text).toContain('Eva');
  });

  it('nor is it lost to who presses twice: of two answers the later one, which the browser shows, has it too', async () => {
    const browser = openBrowser();
    await askToRegister(browser, house, home, '(213) 555-0193');
    const chosen = await pressLink(browser, linkIn(await house.mailbox.waitFor(home), '/activate'));
    const other = await twin(browser);
    await other.get(chosen.url);
    const pages = await Promise.all([browser, other].map(async (each) => choosePassword(each)));
    const codes = pages.map(({ text }) => /[A-Z2-9]{4}(-[A-Z2-9]{4}){3}/.exec(text)?.[0]);
    expect(codes).toEqual([expect.any(String), codes[0]]);
  });

  it('a new password of who is signed in: pressed twice, both answers say that it is changed', async () => {
    const [email, next] = ['ana@example.org', 'another long way to school'];
    const browser = openBrowser();
    await register(browser, house, email, '(213) 555-0195');
    const page = await browser.get(`${house.issuer}/password`);
    const other = await twin(browser);
    await other.get(page.url);
    // Not followed: these two do not share the new cookie, as tabs of one browser do.
    const answers = await Promise.all(
      [browser, other].map(async (each) =>
        each.submit({ current: 'a long way to school', password: next }, { follow: false }),
      ),
    );
    for (const { headers } of answers) expect(headers.location).toBe('/password/changed');
  });

  it('a new address: the question is not asked of who answered it, and who confirmed it hears so again', async () => {
    const wanted = 'maria.new@example.org';
    const changed = { email: wanted, last_modified: '2026-11-10T00:00:00Z' };
    await house.load(
      'elementary',
      family.map((each) => (each.email === maria ? { ...each, ...changed } : each)),
    );
    const browser = openBrowser();
    await enterApp(browser, house);
    const question = await signIn(browser, maria);
    expect(question.text).toContain(wanted);
    const other = await twin(browser);
    await other.get(question.url);
    await other.submit({}, { button: 'decision=use' });
    expect((await browser.get(question.url)).text).toContain('Ana');
    const letter = await house.mailbox.waitFor(wanted);
    const link = /https?:\S+confirm-email\S+/.exec(letter.text)?.[0] ?? '';
    for (const each of [await pressLink(browser, link), await pressLink(browser, link)]) {
      expect([each.status, each.text]).toEqual([200, expect.stringContaining(`sign in with ${wanted}`)]);
    }
    const stranger = await pressLink(openBrowser(), link);
    expect([stranger.status, stranger.text.includes(wanted)]).toEqual([410, false]);
    expect(stranger.title).toContain('already used');
  });
});
