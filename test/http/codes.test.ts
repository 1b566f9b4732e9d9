import { beforeEach, describe, expect, it } from '@jest/globals';
import { askToRegister, choosePassword, codeIn, linkIn, pressLink } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser, Page } from '../support/browser.js';
import type { TestHouse } from '../support/house.js';
import { useThrottledHouse } from './throttled-house.js';
import type { ReceivedLetter } from '../support/mailbox.js';

const maria = 'maria@example.org';

/** The mailed code, and how many links there may be. */
describe('codes and links', () => {
  let house: TestHouse;
  useThrottledHouse((opened) => void (house = opened));
  beforeEach(async () => {
    await house.db.deleteFrom('account_requests').execute();
    await house.db.deleteFrom('letters_sent').execute();
    house.mailbox.clear();
  });

  async function ask(browser: Browser, email = maria): Promise<ReceivedLetter> {
    const before = house.mailbox.to(email).length;
    await askToRegister(browser, house, email);
    return house.mailbox.waitFor(email, () => house.mailbox.to(email).length > before);
  }
  /** Waits until every request is decided: where no letter comes there is nothing else to wait for. */
  async function settled(): Promise<Array<string | null>> {
    for (;;) {
      const rows = await house.db.selectFrom('account_requests').select('outcome').orderBy('created_at').execute();
      if (rows.every(({ outcome }) => outcome !== null)) return rows.map(({ outcome }) => outcome);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  const other = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  const type = (browser: Browser, code: string): Promise<Page> => browser.submit({ code });

  it('five wrong codes end the code, not the link', async () => {
    const browser = openBrowser();
    const letter = await ask(browser);
    for (let time = 0; time < 5; time += 1) expect((await type(browser, other(codeIn(letter)))).status).toBe(422);
    const page = await type(browser, codeIn(letter));
    expect(page.status).toBe(422);
    expect(page.url).not.toContain('/activate/password');
    expect((await pressLink(browser, linkIn(letter, '/activate'))).url).toContain('/activate/password');
    expect(browser.page().$('input[name=password]')).not.toBeNull();
  });

  it('the right code at the fifth try is good', async () => {
    const browser = openBrowser();
    const letter = await ask(browser);
    for (let time = 0; time < 4; time += 1) await type(browser, other(codeIn(letter)));
    expect((await type(browser, codeIn(letter).replace(/^(...)/, '$1 '))).url).toContain('/activate/password');
  });

  it('a request that leads to nobody counts and refuses alike', async () => {
    const known = openBrowser();
    const unknown = openBrowser();
    const letter = await ask(known);
    await askToRegister(unknown, house, 'stranger@example.net');
    expect(unknown.page().text).toBe(known.page().text);
    for (let time = 0; time < 7; time += 1) {
      const pages = [await type(known, other(codeIn(letter))), await type(unknown, '000000')];
      expect({ status: pages[1]?.status, text: pages[1]?.text }).toEqual({
        status: pages[0]?.status,
        text: pages[0]?.text,
      });
    }
  });

  it('of thirty codes at the same instant five are compared', async () => {
    const browser = openBrowser();
    await ask(browser);
    await house.db.updateTable('account_requests').set({ code_tries: 0 }).execute();
    await Promise.all(Array.from({ length: 30 }, () => type(browser, '000000')));
    const { code_tries: counted } = await house.db
      .selectFrom('account_requests')
      .select('code_tries')
      .executeTakeFirstOrThrow();
    expect(counted).toBe(5);
  });

  it('a source may try twenty codes in ten minutes', async () => {
    const browser = openBrowser({ from: '127.0.8.1' });
    await askToRegister(browser, house, 'stranger@example.net');
    for (let time = 0; time < 20; time += 1) expect((await type(browser, '000000')).status).toBe(422);
    const page = await type(browser, '000000');
    expect(page.status).toBe(429);
    expect(Number(page.headers['retry-after'])).toBeLessThanOrEqual(600);
  });

  it('a code is of no use in another browser, without any cookie, or after ten minutes', async () => {
    const browser = openBrowser();
    const letter = await ask(browser);
    const stranger = openBrowser();
    await askToRegister(stranger, house, 'stranger@example.net');
    expect((await type(stranger, codeIn(letter))).status).toBe(422);
    const bare = openBrowser();
    await bare.get(`${house.issuer}/register/sent`);
    expect((await type(bare, codeIn(letter))).status).toBe(422);
    house.advance(601);
    expect((await type(browser, codeIn(letter))).status).toBe(422);
    expect((await pressLink(browser, linkIn(letter, '/activate'))).url).toContain('/activate/password');
    house.advance(-601);
  });

  it('a second request of the same browser ends its first link and code; a stranger’s request ends neither', async () => {
    const browser = openBrowser();
    const first = await ask(browser);
    const second = await ask(browser);
    const gone = await pressLink(browser, linkIn(first, '/activate'));
    expect(gone.status).toBe(410);
    expect(gone.$$('a').map((link) => link.getAttribute('href'))).toContain('/register');
    await ask(openBrowser());
    await browser.get(`${house.issuer}/register/sent`);
    expect((await type(browser, codeIn(first))).status).toBe(422);
    expect((await pressLink(browser, linkIn(second, '/activate'))).url).toContain('/activate/password');
  });

  it('a contact gets three live links a day, strangers asking or not; an ended one makes room', async () => {
    for (let time = 0; time < 3; time += 1) await ask(openBrowser());
    await askToRegister(openBrowser(), house, maria);
    expect(await settled()).toEqual(['activate', 'activate', 'activate', 'silent']);
    expect(house.mailbox.to(maria)).toHaveLength(3);
    const links = house.mailbox.to(maria).map((letter) => linkIn(letter, '/activate'));
    expect(new Set(links).size).toBe(3);
    house.advance(86_401);
    await house.db.deleteFrom('throttles').execute();
    await ask(openBrowser());
    expect(house.mailbox.to(maria)).toHaveLength(4);
    house.advance(-86_401);
  });

  it('a link that was pressed in one browser is of no use in another, nor twice', async () => {
    const browser = openBrowser();
    const letter = await ask(browser);
    const link = linkIn(letter, '/activate');
    expect((await pressLink(browser, link)).url).toContain('/activate/password');
    expect((await pressLink(openBrowser(), link)).status).toBe(410);
    expect((await pressLink(browser, link)).url).toContain('/activate/password');
    await choosePassword(browser);
    expect((await pressLink(browser, link)).status).toBe(410);
    await house.db.deleteFrom('account_requests').execute();
  });
});
