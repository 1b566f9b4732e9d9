/*
 * a sign-in page that lost its way ─┬ this browser held it ──────────────▶ starts over from the stored parameters
 *                                   ├ this browser is signed in already ──▶ straight on to the app
 *                                   ├ this browser has just registered ───▶ the app's own start address
 *                                   └ anything else ──▶ one sentence, and a link to the app's own start address
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import type { Browser, Page } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { row } from '../../sis/extract.js';
import { enterApp, interactionOf, password, register, signIn } from '../steps.js';

const rights = { ed_rights: 'yes' };
const elementary = [
  row('Ana', 'Maria', { ...rights, contact_id: 'E1' }),
  row('Tomas', 'Pedro', { ...rights, contact_id: 'E2', phone1: '(213) 555-0122' }),
];

describe('a way that was lost leads back', () => {
  let house: TestHouse;
  let app = '';
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
    app = house.running.get('echoices')?.url ?? '';
    await register(openBrowser(), house, 'maria@example.org');
  });
  afterAll(() => house.close());

  /** One sentence of ours with the way to the app; no stack, no redirect, no form. */
  function expectWayToApp(page: Page): void {
    expect(page.status).toBe(400);
    expect(page.$$('main a').some((link) => link.getAttribute('href')?.startsWith(`${app}/login`) === true)).toBe(true);
    expect(page.text).not.toMatch(/at .*\.[jt]s|Error:|SessionNotFound/);
  }

  async function twoTabs(): Promise<{ browser: Browser; first: string; second: string }> {
    const browser = openBrowser();
    const first = (await enterApp(browser, house)).url;
    const second = (await enterApp(browser, house)).url;
    return { browser, first, second };
  }

  it('two tabs: after the sign-in in one, the other goes on to the app when it is loaded again', async () => {
    const { browser, first, second } = await twoTabs();
    await browser.get(first);
    await signIn(browser, 'maria@example.org');
    const page = await browser.get(second);
    expect(page.url.startsWith(app)).toBe(true);
    expect(page.text).toContain('Ana');
  });

  it('two tabs: the form of the second still works after the sign-in in the first', async () => {
    const { browser, first, second } = await twoTabs();
    await browser.get(first);
    await browser.get(second);
    const form = browser.page();
    await browser.get(first);
    await signIn(browser, 'maria@example.org');
    // The page of the second tab stands open as it was; its form is sent now.
    const action = form.$('form[action$="/login"]')?.getAttribute('action') ?? '';
    expect(action).toContain(interactionOf(form));
    await browser.get(`${house.issuer}${new URL(second).pathname}`);
    expect(browser.page().url.startsWith(app)).toBe(true);
  });

  it('back after finishing: the old page leads on, and nothing is signed in twice', async () => {
    const browser = openBrowser();
    const { url } = await enterApp(browser, house);
    await signIn(browser, 'maria@example.org');
    const page = await browser.get(url);
    expect(page.url.startsWith(app)).toBe(true);
    expect(page.text).toContain('Ana');
  });

  it('an hour later: the page starts over where the browser still knows it', async () => {
    const browser = openBrowser();
    const page = await enterApp(browser, house);
    const uid = interactionOf(page);
    await house.db
      .updateTable('artifacts')
      .set({ payload: JSON.stringify({ ...(await payload(uid)), exp: 1 }) })
      .where('id_hash', '=', uid)
      .execute();
    const late = await browser.submit({ identifier: 'maria@example.org', password });
    expect(late.$('input[name=password]')).not.toBeNull();
    expect(interactionOf(late)).not.toBe(uid);
    expect((await signIn(browser, 'maria@example.org')).text).toContain('Ana');
  });

  async function payload(uid: string): Promise<Record<string, unknown>> {
    const found = await house.db
      .selectFrom('artifacts')
      .select('payload')
      .where('id_hash', '=', uid)
      .executeTakeFirstOrThrow();
    return found.payload;
  }

  it('another browser’s page, or one whose cookies are gone: one sentence and the way to the app', async () => {
    const page = await enterApp(openBrowser(), house);
    const stranger = openBrowser();
    expectWayToApp(await stranger.get(page.url));
    expectWayToApp(await stranger.get(`${house.issuer}/authorize/${interactionOf(page)}`));
  });

  it('an interaction that nobody knows: one sentence and a way on', async () => {
    const page = await openBrowser().get(`${house.issuer}/interaction/nobody-knows-this-one`);
    expect(page.status).toBe(400);
    expect(page.$$('main a').length).toBeGreaterThan(0);
  });

  it('cookies off: no loop and no fault, on any page', async () => {
    const off = openBrowser();
    const page = await enterApp(off, house);
    await off.jar.removeAllCookies();
    const sent = await off.submit({ identifier: 'maria@example.org', password });
    expectWayToApp(sent);
    await off.get(`${house.issuer}/register`);
    await off.jar.removeAllCookies();
    await off.submit({ email: 'maria@example.org', phone: '(213) 555-0100' });
    await off.jar.removeAllCookies();
    expect((await off.submit({ code: '123456' })).status).toBe(422);
    expect((await off.get(`${house.issuer}/activate/password`)).status).toBe(410);
    expect((await off.get(`${house.issuer}/recover/password`)).status).toBe(410);
    expect(page.status).toBe(200);
  });

  it('a session that is revoked while a page is open: the next step asks to sign in again', async () => {
    const browser = openBrowser();
    await enterApp(browser, house);
    await signIn(browser, 'maria@example.org');
    await browser.get(`${house.issuer}/password`);
    const { id } = await house.db
      .selectFrom('accounts')
      .select('id')
      .where('email', '=', 'maria@example.org')
      .executeTakeFirstOrThrow();
    await house.db.updateTable('sessions').set({ revoked_at: new Date() }).where('account_id', '=', id).execute();
    const page = await browser.submit({ current: password, password: 'an even longer way home' });
    expect(page.$('input[name=identifier]')).not.toBeNull();
  });

  it('terms that are declined: a proper error at the app, and the start page instead of the children', async () => {
    const browser = openBrowser();
    await house.db
      .updateTable('accounts')
      .set({ terms_version: 'an earlier one' })
      .where('email', '=', 'maria@example.org')
      .execute();
    await enterApp(browser, house);
    const terms = await signIn(browser, 'maria@example.org');
    expect(terms.$('button[value=decline]')).not.toBeNull();
    const page = await browser.submit({}, { button: 'decision=decline' });
    expect(page.url.startsWith(`${app}/callback?error=access_denied`)).toBe(true);
    expect((await browser.get(`${house.issuer}/`)).text).not.toContain('Ana');
    await enterApp(browser, house);
    expect((await browser.submit({}, { button: 'decision=accept' })).text).toContain('Ana');
  });

  it('somebody who is signed in may still look at the pages to register and recover', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, 'maria@example.org');
    for (const path of ['/register', '/recover', '/register/sent', '/recover/sent', '/help', '/terms']) {
      expect((await browser.get(house.issuer + path)).status).toBe(200);
    }
  });
});
