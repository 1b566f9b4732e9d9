import { beforeEach, describe, expect, it } from '@jest/globals';
import { acceptTerms, askToRegister, choosePassword, linkIn, password, pressLink } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import type { TestHouse } from '../support/house.js';
import { useThrottledHouse } from '../http/throttled-house.js';
import { raw } from './raw.js';

const email = 'pedro@example.org';
const phone = '(213) 555-0122';

describe('row 13: who is kept out by somebody who knows their address', () => {
  let house: TestHouse;
  useThrottledHouse((opened) => void (house = opened));
  beforeEach(() => house.mailbox.clear());

  async function recover(browser: Browser, identifier: string): Promise<number> {
    await browser.get(`${house.issuer}/recover`);
    return (await browser.submit({ identifier })).status;
  }

  async function signedInFrom(from: string): Promise<Browser> {
    const browser = openBrowser({ from });
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: email, password });
    return browser;
  }

  it('a letter that a stranger asked for stays good when that browser asks for somebody else', async () => {
    const stranger = openBrowser({ from: '127.0.12.1' });
    await askToRegister(stranger, house, email, phone);
    const asked = await house.mailbox.waitFor(email, ({ text }) => text.includes('/activate'));
    await askToRegister(stranger, house, 'stranger@example.net', phone);
    const owner = openBrowser();
    expect((await pressLink(owner, linkIn(asked, '/activate'))).url).toContain('/activate/password');
    await choosePassword(owner);
    await acceptTerms(owner);

    expect(await recover(stranger, email)).toBe(200);
    const letter = await house.mailbox.waitFor(email, ({ text }) => text.includes('/recover/link'));
    expect(await recover(stranger, 'stranger@example.net')).toBe(200);
    expect((await pressLink(openBrowser(), linkIn(letter, '/recover/link'))).url).toContain('/recover/password');
  });

  it('who once knew the password, on a device of theirs, leaves the owner recoveries on their own', async () => {
    const owner = await signedInFrom('127.0.12.10');
    const once = await signedInFrom('127.0.12.11');
    for (let time = 0; time < 10; time += 1) await recover(once, email);
    expect(await recover(openBrowser({ from: '127.0.12.12' }), email)).toBe(429);
    expect(await recover(owner, email)).toBe(200);
  });

  it('who copied the cookie of the owner’s device, and asks from elsewhere, leaves the owner recoveries there', async () => {
    const owner = await signedInFrom('127.0.12.13');
    const copy = openBrowser({ from: '127.0.12.14' });
    await copy.jar.setCookie(`pa-device=${(await owner.cookies(house.issuer))['pa-device'] ?? ''}`, house.issuer);
    for (let time = 0; time < 11; time += 1) await recover(copy, email);
    expect(await recover(copy, email)).toBe(429);
    expect(await recover(owner, email)).toBe(200);
  });

  it('however many devices they collected, the mailbox gets twenty-five letters a day at most', async () => {
    const statuses: number[] = [];
    for (let device = 0; device < 6; device += 1) {
      const collected = await signedInFrom(`127.0.12.${device + 20}`);
      for (let time = 0; time < 5; time += 1) statuses.push(await recover(collected, email));
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(25);
  });

  it('who copied the cookies of a browser in which nobody is in, and says elsewhere again and again that they are done, leaves the owner a recovery there', async () => {
    const owner = openBrowser({ from: '127.0.12.15' });
    await recover(owner, email);
    const letter = await house.mailbox.waitFor(email, ({ text }) => text.includes('/recover/link'));
    const cookie = await owner.jar.getCookieString(house.issuer);
    const done = async (): Promise<unknown> =>
      raw(house.issuer, { target: '/leave', body: {}, headers: { origin: house.issuer, cookie } });
    await owner.get(linkIn(letter, '/recover/link'));
    await done();
    expect((await owner.submit()).url).toContain('/recover/password');
    await done();
    const proven = await owner.submit({ password }, { follow: false });
    await done();
    await owner.get(`${house.issuer}${proven.headers.location ?? ''}`);
    expect(owner.page().text).toContain('Tomas');
  });
});
