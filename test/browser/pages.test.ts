/*
 * Every page as a reader may meet it, in both languages, in a real Chromium at the narrowest width that WCAG 2.2 asks for
 * (1.4.10: 320 CSS pixels): with its errors, with nothing to show, with long names. Served with our own headers.
 */
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Koa from 'koa';
import type { BrowserContext, Page } from 'playwright-core';
import { activationLetter } from '../../src/accounts/letters.js';
import { serveAssets } from '../../src/http/assets.js';
import { askAgain, securityHeaders } from '../../src/http/security-headers.js';
import { locales, translator } from '../../src/locales/translate.js';
import { assets } from '../../src/ui/assets.js';
import { accessibilityProblems, openChromium } from '../support/chromium.js';
import type { Chromium } from '../support/chromium.js';
import { gallery } from '../ui/gallery.js';
import { englishTextsOn } from './language.js';

const longName = 'maria.guadalupe.fernandez.de.la.garza@correo-electronico.example.org';

/** What differs from a page already looked at in nothing but its words, as another language does; its errors are looked at once more. */
const sameMarkup = {
  en: /, long$|^problem (?!unknown-app|alone)|^link (?!expired|session)/,
  es: /, long$|(?<! errors)$/,
};

/** The texts of what is touched and is not as high as a thumb needs. */
const tooSmall = `[...document.querySelectorAll('a, button, label')]
  .filter((target) => target.matches('body > :not(.usa-skipnav) *') && !target.matches('.usa-label'))
  .filter((target) => target.getBoundingClientRect().height < 44)
  .map((target) => target.textContent)`;

describe.each(locales)('every page in %s', (locale) => {
  const exhibits = [
    ...gallery(locale),
    ...gallery(locale, longName).map(({ name, html }) => ({ name: `${name}, long`, html })),
  ];
  let server: Server;
  let chromium: Chromium;
  let device: BrowserContext;
  let page: Page;
  let origin = '';
  const complaints: string[] = [];

  beforeAll(async () => {
    const app = new Koa();
    app.use(securityHeaders('http://localhost'));
    app.use(serveAssets(assets));
    app.use(async (ctx) => {
      ctx.type = 'html';
      const html = exhibits[Number(ctx.path.slice(1))]?.html ?? '';
      ctx.body = html;
      if (html.includes('data-live')) askAgain(ctx);
    });
    await new Promise<void>((resolve) => {
      server = app.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    origin = `http://localhost:${address.port}`;
    chromium = await openChromium();
    device = await chromium.device({ locale, width: 320, height: 640 });
    page = await device.newPage();
    page.on('console', (message) => complaints.push(`${page.url()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterAll(async () => {
    await chromium.close();
    server.closeAllConnections();
    server.close();
  });

  it.each(exhibits.map(({ name }, at) => ({ name, at })))(
    '$name: no barrier, no sideways scrolling',
    async ({ name, at }) => {
      await page.goto(`${origin}/${at}`);
      expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);
      expect(sameMarkup[locale].test(name) ? [] : await accessibilityProblems(page)).toEqual([]);
      expect(locale === 'es' ? await englishTextsOn(page) : []).toEqual([]);
    },
  );

  it.each(exhibits.map(({ name }, at) => ({ name, at })).filter(({ name }) => name.endsWith(' errors')))(
    '$name: a reader begins with what is wrong, and comes from there to the field',
    async ({ at }) => {
      await page.goto(`${origin}/${at}`);
      expect(await page.locator(':focus').getAttribute('aria-labelledby')).toBe('error-summary');
      const link = page.locator('[role=alert] a').last();
      const field = (await link.getAttribute('href'))?.slice(1);
      await link.click();
      expect(await page.locator(':focus').getAttribute('id')).toBe(field);
    },
  );

  it('a letter fits a phone too, however long its link', async () => {
    const link = `http://localhost/activate?token=${'a1B2'.repeat(20)}`;
    const letter = activationLetter(translator(locale), {
      link,
      code: '123456',
      hours: 24,
      minutes: 10,
      appName: longName,
    });
    // A page of its own: the last one shown would hold the letter to our headers.
    const reader = await device.newPage();
    await reader.setContent(letter.html);
    expect(await reader.getAttribute('body > div', 'lang')).toBe(locale);
    expect(await reader.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);
    await reader.close();
  });

  it('would be noticed to speak English', async () => {
    await page.goto(`${origin}/0`);
    const found = await englishTextsOn(page);
    expect(found.includes('login.keep') && found.includes('site.help')).toBe(locale === 'en');
  });

  it('has nothing that a thumb could miss: 44 CSS pixels high', async () => {
    const small: string[] = [];
    for (const at of gallery(locale).keys()) {
      await page.goto(`${origin}/${at}`);
      const found = await page.evaluate<string[]>(tooSmall);
      small.push(...found.map((text) => `${exhibits[at]?.name}: ${text}`));
    }
    expect(small).toEqual([]);
  });

  it('met no word of the browser about what our headers forbid', () => {
    expect(complaints).toEqual([]);
  });
});
