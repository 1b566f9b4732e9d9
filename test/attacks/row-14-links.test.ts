import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { acceptTerms, askToRegister, choosePassword, codeIn, enterApp, linkIn, pressLink } from '../journeys/steps.js';
import type { ReceivedLetter } from '../support/mailbox.js';
import { row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { raw } from './raw.js';

const people = Array.from({ length: 8 }, (_, index) => `parent${index}@example.org`);

describe('row 14: what is done in one browser signs in no other', () => {
  let house: TestHouse;
  let person = -1;
  let email = '';
  beforeAll(async () => {
    house = await startTestHouse({
      elementary: people.map((address, index) =>
        row(`Child${index}`, `Parent${index}`, { contact_id: `E${index}`, ed_rights: 'yes', email: address }),
      ),
      apps: twoApps,
    });
  });
  afterAll(() => house.close());
  beforeEach(() => {
    person += 1;
    email = people[person] ?? '';
  });

  const letter = (fits: (received: ReceivedLetter) => boolean = () => true): Promise<ReceivedLetter> =>
    house.mailbox.waitFor(email, (received) => received.text.includes('/activate') && fits(received));

  /** Nothing of the account is in this browser: no session, no claim, no way to its password page or its recovery code. */
  async function expectNothing(browser: Browser): Promise<void> {
    expect((await browser.get(`${house.issuer}/`)).text).not.toContain('Child');
    expect((await browser.get(`${house.issuer}/activate/password`)).status).toBe(410);
    expect((await browser.get(`${house.issuer}/password`)).url).toContain('/interaction/');
    const cookies = await browser.cookies(house.issuer);
    expect(cookies).not.toHaveProperty('pa-claim');
    expect(cookies).not.toHaveProperty('pa-proof');
  }

  it('a stranger asks with a victim’s e-mail and phone, and the victim goes on: the stranger has nothing at any step', async () => {
    const stranger = openBrowser();
    const victim = openBrowser();
    await enterApp(stranger, house);
    await askToRegister(stranger, house, email);
    const { text } = await letter();
    const link = linkIn(await letter(), '/activate');
    await expectNothing(stranger);
    await pressLink(victim, link);
    await expectNothing(stranger);
    await choosePassword(victim);
    await expectNothing(stranger);
    expect((await acceptTerms(victim)).text).toContain(`Child${person}`);
    await expectNothing(stranger);
    await stranger.get(`${house.issuer}/register/sent`);
    expect((await stranger.submit({ code: codeIn({ ...(await letter()), text }) })).status).toBe(422);
    await expectNothing(stranger);
    expect((await enterApp(stranger, house)).url).toContain('/interaction/');
  });

  it('the mailed code is of no use in another browser, not even in one that asked for the same address', async () => {
    const mine = openBrowser();
    await askToRegister(mine, house, email);
    const first = await letter();
    for (const other of [openBrowser(), openBrowser()]) {
      await other.get(`${house.issuer}/register/sent`);
      expect((await other.submit({ code: codeIn(first) })).status).toBe(422);
      await expectNothing(other);
    }
    const alike = openBrowser();
    await askToRegister(alike, house, email);
    const second = await letter(({ text }) => text !== first.text);
    expect((await alike.submit({ code: codeIn(first) })).status).toBe(422);
    await expectNothing(alike);
    await mine.get(`${house.issuer}/register/sent`);
    expect((await mine.submit({ code: codeIn(second) })).status).toBe(422);
    expect((await mine.submit({ code: codeIn(first) })).url).toContain('/activate/password');
  });

  it('the browser’s cookie cannot be made up: a stranger who writes one gets no code of others taken', async () => {
    const mine = openBrowser();
    await askToRegister(mine, house, email);
    const code = codeIn(await letter());
    const { 'pa-browser': value = '' } = await mine.cookies(house.issuer);
    for (const cookie of [`pa-browser=${value}`, `pa-browser=${value}; pa-browser.sig=x`]) {
      const answer = await raw(house.issuer, {
        target: '/register/code',
        body: { code },
        headers: { cookie, origin: house.issuer },
      });
      expect(answer.status).toBe(422);
      expect(answer.headers['set-cookie'] ?? []).not.toEqual(
        expect.arrayContaining([expect.stringContaining('pa-claim')]),
      );
    }
  });

  it('a link is used once, and is the browser’s that pressed it first', async () => {
    const mine = openBrowser();
    await askToRegister(mine, house, email);
    const link = linkIn(await letter(), '/activate');
    await pressLink(mine, link);
    const other = openBrowser();
    expect((await pressLink(other, link)).status).toBe(410);
    await expectNothing(other);
    await choosePassword(mine);
    await acceptTerms(mine);
    for (const browser of [mine, openBrowser()]) expect((await pressLink(browser, link)).status).toBe(410);
    expect((await mine.get(`${house.issuer}/activate/password`)).status).toBe(410);
  });

  it('a second request of the same browser ends the first, link and code', async () => {
    const mine = openBrowser();
    await askToRegister(mine, house, email);
    const first = await letter();
    await askToRegister(mine, house, email);
    const second = await letter(({ text }) => text !== first.text);
    expect((await pressLink(openBrowser(), linkIn(first, '/activate'))).status).toBe(410);
    await mine.get(`${house.issuer}/register/sent`);
    expect((await mine.submit({ code: codeIn(first) })).status).toBe(422);
    expect((await pressLink(openBrowser(), linkIn(second, '/activate'))).url).toContain('/activate/password');
  });

  it('a link that was looked at in every way a scanner has is still good', async () => {
    const mine = openBrowser();
    await askToRegister(mine, house, email);
    const link = new URL(linkIn(await letter(), '/activate'));
    const target = `${link.pathname}${link.search}`;
    const looks: Array<[string, Record<string, string>]> = [
      ['HEAD', {}],
      ['GET', {}],
      ['OPTIONS', {}],
      ['GET', { purpose: 'prefetch', 'sec-purpose': 'prefetch;prerender', 'x-moz': 'prefetch' }],
      ['GET', { 'user-agent': 'a mail scanner', 'x-http-method-override': 'POST' }],
      ['POST', { 'user-agent': 'a scanner that posts' }],
      ['PUT', {}],
    ];
    for (const [method, headers] of looks) {
      const { headers: answered } = await raw(house.issuer, { target, method, headers });
      expect((answered['set-cookie'] ?? []).join()).not.toContain('pa-claim');
    }
    const overridden = await raw(house.issuer, { target: `${target}&_method=POST` });
    expect(overridden.status).toBe(200);
    await pressLink(mine, link.href);
    expect((await choosePassword(mine)).status).toBe(200);
  });

  it('a link and its code are digests at rest, and in no Referer and no log', async () => {
    const mine = openBrowser();
    await askToRegister(mine, house, email);
    const received = await letter();
    const link = linkIn(received, '/activate');
    const token = new URL(link).searchParams.get('token') ?? '';
    expect(token.length).toBeGreaterThanOrEqual(40);
    await mine.get(link);
    // The page has links that lead elsewhere: what goes along is the origin.
    await mine.click('a[href="/help"]');
    await mine.get(link);
    await mine.submit();
    await choosePassword(mine);
    await acceptTerms(mine);
    await enterApp(mine, house);
    expect(mine.visited.filter(({ referer }) => referer?.includes('activate') === true)).toEqual([]);
    expect(mine.visited.some(({ referer }) => referer === `${house.issuer}/`)).toBe(true);
    expect(house.log.filter((line) => line.includes(token) || line.includes(email))).toEqual([]);
    const { rows } = await sql<{ row: string }>`select r::text as row from account_requests r`.execute(house.db);
    expect(rows.length).toBeGreaterThan(0);
    for (const secret of [token, codeIn(received), ...Object.values(await mine.cookies(house.issuer))])
      expect(rows.filter(({ row: text }) => new RegExp(`(?<![\\w-])${secret}(?![\\w-])`).test(text))).toEqual([]);
  });
});
