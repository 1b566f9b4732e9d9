/*
 * Every way in which a sign-in ends, and two apps of different make that lose their own sessions by it: a page behind Apache with
 * mod_auth_openidc, and an Express app with express-openid-connect, both as their makers ship them, one browser signed in to both.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { administer } from '../../src/desk/administration.js';
import { keysCommand } from '../../src/desk/keys.js';
import { listKeys } from '../../src/keys/states.js';
import { syncClients } from '../../src/provider/client-registry.js';
import { expireSessions } from '../../src/sessions/expire.js';
import { linkIn, password, pressLink, register, signIn } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { apacheIsHere } from '../support/apache.js';
import type { Apache } from '../support/apache.js';
import { openBrowser } from '../support/browser.js';
import type { Browser, Page } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import type { ExpressApp } from '../support/express-app.js';
import type { TestHouse } from '../support/house.js';
import { startTwoApps } from './two-apps.js';

const [ana, ...others] = elementary;
const maria = 'maria@example.org';
const pedro = 'pedro@example.org';

const signInAnew = (issuer: string): string =>
  `/authorize?client_id=parent-access-portal&response_type=none&scope=openid&prompt=login&redirect_uri=${issuer}/signed-in`;
// The packages are a matter of the machine; where checks count, `.ci/run` installs them and lets nothing be skipped.
const suite = apacheIsHere() ? describe : describe.skip;

suite('two apps of different make lose their sessions', () => {
  let house: TestHouse;
  let apache: Apache;
  let tutoring: ExpressApp;
  let secret = password;
  let ahead = 0;
  const clock = (): Date => new Date(Date.now() + ahead * 1000);
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ house, apache, tutoring, close } = await startTwoApps());
    await register(openBrowser(), house, maria);
    await register(openBrowser(), house, pedro, '(213) 555-0122');
  });
  afterAll(() => close());

  /** What each app itself says of this browser, not following where it would send it to sign in. */
  async function isIn(browser: Browser): Promise<{ library: boolean; tutoring: boolean }> {
    const library = await browser.get(`${apache.home}children.html`, { follow: false });
    const express = await browser.get(`${tutoring.home}children`, { follow: false });
    return { library: library.status === 200, tutoring: express.status === 200 };
  }
  const both = { library: true, tutoring: true };
  const neither = { library: false, tutoring: false };

  /** A browser that is signed in to the house, and to both apps. */
  async function signedIn(device = 'own', identifier = maria): Promise<Browser> {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier, password: secret, device });
    await openApps(browser);
    return browser;
  }
  async function openApps(browser: Browser): Promise<void> {
    await browser.get(`${apache.home}children.html`);
    await browser.get(`${tutoring.home}login`);
    expect(await isIn(browser)).toEqual(both);
  }
  const expectEnded = async (browser: Browser): Promise<void> =>
    expect(
      await eventually(
        () => isIn(browser),
        (app) => !app.library && !app.tutoring,
      ),
    ).toEqual(neither);
  const homeOf = (browser: Browser): Promise<Page> => browser.get(`${house.issuer}/`);
  const administered = (name: string, asked: object): Promise<unknown> =>
    administer({ db: house.db, clock, audit: house.house.audit }, name, asked);
  const advance = (seconds: number): void => {
    house.advance(seconds);
    ahead += seconds;
  };

  it('by the button of the portal, which says that both confirmed', async () => {
    const browser = await signedIn();
    await homeOf(browser);
    await browser.submit({}, { form: 'header form' });
    await expectEnded(browser);
    const page = await browser.get(`${house.issuer}/signed-out`);
    expect(page.text).toContain('2 of 2 apps confirmed');
    expect(page.text).toContain('library: signed out');
  });

  it('by the sign-out of either app', async () => {
    for (const address of [
      `${apache.home}callback?${new URLSearchParams({ logout: apache.home })}`,
      `${tutoring.home}logout`,
    ]) {
      const browser = await signedIn();
      await browser.get(address);
      await browser.submit({}, { button: 'logout=yes' });
      await expectEnded(browser);
    }
  });

  it('by "I am done" on a shared computer; only how many apps there were is said', async () => {
    const browser = await signedIn('shared');
    await homeOf(browser);
    await browser.submit({}, { form: 'form[action="/done"]' });
    const said = browser.page().url;
    await expectEnded(browser);
    const page = await browser.get(said);
    expect(page.text).toContain('2 of 2 apps confirmed');
    expect(page.text).not.toContain('library');
  });

  it('from another device, one session or all others; what the apps confirmed is told there', async () => {
    for (const which of ['one', 'others']) {
      const phone = await signedIn();
      const laptop = openBrowser();
      await laptop.get(`${house.issuer}/sign-in`);
      await signIn(laptop, maria, secret);
      const page = await laptop.get(`${house.issuer}/devices`);
      const buttons = page.$$('input[name=session]').map((input) => input.getAttribute('value') ?? '');
      const uid = buttons[1] ?? '';
      await laptop.submit({}, { form: `form:has(input[value="${which === 'one' ? uid : 'others'}"])` });
      await expectEnded(phone);
      const told = await laptop.get(`${house.issuer}/devices`);
      expect(told.$(`#said-${uid}`)?.text).toContain('2 of 2 apps confirmed');
      expect((await homeOf(laptop)).text).toContain('Ana');
      await laptop.get(`${house.issuer}/devices`);
      await laptop.submit({}, { form: `form:has(input[value="${buttons[0]}"])` });
    }
  });

  it('everywhere at once', async () => {
    const phone = await signedIn();
    const laptop = await signedIn();
    await laptop.get(`${house.issuer}/devices`);
    await laptop.submit({}, { form: 'form:has(input[value="all"])' });
    expect(laptop.page().url).toBe(`${house.issuer}/signed-out`);
    await expectEnded(phone);
    await expectEnded(laptop);
    expect((await laptop.get(`${house.issuer}/signed-out`)).text).toContain('4 of 4 apps confirmed');
  });

  it('when somebody else signs in on the browser', async () => {
    const browser = await signedIn();
    await browser.get(`${house.issuer}${signInAnew(house.issuer)}`);
    await browser.submit({ identifier: pedro, password });
    await expectEnded(browser);
    // Nothing of the first person's sign-out is shown to the second.
    await homeOf(browser);
    await browser.submit({}, { form: 'header form' });
    expect(browser.page().text).not.toContain('library');
  });

  it('by a new password, chosen elsewhere', async () => {
    const browser = await signedIn();
    const laptop = openBrowser();
    await laptop.get(`${house.issuer}/sign-in`);
    await signIn(laptop, maria, secret);
    await laptop.get(`${house.issuer}/password`);
    const next = 'an even longer way home';
    expect((await laptop.submit({ current: secret, password: next })).status).toBe(200);
    secret = next;
    await expectEnded(browser);
    expect((await homeOf(laptop)).text).toContain('Ana');
  });

  it('by a recovery', async () => {
    const browser = await signedIn();
    const laptop = openBrowser();
    await laptop.get(`${house.issuer}/recover`);
    await laptop.submit({ identifier: maria });
    const letter = await house.mailbox.waitFor(maria, ({ text }) => text.includes('/recover/link'));
    await pressLink(laptop, linkIn(letter, '/recover/link'));
    secret = 'quite another way to walk';
    await laptop.submit({ password: secret });
    await expectEnded(browser);
  });

  it('by an operator: the session, the account, or one app', async () => {
    const browser = await signedIn();
    const { id } = await house.db
      .selectFrom('accounts')
      .select('id')
      .where('email', '=', maria)
      .executeTakeFirstOrThrow();
    const listed = (await administered('sessions list', { account: maria })) as Array<{ uid: string; apps: object[] }>;
    const here = listed.find(({ apps }) => apps.length === 2);
    await administered('sessions revoke', { session: here?.uid });
    await expectEnded(browser);

    const again = await signedIn();
    await administered('sessions revoke', { account: id });
    await expectEnded(again);

    const third = await signedIn();
    await administered('sessions revoke', { client: 'library' });
    expect(
      await eventually(
        () => isIn(third),
        ({ library }) => !library,
      ),
    ).toEqual({ library: false, tutoring: true });
    await administered('sessions revoke', { client: 'tutoring' });
    await expectEnded(third);
    expect((await homeOf(third)).text).toContain('Ana');
  });

  it('by a suspension and by a closing; a reopened account begins anew', async () => {
    for (const verb of ['suspend', 'close']) {
      const browser = await signedIn();
      await administered(`accounts ${verb}`, { account: maria, reason: 'court order' });
      await expectEnded(browser);
      const page = await browser.get(`${apache.home}children.html`);
      expect(page.url.startsWith(house.issuer)).toBe(true);
      expect((await signIn(browser, maria, secret)).text).toContain('This account is stopped');
      await administered('accounts reopen', { account: maria, reason: 'order lifted' });
    }
    await signedIn();
  });

  it('by a restriction; the parent stays signed in, and the apps are entered again with the children that are left', async () => {
    const browser = await signedIn();
    await house.load('elementary', [{ ...ana, restricted: 'yes', restriction_type: 'custody' }, ...others]);
    await expectEnded(browser);
    const page = await homeOf(browser);
    expect(page.text).toContain('Beto');
    expect(page.text).not.toContain('Ana');
    await openApps(browser);
    expect((await browser.get(`${apache.home}children.html`)).text).not.toContain('Ana');
    await house.load('elementary', [{ ...ana, restricted: 'no' }, ...others]);
  });

  it('not by a relationship that ended: nobody is signed out, and the child is gone', async () => {
    const browser = await signedIn();
    await house.load('elementary', [{ ...ana, ed_rights: 'no' }, ...others]);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await isIn(browser)).toEqual(both);
    expect((await homeOf(browser)).text).not.toContain('Ana');
    await house.load('elementary', elementary);
  });

  it.each([
    ['after twelve hours', 'own', 12 * 3_600 + 60],
    ['kept, after fourteen idle days', 'kept', 14 * 86_400 + 60],
    ['on a shared computer, after fifteen idle minutes', 'shared', 15 * 60 + 60],
  ])('by itself %s', async (_name, device, seconds) => {
    const browser = await signedIn(device);
    advance(seconds);
    expect(await expireSessions(house.db, house.house.audit, clock)).toBeGreaterThan(0);
    await expectEnded(browser);
  });

  it.each(['sig', 'cookie'] as const)('when a stolen key is revoked: one of use %s', async (use) => {
    const browser = await signedIn();
    const signing = (await listKeys(house.db)).filter((key) => key.use === use && key.state === 'current');
    expect(signing.length).toBeGreaterThan(0);
    for (const { kid } of signing) await keysCommand(house.desk, ['revoke', kid, '--yes']);
    await expectEnded(browser);
    expect((await homeOf(browser)).text).not.toContain('Ana');
    // Nobody is locked out: both are entered again, by what the next keys sign.
    await signedIn();
  });

  it('when the app is taken out of the file: it is told at the address it had', async () => {
    const browser = await signedIn();
    const apps = [...house.apps.values()];
    await syncClients(house.db, apps.slice(1), clock, house.house.audit);
    expect(
      await eventually(
        () => isIn(browser),
        ({ library }) => !library,
      ),
    ).toEqual({ library: false, tutoring: true });
    await syncClients(house.db, [], clock, house.house.audit);
    await expectEnded(browser);
    await syncClients(house.db, apps, clock, house.house.audit);
  });
});
