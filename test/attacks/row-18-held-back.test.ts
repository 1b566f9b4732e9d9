import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askToRegister, codeIn, linkIn, password, pressLink, register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { familyHouse } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import type { ReceivedLetter } from '../support/mailbox.js';
import type { RelyingParty } from '../support/relying-party.js';
import { raw } from './raw.js';
import type { RawAnswer } from './raw.js';

const maria = 'maria@example.org';

/** Row 18: a bad network delivers a sign-in's last answer after its person has given up on that tab, and is gone. */
describe('a sign-in whose last answer is held back', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  beforeAll(async () => {
    ({ house, echoices } = await familyHouse('echoices'));
  });
  afterAll(() => house.close());

  const signIn = (browser: Browser, device: string, follow = true): Promise<unknown> =>
    browser.submit({ identifier: maria, password, device }, { follow });

  /** Signs in as far as the last step. @returns how that step is asked for, by the cookies of this moment */
  async function lastStep(browser: Browser, device: string): Promise<() => Promise<RawAnswer>> {
    const { url } = await echoices.request();
    await browser.get(url.href);
    await signIn(browser, device, false);
    const resume = new URL(browser.page().headers.location ?? '', house.issuer);
    const cookie = await browser.jar.getCookieString(resume.href);
    return () => raw(house.issuer, { target: resume.pathname, headers: { cookie } });
  }
  async function arrives(browser: Browser, late: RawAnswer): Promise<void> {
    for (const cookie of late.headers['set-cookie'] ?? []) {
      await browser.jar.setCookie(cookie, `${house.issuer}/`, { ignoreError: true });
    }
  }
  const seesChildren = async (browser: Browser): Promise<boolean> =>
    (await browser.get(`${house.issuer}/`)).text.includes('Ana');

  it.each([
    ['is done in another tab', 'shared', '/devices', '/done'],
    ['signs out in another tab', 'own', '/devices', '/leave'],
    ['signs out in another tab by way of an app', 'own', '/sign-out', '/sign-out'],
  ])('opens nothing for who comes next, where its person signs in again and %s', async (_, device, page, form) => {
    const browser = openBrowser();
    const held = await (await lastStep(browser, device))();
    expect(held.headers.location).toContain('code=');
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, device);
    expect(await seesChildren(browser)).toBe(true);
    await browser.get(house.issuer + page);
    await browser.submit({}, { form: `form[action^="${form}"]` });
    await arrives(browser, held);
    expect(await seesChildren(browser)).toBe(false);
  });

  it.each([
    ['its answer', false],
    ['the request for it', true],
  ])('opens nothing for who comes next, where its person is done in another tab without it: by %s', async (_, late) => {
    const browser = openBrowser();
    const step = await lastStep(browser, 'shared');
    const before = late ? null : await step();
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({}, { form: 'form[action="/done"]' });
    expect(browser.page().title).toContain('You are done');
    await arrives(browser, before ?? (await step()));
    expect(await seesChildren(browser)).toBe(false);
  });

  /** Maria asks for a recovery. @returns the link that she gets */
  async function recoveryLink(): Promise<string> {
    const browser = openBrowser();
    const letters = (): ReceivedLetter[] =>
      house.mailbox.to(maria).filter(({ text }) => text.includes('/recover/link'));
    const before = letters().length;
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: maria });
    const letter = await house.mailbox.waitFor(maria, (each) => letters().indexOf(each) >= before);
    return linkIn(letter, '/recover/link');
  }
  /** Maria recovers as far as the new password, whose answer the network holds back. */
  async function recovered(browser: Browser): Promise<RawAnswer> {
    const page = await pressLink(browser, await recoveryLink());
    const request = page.$('[name=request]')?.getAttribute('value') ?? '';
    const held = await used(browser, '/recover/password', { request, password });
    expect(held.headers.location).toBe('/sign-in');
    return held;
  }

  it.each([
    ['is done', 'shared', '/done'],
    ['signs out', 'own', '/leave'],
  ])('nor does that of a recovery, where its person signs in with the new password and %s', async (_, device, form) => {
    const browser = openBrowser();
    const held = await recovered(browser);
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, device);
    expect(await seesChildren(browser)).toBe(true);
    await browser.submit({}, { form: `form[action="${form}"]` });
    await arrives(browser, held);
    await browser.get(`${house.issuer}/sign-in`);
    expect(await seesChildren(browser)).toBe(false);
  });

  it.each(['/done', '/leave'])('nor that of one whose person leaves by %s in no session', async (form) => {
    const browser = openBrowser();
    const held = await recovered(browser);
    await used(browser, form, {});
    await arrives(browser, held);
    await browser.get(`${house.issuer}/sign-in`);
    expect(await seesChildren(browser)).toBe(false);
  });

  it('a link that was pressed ends with a sign-out that an app asks for, also in no session', async () => {
    const browser = openBrowser();
    expect((await pressLink(browser, await recoveryLink())).$('[name=password]') === null).toBe(false);
    await browser.get(`${house.issuer}/sign-out?client_id=echoices`);
    // The library's page, which sends itself.
    expect((await browser.submit()).title).toContain('You are signed out');
    const page = await browser.get(`${house.issuer}/recover/password`);
    expect(page.$('[name=password]') === null).toBe(true);
  });

  /** Uses a mailed proof in a browser, whose answer the network holds back. */
  async function used(browser: Browser, target: string, body: Record<string, string>): Promise<RawAnswer> {
    const cookie = await browser.jar.getCookieString(house.issuer + target);
    return raw(house.issuer, { target, body, headers: { origin: house.issuer, cookie } });
  }

  it.each([
    ['signs in and is done', 'shared', '/done'],
    ['signs in and out', 'own', '/leave'],
    ['signs in', 'own', ''],
    ['is done in no session', '', '/done'],
  ])('lets nobody choose a password by a link that was pressed before its person %s', async (_, device, form) => {
    const reader = openBrowser();
    const page = await reader.get(await recoveryLink());
    const token = page.$('[name=token]')?.getAttribute('value') ?? '';
    const held = await used(reader, '/recover/link', { token });
    expect(held.headers.location).toBe('/recover/password');
    if (device !== '') {
      await reader.get(`${house.issuer}/sign-in`);
      await signIn(reader, device);
    }
    if (form !== '') await used(reader, form, {});
    await arrives(reader, held);
    expect((await reader.get(`${house.issuer}/recover/password`)).$('[name=password]')).toBeNull();
  });

  it('nor by one that is pressed after somebody was done in the browser, on a page from before, and whose person is done too', async () => {
    const reader = openBrowser();
    const page = await reader.get(await recoveryLink());
    const token = page.$('[name=token]')?.getAttribute('value') ?? '';
    await arrives(reader, await used(reader, '/done', {}));
    const again = await used(reader, '/recover/link', { token });
    await reader.get(`${house.issuer}/sign-in`);
    await signIn(reader, 'shared');
    await used(reader, '/done', {});
    await arrives(reader, again);
    expect((await reader.get(`${house.issuer}/recover/password`)).$('[name=password]') === null).toBe(true);
    // The link is good still.
    expect((await pressLink(openBrowser(), page.url)).$('[name=password]') === null).toBe(false);
  });

  it('nor where other links were opened in the browser since, so many that it forgot by what name it was pressed', async () => {
    const reader = openBrowser();
    const page = await reader.get(await recoveryLink());
    const held = await used(reader, '/recover/link', { token: page.$('[name=token]')?.getAttribute('value') ?? '' });
    for (let other = 0; other < 8; other += 1) await reader.get(`${house.issuer}/recover/link?token=${other}`);
    await used(reader, '/done', {});
    await arrives(reader, held);
    expect((await reader.get(`${house.issuer}/recover/password`)).$('[name=password]') === null).toBe(true);
  });

  it('nor by a code that was typed before somebody else signs in', async () => {
    const browser = openBrowser();
    await askToRegister(browser, house, 'pedro@example.org', '(213) 555-0122');
    const letter = await house.mailbox.waitFor('pedro@example.org');
    const held = await used(browser, '/register/code', { code: codeIn(letter) });
    expect(held.headers.location).toBe('/activate/password');
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, 'own');
    await arrives(browser, held);
    expect((await browser.get(`${house.issuer}/activate/password`)).$('[name=password]')).toBeNull();
  });

  it('leaves other browsers of its person as they are', async () => {
    const other = openBrowser();
    await other.get(`${house.issuer}/sign-in`);
    await signIn(other, 'own');
    const browser = openBrowser();
    await (
      await lastStep(browser, 'shared')
    )();
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({}, { form: 'form[action="/done"]' });
    expect(await seesChildren(other)).toBe(true);
  });

  it('opens nothing of a recovery for somebody else who signed in meanwhile, and whom an app asks to sign in again', async () => {
    house.mailbox.clear();
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
    const browser = openBrowser();
    const held = await recovered(browser);
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: 'pedro@example.org', password });
    await arrives(browser, held);
    const { url } = await echoices.request({ prompt: 'login' });
    await browser.get(url.href);
    expect(await seesChildren(browser)).toBe(false);
    expect(browser.page().text).toContain('Tomas');
  });
});
