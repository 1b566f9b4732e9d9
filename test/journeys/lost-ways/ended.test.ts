/*
 * cookies off                 ─▶ every step: one sentence and a next step, never a loop
 * session ended               ─▶ the page at hand leads to the sign-in, and from there to the app
 * turned back, terms declined ─▶ access_denied at the app, with its state
 * unknown app                 ─▶ our page with a next step, nowhere else
 * signed in, or has an account, and asks to register or recover ─▶ one answer for all; nothing ends
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import type { Browser, Page } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestApp, TestHouse } from '../../support/house.js';
import { elementary } from '../../provider/family.js';
import { revoke } from '../../../src/sessions/revoke.js';
import {
  acceptTerms,
  askToRegister,
  choosePassword,
  enterApp,
  linkIn,
  password,
  pressLink,
  register,
  signIn,
} from '../steps.js';
import { forgetfulBrowser, problemsOf } from './tabs.js';

const maria = 'maria@example.org';
const vendor: TestApp = {
  registration: {
    client_id: 'homework',
    client_name: 'Homework Helper',
    scope: 'openid profile students offline_access',
    party: 'vendor',
    subject_type: 'pairwise',
    student_facts: ['name'],
  },
  run: true,
};

describe('a parent whose way ends', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: [...twoApps, vendor] });
    await register(openBrowser(), house, maria);
  });
  afterAll(() => house.close());

  const home = (app: string): string => house.running.get(app)?.url ?? '-';

  describe('in a browser that keeps no cookies', () => {
    const links = (page: Page): string[] => page.$$('main a[href]').map((link) => link.getAttribute('href') ?? '');

    it('gets a sentence and the way to the app where the sign-in page would be', async () => {
      const browser = forgetfulBrowser();
      const page = await enterApp(browser, house);
      expect(problemsOf(page)).toEqual([]);
      expect(page.status).toBe(400);
      expect(links(page).some((href) => href.startsWith(home('echoices')))).toBe(true);
    });

    it.each([
      '/',
      '/sign-in',
      '/register',
      '/register/sent',
      '/recover',
      '/recover/sent',
      '/activate?token=x',
      '/activate/password',
      '/recover/link?token=x',
      '/recover/password',
      '/confirm-email?token=x',
      '/password',
      '/help',
      '/language?locale=es',
    ])('finds a next step at %s', async (path) => {
      const page = await forgetfulBrowser().get(`${house.issuer}${path}`);
      expect(problemsOf(page)).toEqual([]);
    });

    it('asks to register as anybody, and is told at each further step how to go on', async () => {
      const browser = forgetfulBrowser();
      const waiting = await askToRegister(browser, house, 'pedro@example.org', '(213) 555-0122');
      expect(waiting.url).toContain('/register/sent');
      const letter = await house.mailbox.waitFor('pedro@example.org');
      expect(problemsOf(await browser.submit({ code: '123456' }))).toEqual([]);
      const pressed = await pressLink(browser, linkIn(letter, '/activate'));
      expect(problemsOf(pressed)).toEqual([]);
      expect(links(pressed)).toEqual(expect.arrayContaining(['/register', '/sign-in']));
    });

    it('keeps what it says when it presses a form of a page that needs a cookie', async () => {
      const browser = openBrowser();
      for (const open of [() => browser.get(`${house.issuer}/sign-in`), () => enterApp(browser, house)]) {
        await open();
        await browser.jar.removeAllCookies();
        expect(problemsOf(await signIn(browser, maria))).toEqual([]);
      }
    });
  });

  describe('whose session was ended while a page was open', () => {
    async function endSessions(): Promise<void> {
      const { id } = await house.db
        .selectFrom('accounts')
        .select('id')
        .where('email', '=', maria)
        .executeTakeFirstOrThrow();
      await house.db
        .transaction()
        .execute((trx) => revoke(trx, house.house.audit, () => new Date(), { account: id }, 'ended', 'operator'));
    }
    async function signedIn(): Promise<Browser> {
      const browser = openBrowser();
      await enterApp(browser, house);
      await signIn(browser, maria);
      return browser;
    }

    it('on the portal: it is the welcome page again', async () => {
      const browser = await signedIn();
      expect((await browser.get(`${house.issuer}/`)).text).toContain('Ana');
      await endSessions();
      const page = await browser.get(`${house.issuer}/`);
      expect(problemsOf(page)).toEqual([]);
      expect(page.text).not.toContain('Ana');
    });

    it('at the password: nothing is changed, and the sign-in is next', async () => {
      const browser = await signedIn();
      await browser.get(`${house.issuer}/password`);
      await endSessions();
      const page = await browser.submit({ current: password, password: 'quite another way home' });
      expect(page.url).toContain('/interaction/');
      expect((await signIn(browser, maria)).text).toContain('Ana');
    });

    it('at the terms: sign in again, then the app', async () => {
      await house.db.updateTable('accounts').set({ terms_version: null }).where('email', '=', maria).execute();
      const browser = await signedIn();
      expect(browser.page().$('button[value=accept]')).not.toBeNull();
      await endSessions();
      const page = await acceptTerms(browser);
      expect(problemsOf(page)).toEqual([]);
      expect(page.$('input[name=identifier]')).not.toBeNull();
      let last = await signIn(browser, maria);
      if (last.$('button[value=accept]') !== null) last = await acceptTerms(browser);
      expect(last.url).toBe(`${home('echoices')}/`);
      expect(last.text).toContain('Ana');
    });

    it('at a vendor’s question: nothing is given, and the sign-in is next', async () => {
      const browser = await signedIn();
      await enterApp(browser, house, 'homework');
      await endSessions();
      const page = await browser.submit({}, { form: 'form[action$="/consent"]' });
      expect(problemsOf(page)).toEqual([]);
      expect(page.$('input[name=identifier]')).not.toBeNull();
      await signIn(browser, maria);
      const last = await browser.submit({}, { form: 'form[action$="/consent"]' });
      expect(last.url).toBe(`${home('homework')}/`);
      expect(last.text).toContain('Ana');
    });

    it('and signs out then: no dead end', async () => {
      const browser = await signedIn();
      await browser.get(`${house.issuer}/`);
      await endSessions();
      const page = await browser.submit({}, { form: 'form[action="/leave"]' });
      expect(page.url).toBe(`${house.issuer}/signed-out`);
      expect(problemsOf(page)).toEqual([]);
    });
  });

  describe('who turns back', () => {
    const answerOf = (browser: Browser): URLSearchParams => {
      const back = browser.visited.findLast(({ url }) => url.startsWith(`${home('echoices')}/callback`));
      return new URL(back?.url ?? 'http://nowhere').searchParams;
    };

    it('at the sign-in: the app hears access_denied with its state', async () => {
      const browser = openBrowser();
      await enterApp(browser, house);
      const page = await browser.submit({}, { form: 'form[action$="/cancel"]' });
      expect(Object.fromEntries(answerOf(browser))).toMatchObject({
        error: 'access_denied',
        state: expect.any(String),
        iss: house.issuer,
      });
      expect(page.status).toBe(200);
      expect(problemsOf(page)).toEqual([]);
    });

    it('at the terms: the app hears the same, and the account is there for another time', async () => {
      await house.db.updateTable('accounts').set({ terms_version: null }).where('email', '=', maria).execute();
      const browser = openBrowser();
      await enterApp(browser, house);
      await signIn(browser, maria);
      await browser.submit({}, { button: 'decision=decline' });
      expect(answerOf(browser).get('error')).toBe('access_denied');
      expect((await browser.get(`${house.issuer}/`)).text).not.toContain('Ana');
      const again = await enterApp(browser, house);
      expect(again.$('button[value=accept]')).not.toBeNull();
      expect((await acceptTerms(browser)).text).toContain('Ana');
    });

    it('at the terms on the way to the portal: the start page, not a loop', async () => {
      await house.db.updateTable('accounts').set({ terms_version: null }).where('email', '=', maria).execute();
      const browser = openBrowser();
      await browser.get(`${house.issuer}/sign-in`);
      await signIn(browser, maria);
      const page = await browser.submit({}, { button: 'decision=decline' });
      expect(problemsOf(page)).toEqual([]);
      expect(new URL(page.url).pathname).toBe('/');
      await browser.get(`${house.issuer}/sign-in`);
      await acceptTerms(browser);
    });
  });

  it.each([
    ['an app that nobody registered', { client_id: 'nobody' }],
    ['an address that the app did not register', { redirect_uri: 'https://evil.example/callback' }],
    ['no app at all', { client_id: '' }],
  ])('who is sent by %s reads our page, with a next step, and is sent nowhere', async (_, change) => {
    const query = {
      client_id: 'echoices',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: `${home('echoices')}/callback`,
      ...change,
    };
    const browser = openBrowser();
    const page = await browser.get(`${house.issuer}/authorize?${new URLSearchParams(query)}`);
    expect(page.status).toBe(400);
    expect(problemsOf(page)).toEqual([]);
    expect(browser.visited).toHaveLength(1);
    expect(page.body).not.toContain('evil.example');
  });

  describe('who is signed in, or has an account, already', () => {
    it('may open the pages to register and to recover, gets the one answer, and stays signed in', async () => {
      const browser = openBrowser();
      await browser.get(`${house.issuer}/sign-in`);
      await signIn(browser, maria);
      const stranger = openBrowser();
      for (const [path, fields] of [
        ['/register', { email: maria, phone: '(213) 555-0100' }],
        ['/recover', { identifier: maria }],
      ] as const) {
        expect(problemsOf(await browser.get(`${house.issuer}${path}`))).toEqual([]);
        const page = await browser.submit({ ...fields });
        await stranger.get(`${house.issuer}${path}`);
        expect(page.text).toBe((await stranger.submit({ ...fields })).text);
      }
      expect((await browser.get(`${house.issuer}/`)).text).toContain('Ana');
    });

    it('hears by mail that the account is there, in place of a link', async () => {
      house.mailbox.clear();
      await house.db.deleteFrom('letters_sent').execute();
      await askToRegister(openBrowser(), house, maria);
      const letter = await house.mailbox.waitFor(maria, ({ text }) => !text.includes('/recover/link'));
      expect(letter.text).not.toContain('/activate');
      expect(letter.text).toContain(`${house.issuer}/sign-in`);
    });

    it('opens an old link, or a second one, and is shown the way to sign in', async () => {
      house.mailbox.clear();
      const phone = openBrowser();
      const laptop = openBrowser();
      const pedro = 'pedro@example.org';
      for (const browser of [phone, laptop]) {
        const before = house.mailbox.to(pedro).length;
        await askToRegister(browser, house, pedro, '(213) 555-0122');
        await house.mailbox.waitFor(pedro, () => house.mailbox.to(pedro).length > before);
      }
      const [first, second] = house.mailbox.to(pedro).map((letter) => linkIn(letter, '/activate'));
      await pressLink(phone, first ?? '');
      await choosePassword(phone);
      await acceptTerms(phone);
      for (const [browser, link] of [
        [phone, first],
        [phone, second],
        [laptop, second],
        [openBrowser(), first],
      ] as const) {
        const page = await pressLink(browser, link ?? '');
        expect(page.status).toBe(410);
        expect(problemsOf(page)).toEqual([]);
        await browser.click('a[href="/sign-in"]');
        expect(problemsOf(browser.page())).toEqual([]);
      }
      expect(await house.db.selectFrom('accounts').select('id').where('email', '=', pedro).execute()).toHaveLength(1);
    });
  });
});
