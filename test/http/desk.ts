import { raw } from '../attacks/raw.js';
import type { RawAnswer } from '../attacks/raw.js';
import { openBrowser } from '../support/browser.js';
import type { Browser, Page } from '../support/browser.js';
import type { TestHouse } from '../support/house.js';

/** A browser at a sign-in page. */
export async function atSignIn(house: TestHouse, from: string): Promise<Browser> {
  const browser = openBrowser({ from });
  await browser.get(`${house.issuer}/sign-in`);
  return browser;
}

/** Types a pair on the sign-in page that the browser shows; a page that refused shows the form again. */
export async function tries(browser: Browser, identifier: string, password: string, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let time = 0; time < times; time += 1) statuses.push((await browser.submit({ identifier, password })).status);
  return statuses;
}

/** A form sent with headers that no browser would send. */
export function send(
  address: string,
  fields: Record<string, string> | Buffer,
  headers: Record<string, string | string[]> = {},
  from = '127.0.0.1',
): Promise<RawAnswer> {
  const { pathname, search, origin } = new URL(address);
  return raw(origin, {
    target: `${pathname}${search}`,
    body: fields,
    headers: { origin, accept: '*/*', ...headers },
    from,
  });
}

/** How many requests for a letter there are. */
export async function letterRequests(house: TestHouse): Promise<number> {
  return (await house.db.selectFrom('account_requests').select('id').execute()).length;
}

/** The form that a page shows, sent by hand with the browser's cookies. */
export async function sendFrom(
  browser: Browser,
  page: Page,
  fields: Record<string, string>,
  headers: Record<string, string | string[]>,
  from?: string,
): Promise<RawAnswer> {
  const action = page.$('main form')?.getAttribute('action') ?? '';
  const cookie = await browser.jar.getCookieString(new URL(action, page.url).href);
  return send(new URL(action, page.url).href, fields, { cookie, ...headers }, from);
}
