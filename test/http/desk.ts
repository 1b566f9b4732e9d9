import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
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

/** One answer by hand. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A form sent with headers that no browser would send. */
export function send(
  address: string,
  fields: Record<string, string> | Buffer,
  headers: Record<string, string | string[]> = {},
  from = '127.0.0.1',
): Promise<Answer> {
  const { hostname, port, pathname, search, host, origin } = new URL(address);
  const body = Buffer.isBuffer(fields) ? fields : Buffer.from(new URLSearchParams(fields).toString());
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        path: `${pathname}${search}`,
        method: 'POST',
        localAddress: from,
        family: 4,
        headers: {
          host,
          origin,
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': body.length,
          ...headers,
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The form that a page shows, sent by hand with the browser's cookies. */
export async function sendFrom(
  browser: Browser,
  page: Page,
  fields: Record<string, string>,
  headers: Record<string, string | string[]>,
  from?: string,
): Promise<Answer> {
  const action = page.$('main form')?.getAttribute('action') ?? '';
  const cookie = await browser.jar.getCookieString(new URL(action, page.url).href);
  return send(new URL(action, page.url).href, fields, { cookie, ...headers }, from);
}
