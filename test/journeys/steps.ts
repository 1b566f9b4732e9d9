import type { Browser, Page } from '../support/browser.js';
import type { TestHouse } from '../support/house.js';
import type { ReceivedLetter } from '../support/mailbox.js';

export const password = 'a long way to school';

/** The link in a letter that leads to one of our pages. */
export function linkIn(letter: ReceivedLetter, path: '/activate' | '/recover/link'): string {
  const found = letter.text.match(/https?:\/\/\S+/g)?.find((address) => new URL(address).pathname === path);
  if (found === undefined) throw new Error(`No ${path} link in: ${letter.text}`);
  return found;
}

/** The six digits in a letter. */
export function codeIn(letter: ReceivedLetter): string {
  const found = /\b\d{6}\b/.exec(letter.text.replaceAll(/https?:\/\/\S+/g, ''))?.[0];
  if (found === undefined) throw new Error(`No code in: ${letter.text}`);
  return found;
}

/** Opens an app of the house and presses its "Sign in": shows the sign-in page. */
export async function enterApp(browser: Browser, house: TestHouse, app = 'echoices'): Promise<Page> {
  const home = house.running.get(app)?.url;
  if (home === undefined) throw new Error(`${app} does not run`);
  return browser.get(`${home}/login`);
}

/** From wherever one is: asks to register, and comes to the waiting page. */
export async function askToRegister(
  browser: Browser,
  house: TestHouse,
  email: string,
  phone = '(213) 555-0100',
  interaction = '',
): Promise<Page> {
  await browser.get(`${house.issuer}/register${interaction === '' ? '' : `?interaction=${interaction}`}`);
  return browser.submit({ email, phone });
}

/** Opens a mailed activation link and presses its button. */
export async function pressLink(browser: Browser, link: string): Promise<Page> {
  await browser.get(link);
  return browser.submit();
}

/** On the page that asks for a password: chooses it. */
export async function choosePassword(browser: Browser, fields: Record<string, string> = {}): Promise<Page> {
  return browser.submit({ password, ...fields });
}

/** On the terms: accepts them, and reads on where the account has news. */
export async function acceptTerms(browser: Browser): Promise<Page> {
  const page = await browser.submit({}, { button: 'decision=accept' });
  return page.$('form[action$="/news"]') === null ? page : browser.submit({}, { form: 'form[action$="/news"]' });
}

/** The whole registration in one browser, ending on the portal. */
export async function register(browser: Browser, house: TestHouse, email: string, phone?: string): Promise<Page> {
  await askToRegister(browser, house, email, phone);
  const letter = await house.mailbox.waitFor(email, ({ text }) => text.includes('/activate'));
  await pressLink(browser, linkIn(letter, '/activate'));
  await choosePassword(browser);
  return acceptTerms(browser);
}

/** On the sign-in page: signs in. */
export async function signIn(browser: Browser, identifier: string, secret = password): Promise<Page> {
  return browser.submit({ identifier, password: secret });
}

/** The interaction that the page shown belongs to. */
export function interactionOf(page: Page): string {
  const uid = /\/interaction\/([\w-]+)/.exec(page.url)?.[1];
  if (uid === undefined) throw new Error(`${page.url} is no page of an interaction`);
  return uid;
}
