import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import Router from '@koa/router';
import type { RouterInstance } from '@koa/router';
import { acceptTerms, askToRegister, choosePassword, enterApp, linkIn } from '../journeys/steps.js';
import { pressLink, register, signIn } from '../journeys/steps.js';
import { apps, elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import type { Browser, Page } from '../support/browser.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { relyingParty } from '../support/relying-party.js';

/** Row 8: every page and asset that a person can reach by links, and each page of a sign-in, carries what protects it. */
describe('every page and asset', () => {
  let house: TestHouse;
  const mother = openBrowser();
  const seen = new Map<string, Page>();
  // The routers of the house itself, so that no page can be added and left out here.
  const built = jest.spyOn(Router.prototype, 'routes');
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: [...twoApps, ...apps.slice(3, 4)] });
    await register(mother, house, 'maria@example.org');
  });
  afterAll(() => house.close());

  /** The addresses of our own that a page leads to or loads; a language link only repeats the page. */
  function reachable(page: Page): string[] {
    return page
      .$$('a[href], link[href], script[src], img[src]')
      .map((element) => element.getAttribute('href') ?? element.getAttribute('src') ?? '')
      .map((address) => new URL(address, page.url))
      .filter(({ origin, pathname }) => origin === house.issuer && pathname !== '/language')
      .map(({ pathname, search }) => `${pathname}${search}`);
  }

  async function crawl(browser: Browser, start: Page): Promise<void> {
    const waiting = [start];
    for (let page = waiting.shift(); page !== undefined; page = waiting.shift()) {
      const { pathname, search, origin } = new URL(page.url);
      const who = browser === mother ? 'mother ' : '';
      if (origin !== house.issuer || seen.has(`${who}${pathname}${search}`)) continue;
      seen.set(`${who}${pathname}${search}`, page);
      for (const path of reachable(page)) {
        if (!seen.has(`${who}${path}`)) waiting.push(await browser.get(`${house.issuer}${path}`));
      }
    }
  }

  /** Registers, forgets the password and leaves, and keeps each page on the way: no link alone leads there. */
  async function walk(): Promise<void> {
    const pedro = openBrowser();
    const keep = (page: Page): void => void seen.set(`step ${seen.size} ${new URL(page.url).pathname}`, page);
    const letter = (path: string) => house.mailbox.waitFor('pedro@example.org', ({ text }) => text.includes(path));
    keep(await askToRegister(pedro, house, 'pedro@example.org', '(213) 555-0122'));
    keep(await pedro.get(linkIn(await letter('/activate'), '/activate')));
    keep(await pedro.submit());
    keep(await choosePassword(pedro));
    keep(await acceptTerms(pedro));
    const forgetful = openBrowser();
    await forgetful.get(`${house.issuer}/recover`);
    keep(await forgetful.submit({ identifier: 'pedro@example.org' }));
    keep(await pressLink(forgetful, linkIn(await letter('/recover/link'), '/recover/link')));
    keep(await choosePassword(forgetful));
    await forgetful.get(`${house.issuer}/`);
    keep(await forgetful.submit({}, { form: 'form[action="/leave"]' }));
  }

  it('is found: as a stranger, signed in, and on the way through a sign-in', async () => {
    const stranger = openBrowser();
    await crawl(stranger, await stranger.get(`${house.issuer}/`));
    await crawl(mother, await mother.get(`${house.issuer}/`));
    for (const path of [
      '/register/sent',
      '/recover/sent',
      '/activate?token=x',
      '/recover/link?token=x',
      '/done',
      '/terms',
    ])
      await crawl(stranger, await stranger.get(`${house.issuer}${path}`));
    for (const path of [
      '/confirm-email?token=x',
      '/sign-out',
      '/activate/password',
      '/recover/password',
      '/password/changed',
      '/nowhere',
    ])
      await crawl(mother, await mother.get(`${house.issuer}${path}`));
    const entering = openBrowser();
    await crawl(entering, await enterApp(entering, house));
    const vendor = await relyingParty(house, 'homework');
    await crawl(entering, await entering.get((await vendor.request()).url.href));
    await crawl(mother, await mother.get((await vendor.request()).url.href));
    await vendor.close();
    await walk();
    const passing = openBrowser();
    for (const path of ['/sign-in', '/signed-in', '/language?locale=es', '/authorize'])
      seen.set(`passing ${path}`, await passing.get(`${house.issuer}${path}`, { follow: false }));
    const found = [...seen.keys()].map((path) => path.replace(/[\w-]{40,}|(?<=interaction[/=])[\w-]+/, ':id'));
    for (const path of [
      '/',
      '/help',
      '/register',
      '/interaction/:id',
      'mother /',
      'mother /password',
      'mother /permissions',
    ])
      expect(found).toContain(path);
    // All but the script of pages that answer a form: no link leads to those.
    expect(found.filter((path) => path.startsWith('/assets/')).length).toBe(4);
    expect(seen.size).toBeGreaterThan(20);
  });

  it('is every page that there is, and not only its refusal', () => {
    const routers = built.mock.contexts as RouterInstance[];
    const routes = routers.flatMap(({ stack }) => stack).filter(({ methods }) => methods.includes('GET'));
    expect(routes.length).toBeGreaterThan(15);
    const shown = [...seen.values()].filter(({ status }) => status < 400).map(({ url }) => new URL(url).pathname);
    const missed = routes.filter((route) => !shown.some((path) => route.match(path)));
    expect(missed.map(({ path }) => path)).toEqual([]);
  });

  it('is guarded against scripts, frames and sniffing', () => {
    for (const [path, { headers }] of seen) {
      const policy = String(headers['content-security-policy']);
      const rules = new Map(policy.split(';').map((rule) => [rule.trim().split(' ')[0], rule.trim()]));
      expect([path, rules.get('default-src')]).toEqual([path, "default-src 'none'"]);
      expect(rules.get('script-src')).toBe("script-src 'self'");
      expect(rules.get('style-src')).toBe("style-src 'self'");
      expect(rules.get('frame-ancestors')).toBe("frame-ancestors 'none'");
      expect(rules.get('base-uri')).toBe("base-uri 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:(?!\/\/localhost)/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'strict-origin',
        'cross-origin-opener-policy': 'same-origin',
      });
      expect(headers['permissions-policy']).toContain('camera=()');
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
    }
  });

  it('opens its forms to the app of its own interaction and to nobody else', () => {
    const origins = [...house.apps.values()].map((app) => [
      app.client_name,
      new URL(app.redirect_uris[0] ?? '').origin,
    ]);
    let opened = 0;
    for (const [path, page] of seen) {
      const action = /form-action ([^;]*)/.exec(String(page.headers['content-security-policy']))?.[1] ?? '';
      // To our own portal a sign-in leads as to an app: our own origin by its name.
      const elsewhere = action.replace(` ${house.issuer}`, '');
      const isInteraction = page.$('main form[action^="/interaction/"]') !== null;
      const [, origin = ''] = origins.find(([name = '']) => isInteraction && page.title.includes(name)) ?? [];
      if (origin !== '') opened += 1;
      expect([path, elsewhere]).toEqual([path, `'self' ${origin}`.trim()]);
    }
    expect(opened).toBeGreaterThanOrEqual(3);
  });

  it('is kept by nobody when it is a page, and for ever when it is a file', () => {
    for (const [path, { headers, status }] of seen) {
      // What only leads on is no page; nobody keeps a 302 that does not say so (RFC 9110 §15.4.3).
      if (status === 302 && headers['cache-control'] === undefined) continue;
      const kept = path.includes('/assets/') ? 'public, max-age=31536000, immutable' : /no-store/;
      expect([path, headers['cache-control']]).toEqual([path, expect.stringMatching(kept)]);
    }
  });

  it('has no script or style within, and posts only to us', () => {
    for (const page of seen.values()) {
      if (page.headers['content-type']?.includes('html') !== true) continue;
      expect(page.$$('style, [style], script:not([src]), iframe, object, embed, base')).toEqual([]);
      expect(page.body).not.toMatch(/<[^>]+\son[a-z]+=/i);
      for (const form of page.$$('form')) {
        expect(form.getAttribute('method')).toBe('post');
        expect(form.getAttribute('action')).toMatch(/^\/(?!\/)/);
      }
    }
  });

  it('of a person is gone for who goes back after signing out', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    expect((await signIn(browser, 'maria@example.org')).headers['cache-control']).toContain('no-store');
  });
});
