/*
 * the SIS changes the contact's e-mail ─▶ account and children stay
 *    next sign-in ─▶ "The school has another e-mail" ─ keep ─▶ never asked about it again
 *                                                    └ use ──▶ link to the new mailbox, sign-in goes on
 *    link ─▶ in another's session: refused ─▶ in the own session: button ─▶ new address signs in, the old one is told
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { row } from '../../sis/extract.js';
import { openBrowser } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { enterApp, password, pressLink, register, signIn } from '../steps.js';

const rights = { ed_rights: 'yes' };
const maria = row('Ana', 'Maria', { ...rights, contact_id: 'E1' });
const pedro = row('Tomas', 'Pedro', { ...rights, contact_id: 'E2', phone1: '(213) 555-0122' });
const later = '2026-11-10T00:00:00Z';

describe('the school changes a parent’s e-mail', () => {
  let house: TestHouse;
  const mother = openBrowser();
  beforeAll(async () => {
    house = await startTestHouse({ elementary: [maria, pedro], apps: twoApps });
    await register(openBrowser(), house, 'maria@example.org');
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
    await house.load('elementary', [
      { ...maria, email: 'maria.new@example.org', last_modified: later },
      { ...pedro, email: 'pedro.new@example.org', last_modified: later },
    ]);
  });
  afterAll(() => house.close());

  function linkTo(text: string): string {
    return /https?:\S+confirm-email\S+/.exec(text)?.[0] ?? '';
  }

  it('asks at the next sign-in, by the old address, and lets it go on', async () => {
    await enterApp(mother, house);
    const question = await signIn(mother, 'maria@example.org');
    expect(question.text).toContain('maria.new@example.org');
    const sent = await mother.submit({}, { button: 'decision=use' });
    expect(sent.text).toContain('maria.new@example.org');
    const page = await mother.click('a[class="usa-button"]');
    expect(page.text).toContain('Ana');
  });

  it('changes nothing before the new mailbox is shown to be theirs', async () => {
    const browser = openBrowser();
    await enterApp(browser, house);
    expect((await signIn(browser, 'maria.new@example.org')).status).toBe(422);
    const letter = await house.mailbox.waitFor('maria.new@example.org');
    const link = linkTo(letter.text);
    await browser.get(link);
    expect((await browser.submit()).status).toBe(410);
    const pedros = openBrowser();
    await enterApp(pedros, house);
    await signIn(pedros, 'pedro@example.org');
    await pedros.submit({}, { button: 'decision=keep' });
    expect((await pressLink(pedros, link)).status).toBe(410);
  });

  it('makes it the account’s own in the owner’s session, and tells the old mailbox', async () => {
    const { text } = await house.mailbox.waitFor('maria.new@example.org');
    const done = await pressLink(mother, linkTo(text));
    expect(done.status).toBe(200);
    expect(done.text).toContain('maria.new@example.org');
    const told = await house.mailbox.waitFor('maria@example.org', (letter) => !letter.text.includes('/activate'));
    expect(told.text).not.toContain('maria.new@example.org');
    const browser = openBrowser();
    await enterApp(browser, house);
    expect((await signIn(browser, 'maria@example.org')).status).toBe(422);
    expect((await signIn(browser, 'maria.new@example.org')).text).toContain('Ana');
    expect((await pressLink(openBrowser(), linkTo(text))).status).toBe(410);
  });

  it('never asks again who kept the earlier one', async () => {
    const browser = openBrowser();
    await enterApp(browser, house);
    const page = await signIn(browser, 'pedro@example.org', password);
    expect(page.text).toContain('Tomas');
  });
});
