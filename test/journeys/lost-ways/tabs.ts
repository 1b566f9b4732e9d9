import { openBrowser } from '../../support/browser.js';
import type { Browser, Page } from '../../support/browser.js';

/** Brings the cookies of one tab to another of the same browser. */
export async function share(from: Browser, to: Browser, origins: readonly string[]): Promise<void> {
  await to.jar.removeAllCookies();
  for (const origin of origins) {
    for (const cookie of await from.jar.getCookies(origin, { allPaths: true, sameSiteContext: 'strict' })) {
      await to.jar.setCookie(cookie, origin);
    }
  }
}

/** A browser that keeps no cookie at all. */
export function forgetfulBrowser(): Browser {
  const browser = openBrowser();
  Object.assign(browser.jar, { setCookie: () => Promise.resolve(undefined) });
  return browser;
}

/** What every page of a lost way must be: no fault of ours, a sentence, and a link or a form to go on with. */
export function problemsOf(page: Page): string[] {
  return [
    ...(page.status < 500 ? [] : [`${page.url} answers ${page.status}`]),
    ...(page.text.trim().length > 20 ? [] : [`${page.url} says nothing`]),
    ...(page.$$('main a[href], main form').length > 0 ? [] : [`${page.url} leads nowhere`]),
    ...(/\bat \S+\.[jt]s\b|SessionNotFound|TypeError|invalid_request/.test(page.text)
      ? [`${page.url} shows a fault: ${page.text}`]
      : []),
  ];
}
