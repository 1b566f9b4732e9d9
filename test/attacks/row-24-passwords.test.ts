import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askToRegister, linkIn, pressLink } from '../journeys/steps.js';
import { row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import type { Browser, Page } from '../support/browser.js';
import { signInAnew } from '../support/family-house.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

/** 128 characters of which no two pieces are alike. */
const long = Array.from({ length: 40 }, (_, index) => `word${index} `)
  .join('')
  .slice(0, 127);

describe('rows 21 and 24: passwords', () => {
  let house: TestHouse;
  let person = 0;
  beforeAll(async () => {
    house = await startTestHouse({
      elementary: Array.from({ length: 20 }, (_, index) =>
        row(`Child${index}`, `Parent${index}`, { contact_id: `E${index}`, ed_rights: 'yes' }),
      ),
    });
  });
  afterAll(() => house.close());

  /** A new parent at the page that asks for a password. */
  async function atPassword(locale = 'en-US'): Promise<{ browser: Browser; email: string }> {
    const email = `parent${person}@example.org`;
    person += 1;
    const browser = openBrowser({ locale });
    await askToRegister(browser, house, email);
    await pressLink(browser, linkIn(await house.mailbox.waitFor(email), '/activate'));
    return { browser, email };
  }
  const signIn = async (identifier: string, password: string): Promise<Page> =>
    (await signInAnew(house, identifier, password)).page();

  it('14 characters are refused, 15 taken; spaces and every script count as characters; nothing is composed', async () => {
    const { browser } = await atPassword();
    for (const refused of [
      'a long way hom',
      '🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤',
      'Aa1!Aa1!Bb2?Cc',
      'дорога в школу'.slice(0, 14),
      '',
    ]) {
      const page = await browser.submit({ password: refused });
      expect({ refused, status: page.status }).toEqual({ refused, status: 422 });
      expect(page.$('input[name=password]')?.getAttribute('value') ?? '').toBe('');
    }
    for (const taken of [
      'a long way home',
      '🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆',
      'quiteordinaryletters',
      'дорога в школу1',
    ]) {
      const fresh = taken === 'a long way home' ? browser : (await atPassword()).browser;
      expect((await fresh.submit({ password: taken })).status).toBe(200);
      expect(fresh.page().url).not.toContain('/password');
    }
  });

  it('what everybody tries, and what the person signs in with, is refused', async () => {
    const { browser, email } = await atPassword();
    for (const refused of [
      'passwordpassword',
      'Password-12345678!',
      'qwertyuiopasdfg',
      '123456789012345',
      'aaaaaaaaaaaaaaaaaaaa',
      'ParentAccess2026!!',
      'lausdlausdlausd',
      'losangelesunified',
      'schooldistrict2026',
      'eChoices eChoices',
      email,
      email.toUpperCase(),
    ]) {
      const page = await browser.submit({ password: refused });
      expect({ refused, status: page.status }).toEqual({ refused, status: 422 });
    }
  });

  it('128 characters count to the last', async () => {
    const { browser, email } = await atPassword();
    const whole = `${long}z`;
    expect(whole).toHaveLength(128);
    expect((await browser.submit({ password: whole })).status).toBe(200);
    for (const wrong of [`${long}y`, long, `${whole}z`, whole.slice(0, 72), whole.slice(0, 64), whole.toUpperCase()])
      expect((await signIn(email, wrong)).status).toBe(422);
    expect((await signIn(email, whole)).status).toBe(200);
  });

  it('Unicode is the same however a keyboard writes it, and counts whole', async () => {
    const { browser, email } = await atPassword();
    const composed = 'mañana café 🦊👨‍👩‍👧 Zürich'.normalize('NFC');
    const decomposed = composed.normalize('NFD');
    expect(decomposed).not.toBe(composed);
    expect((await browser.submit({ password: decomposed })).status).toBe(200);
    for (const wrong of [
      composed.replace('🦊', '🐻'),
      composed.replace('ñ', 'n'),
      composed.replace('👧', ''),
      composed.replace('Z', 'z'),
    ])
      expect((await signIn(email, wrong)).status).toBe(422);
    expect((await signIn(email, composed)).status).toBe(200);
    expect((await signIn(email, decomposed)).status).toBe(200);
  });

  it('spaces at the ends are part of it', async () => {
    const { browser, email } = await atPassword();
    expect((await browser.submit({ password: ' a long way home ' })).status).toBe(200);
    expect((await signIn(email, 'a long way home')).status).toBe(422);
    expect((await signIn(email, ' a long way home ')).status).toBe(200);
  });

  it.each([
    ['en-US', /15 characters or more\. Spaces count\./, /You do not need special signs/, /You may paste it/],
    ['es-MX', /15 (caracteres|letras|signos).* o más\./, /No .*necesit.*especial/, /pegar/],
  ])('the page says so plainly, and lets it be pasted and kept (%s)', async (locale, length, signs, paste) => {
    const { browser } = await atPassword(locale);
    const page = browser.page();
    expect(page.text).toMatch(length);
    expect(page.text).toMatch(signs);
    expect(page.text).toMatch(paste);
    expect(page.text).not.toMatch(/upper.?case|may[uú]scula|a number|un número/i);
    const field = page.$('input[name=password]');
    expect(field?.getAttribute('autocomplete')).toBe('new-password');
    expect(Number(field?.getAttribute('maxlength') ?? 1_024)).toBeGreaterThanOrEqual(64);
    expect(Object.keys(field?.attributes ?? {}).filter((name) => /^on|pattern/.test(name))).toEqual([]);
    const short = await browser.submit({ password: 'short' });
    expect(short.text).toContain('15');
  });
});
