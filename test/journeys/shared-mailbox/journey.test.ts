/*
 * one mailbox, two people (two names, two phones)
 *    first  ─▶ registers, signs in by e-mail, keeps a recovery code
 *    second ─▶ registers, chooses a sign-in name, keeps a recovery code
 * each sees only the own children; recovery asks for the code; email_verified is false
 * one mailbox AND one phone, two people ─▶ in person
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import type { Browser } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { row } from '../../sis/extract.js';
import { acceptTerms, askToRegister, choosePassword, enterApp, linkIn, password, pressLink, signIn } from '../steps.js';

const rights = { ed_rights: 'yes' };
const shared = 'casa@example.org';
const elementary = [
  row('Ana', 'Maria', { ...rights, contact_id: 'E1', email: shared, phone1: '(213) 555-0101' }),
  row('Luis', 'Rosa', { ...rights, contact_id: 'E2', email: shared, phone1: '(213) 555-0102' }),
  row('Eva', 'Paula', { ...rights, contact_id: 'E3', email: 'dos@example.org', phone1: '(213) 555-0103' }),
  row('Eva', 'Pablo', { ...rights, contact_id: 'E4', email: 'dos@example.org', phone1: '(213) 555-0103' }),
];

describe('two people on one mailbox', () => {
  let house: TestHouse;
  const maria = openBrowser();
  const rosa = openBrowser();
  const codes: Record<string, string> = {};
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
  });
  afterAll(() => house.close());

  async function keptCode(browser: Browser): Promise<string> {
    const found = /[A-Z2-9]{4}(-[A-Z2-9]{4}){3}/.exec(browser.page().text)?.[0];
    if (found === undefined) throw new Error(`no recovery code in: ${browser.page().text}`);
    return found;
  }

  async function activationOf(browser: Browser, phone: string): Promise<void> {
    const before = house.mailbox.to(shared).length;
    await askToRegister(browser, house, shared, phone);
    const letter = await house.mailbox.waitFor(
      shared,
      ({ text }) => text.includes('/activate') && house.mailbox.to(shared).length > before,
    );
    await pressLink(browser, linkIn(letter, '/activate'));
  }

  it('the first keeps signing in by e-mail and is shown a recovery code once', async () => {
    await activationOf(maria, '(213) 555-0101');
    expect(maria.page().$('input[name=signInName]')).toBeNull();
    await choosePassword(maria);
    codes['maria'] = await keptCode(maria);
    await maria.click('a[href="/sign-in"]');
    expect((await acceptTerms(maria)).text).toContain('Ana');
  });

  it('the second chooses a sign-in name; taken and unsuitable read alike', async () => {
    await activationOf(rosa, '(213) 555-0102');
    const messages = [];
    for (const signInName of ['ab', 'rosa@example.org', 'Rosa Lopez!']) {
      const page = await choosePassword(rosa, { signInName });
      expect(page.status).toBe(422);
      messages.push(page.$('main')?.text.includes('Error') === true ? page.title : page.text);
    }
    expect(new Set(messages).size).toBe(1);
    await choosePassword(rosa, { signInName: 'Rosa.Lopez' });
    codes['rosa'] = await keptCode(rosa);
    await rosa.click('a[href="/sign-in"]');
    const portal = await acceptTerms(rosa);
    expect(portal.text).toContain('Luis');
    expect(portal.text).not.toContain('Ana');
  });

  it('e-mail leads to the first, the name to the second', async () => {
    const one = openBrowser();
    await enterApp(one, house);
    expect((await signIn(one, shared)).text).toContain('Ana');
    const two = openBrowser();
    await enterApp(two, house);
    const page = await signIn(two, 'ROSA.lopez');
    expect(page.text).toContain('Luis');
    expect(page.text).not.toContain('Ana');
  });

  it('recovery of the second needs the name, the mailed link and the code', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: 'rosa.lopez' });
    const letter = await house.mailbox.waitFor(shared, ({ text }) => text.includes('/recover/link'));
    await pressLink(browser, linkIn(letter, '/recover/link'));
    const refused = await browser.submit({ password: 'another long password', recoveryCode: codes['maria'] ?? '' });
    expect(refused.status).toBe(422);
    await browser.submit({ password: 'another long password', recoveryCode: codes['rosa']?.toLowerCase() ?? '' });
    expect(browser.page().text).toContain('Luis');
    const old = openBrowser();
    await enterApp(old, house);
    expect((await signIn(old, 'rosa.lopez', password)).status).toBe(422);
  });

  it('the second signs in and recovers by an address of her own once it is confirmed, as she is told', async () => {
    const own = 'rosa@example.org';
    await house.load('elementary', [
      ...elementary.filter((each) => each.contact_id !== 'E2'),
      ...elementary
        .filter((each) => each.contact_id === 'E2')
        .map((each) => ({ ...each, email: own, last_modified: '2026-11-24T00:00:00Z' })),
    ]);
    const browser = openBrowser();
    await enterApp(browser, house);
    await signIn(browser, 'rosa.lopez', 'another long password');
    await browser.submit({}, { button: 'decision=use' });
    const letter = await house.mailbox.waitFor(own);
    const done = await pressLink(browser, /https?:\S+confirm-email\S+/.exec(letter.text)?.[0] ?? '');
    expect(done.text).toContain(`From now on, sign in with ${own}.`);
    const later = openBrowser();
    await enterApp(later, house);
    expect((await signIn(later, own, 'another long password')).text).toContain('Luis');
    await later.get(`${house.issuer}/recover`);
    await later.submit({ identifier: own });
    await house.mailbox.waitFor(own, ({ text }) => text.includes('/recover/link'));
  });

  it('who moved off the mailbox, and reads it still, does not recover the other’s account without the code', async () => {
    const browser = openBrowser();
    const before = house.mailbox.to(shared);
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: shared });
    const letter = await house.mailbox.waitFor(
      shared,
      (each) => each.text.includes('/recover/link') && !before.includes(each),
    );
    expect(letter.text).toContain('recovery code');
    await pressLink(browser, linkIn(letter, '/recover/link'));
    for (const recoveryCode of ['', codes['rosa'] ?? '']) {
      const page = await browser.submit({ password: 'another long password', recoveryCode });
      expect([page.status, page.text.includes('Ana')]).toEqual([422, false]);
    }
    await browser.submit({ password: 'another long password', recoveryCode: codes['maria'] ?? '' });
    expect(browser.page().text).toContain('Ana');
  });

  it('two people on one mailbox and one phone are sent to the school, and no account is made', async () => {
    await askToRegister(openBrowser(), house, 'dos@example.org', '(213) 555-0103');
    const letter = await house.mailbox.waitFor('dos@example.org');
    expect(letter.text).not.toMatch(/\/activate|Paula|Pablo|Eva/);
    expect(await house.db.selectFrom('accounts').select('id').where('email', '=', 'dos@example.org').execute()).toEqual(
      [],
    );
  });
});
