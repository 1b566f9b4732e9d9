/*
 * sign-in page ─ Forgot ─▶ e-mail or name ─▶ one answer for all
 *    proven mailbox ─▶ link (30 min) ─▶ button ─▶ new password ─▶ other sessions and refresh tokens end, notice goes out
 *    mailbox that a feed gave to another person ─▶ nothing
 *    address that only a feed holds for a known contact ─▶ "use your earlier address or come to the school"
 *    children gone ─▶ still recovers
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { row } from '../../sis/extract.js';
import { enterApp, linkIn, password, pressLink, register, signIn } from '../steps.js';

const rights = { ed_rights: 'yes' };
const maria = row('Ana', 'Maria', { ...rights, contact_id: 'E1' });
const pedro = row('Tomas', 'Pedro', { ...rights, contact_id: 'E2', phone1: '(213) 555-0122' });
const fresh = 'quite another password';

describe('a parent who forgot the password', () => {
  let house: TestHouse;
  const phone = openBrowser();
  const laptop = openBrowser();
  beforeAll(async () => {
    house = await startTestHouse({ elementary: [maria, pedro], apps: twoApps });
    await register(phone, house, 'maria@example.org');
    await enterApp(phone, house);
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
  });
  afterAll(() => house.close());

  async function ask(identifier: string): Promise<string> {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/recover`);
    return (await browser.submit({ identifier })).text;
  }

  it('reads one answer for known and unknown', async () => {
    const answers = [await ask('pedro@example.org'), await ask('stranger@example.org'), await ask('no.such.name')];
    expect(new Set(answers).size).toBe(1);
    expect(house.mailbox.to('stranger@example.org')).toEqual([]);
  });

  it('sets a new password by the mailed link and goes on to the app it came from', async () => {
    await enterApp(laptop, house);
    const link = laptop
      .page()
      .$$('a')
      .find((anchor) => anchor.getAttribute('href')?.startsWith('/recover'));
    await laptop.get(`${house.issuer}${link?.getAttribute('href')}`);
    await laptop.submit({ identifier: 'maria@example.org' });
    const letter = await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/recover/link'));
    await pressLink(laptop, linkIn(letter, '/recover/link'));
    const weak = await laptop.submit({ password: 'short' });
    expect(weak.status).toBe(422);
    const page = await laptop.submit({ password: fresh });
    expect(page.url.startsWith(house.running.get('echoices')?.url ?? '-')).toBe(true);
    expect(page.text).toContain('Ana');
  });

  it('ends the other sessions and their refresh tokens, and tells the owner', async () => {
    const portal = await phone.get(`${house.issuer}/`);
    expect(portal.text).not.toContain('Ana');
    const rows = await house.db
      .selectFrom('sessions')
      .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
      .select('sessions.revoked_because')
      .where('accounts.email', '=', 'maria@example.org')
      .where('revoked_at', 'is not', null)
      .execute();
    expect(rows.every((row_) => row_.revoked_because === 'recovered')).toBe(true);
    expect(rows.length).toBeGreaterThan(0);
    const { text } = await house.mailbox.waitFor(
      'maria@example.org',
      (letter) => !/activate|recover\/link/.test(letter.text),
    );
    expect(text).not.toContain(fresh);
  });

  it('takes the new password and not the old one', async () => {
    const browser = openBrowser();
    await enterApp(browser, house);
    expect((await signIn(browser, 'maria@example.org', password)).status).toBe(422);
    expect((await signIn(browser, 'maria@example.org', fresh)).text).toContain('Ana');
  });

  it('recovers also when the children are gone', async () => {
    await house.db.updateTable('contacts').set({ current: false }).where('sis_id', '=', 'E1').execute();
    house.mailbox.clear();
    await ask('maria@example.org');
    await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/recover/link'));
    await house.db.updateTable('contacts').set({ current: true }).where('sis_id', '=', 'E1').execute();
  });

  it('is told to use the earlier address where only the SIS knows a new one', async () => {
    await house.load('elementary', [
      { ...maria, email: 'maria.new@example.org', last_modified: '2026-11-10T00:00:00Z' },
      pedro,
    ]);
    await ask('maria.new@example.org');
    const { text } = await house.mailbox.waitFor('maria.new@example.org');
    expect(text).not.toContain('/recover/link');
    const browser = openBrowser();
    await enterApp(browser, house);
    await signIn(browser, 'maria@example.org', fresh);
    expect((await browser.submit({}, { button: 'decision=keep' })).text).toContain('Ana');
  });

  it('a mailbox that the SIS gave to another person recovers nothing of the old account', async () => {
    const olga = row('Olga', 'Olgamother', {
      ...rights,
      contact_id: 'E7',
      email: 'maria@example.org',
      phone1: '(213) 555-0177',
    });
    await house.load('elementary', [
      { ...maria, email: 'maria.new@example.org', last_modified: '2026-11-10T00:00:00Z' },
      pedro,
      olga,
    ]);
    house.mailbox.clear();
    await ask('maria@example.org');
    await ask('pedro@example.org');
    await house.mailbox.waitFor('pedro@example.org', ({ text }) => text.includes('/recover/link'));
    expect(house.mailbox.to('maria@example.org')).toEqual([]);

    const other = openBrowser();
    await other.get(`${house.issuer}/register`);
    await other.submit({ email: 'maria@example.org', phone: '(213) 555-0177' });
    await pressLink(other, linkIn(await house.mailbox.waitFor('maria@example.org'), '/activate'));
    await other.submit({ password, signInName: 'olga.mother' });
    const accounts = await house.db
      .selectFrom('accounts')
      .select(['id', 'sign_in_name'])
      .where('email', '=', 'maria@example.org')
      .execute();
    expect(accounts).toHaveLength(2);
    const portal = openBrowser();
    await portal.get(`${house.issuer}/sign-in`);
    await signIn(portal, 'olga.mother');
    const page = await portal.submit({}, { button: 'decision=accept' });
    expect(page.text).toContain('Olga');
    expect(page.text).not.toContain('Ana');
  });
});
