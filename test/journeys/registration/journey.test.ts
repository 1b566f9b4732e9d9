/*
 * eChoices ─ Sign in ─▶ sign-in page ─ Register ─▶ e-mail + phone ─▶ waiting page (the same for all)
 *                                                                        │ code, or the mailed link
 *                                                                        ▼
 * eChoices ◀─ terms ◀─ (proof just given) ◀─ password chosen ◀─ this browser claims the request
 *    │
 *    └─▶ Cafeteria without a second password ─▶ sign out ─▶ both are signed out
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import type { Browser } from '../../support/browser.js';
import { databases } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { acceptTerms, choosePassword, codeIn, enterApp, linkIn, pressLink, signIn } from '../steps.js';
import { elementary, secondary } from './fixture.js';

describe.each(databases)('a parent registers and opens two apps, on %s', (kind) => {
  let house: TestHouse;
  let mother: Browser;
  beforeAll(async () => {
    house = await startTestHouse({ kind, elementary, secondary, apps: twoApps });
    mother = openBrowser();
  });
  afterAll(() => house.close());

  it('comes from the app to the sign-in page, which names the app', async () => {
    const page = await enterApp(mother, house);
    expect(page.url.startsWith(`${house.issuer}/interaction/`)).toBe(true);
    expect(page.text).toContain('eChoices');
  });

  it('asks to register, and is told where the message goes and when the school was last heard', async () => {
    const link = mother
      .page()
      .$$('a')
      .find((anchor) => anchor.getAttribute('href')?.startsWith('/register'));
    const href = link?.getAttribute('href') ?? '';
    await mother.get(`${house.issuer}${href}`);
    const page = await mother.submit({ email: ' MARIA@example.org ', phone: '213.555.0100' });
    expect(page.status).toBe(200);
    expect(page.url).toContain('/register/sent');
    expect(page.text).toContain('elementary');
  });

  it('presses the button behind the mailed link, chooses a password, accepts the terms, and is in eChoices', async () => {
    const letter = await house.mailbox.waitFor('maria@example.org');
    expect(letter.text).not.toMatch(/Ana|Luis|Lincoln|Roosevelt/);
    await pressLink(mother, linkIn(letter, '/activate'));
    const terms = await choosePassword(mother);
    expect(terms.url).toContain('/interaction/');
    const app = await acceptTerms(mother);
    expect(app.url.startsWith(house.running.get('echoices')?.url ?? '-')).toBe(true);
    expect(app.text).toContain('Maria');
  });

  it('sees her children of both SISs in eChoices, and no other child', () => {
    const { text } = mother.page();
    expect(text).toContain('Ana');
    expect(text).toContain('Luis');
    expect(text).not.toContain('Tomas');
  });

  it('opens Cafeteria without a second password, where the school is not named', async () => {
    const page = await enterApp(mother, house, 'cafeteria');
    expect(page.url.startsWith(house.running.get('cafeteria')?.url ?? '-')).toBe(true);
    expect(page.text).toContain('Ana');
    expect(page.text).not.toContain('Lincoln');
  });

  it('sees the portal with her apps, her children, and where each fact comes from', async () => {
    const page = await mother.get(`${house.issuer}/`);
    expect(page.text).toContain('Ana');
    expect(page.text).toContain('Lincoln Elementary');
    expect(page.text).not.toContain('Pedro');
  });

  it('signs out of both apps at once', async () => {
    await mother.get(`${house.running.get('echoices')?.url}/`);
    await mother.get(`${house.issuer}/sign-out`);
    await mother.submit({}, { button: 'logout=yes' });
    for (const name of ['echoices', 'cafeteria']) {
      const page = await eventually(
        () => mother.get(`${house.running.get(name)?.url}/`),
        ({ text }) => !text.includes('Ana'),
      );
      expect(page.text).not.toContain('Ana');
    }
    const again = await enterApp(mother, house);
    expect(again.url).toContain('/interaction/');
  });

  it('signs in again with e-mail and password', async () => {
    const page = await signIn(mother, 'maria@EXAMPLE.org');
    expect(page.url.startsWith(house.running.get('echoices')?.url ?? '-')).toBe(true);
    expect(page.text).toContain('Ana');
  });

  it('registers with the code instead of the link, in the same browser only', async () => {
    const father = openBrowser();
    await father.get(`${house.issuer}/register`);
    await father.submit({ email: 'pedro@example.org', phone: '(213) 555-0122' });
    const code = codeIn(await house.mailbox.waitFor('pedro@example.org'));
    const stranger = openBrowser();
    await stranger.get(`${house.issuer}/register/sent`);
    const refused = await stranger.submit({ code });
    expect(refused.status).toBe(422);
    await father.submit({ code });
    await choosePassword(father);
    const page = await acceptTerms(father);
    expect(page.url).toBe(`${house.issuer}/`);
    expect(page.text).toContain('Tomas');
    expect(page.text).not.toContain('Ana');
  });
});
