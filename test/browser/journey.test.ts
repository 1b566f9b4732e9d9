/*
 * The main journey in a real Chromium on a small phone: eChoices ─▶ register ─▶ mail ─▶ password ─▶ terms ─▶ news ─▶ eChoices
 * ─▶ Cafeteria without a second password ─▶ portal ─▶ sign out. In English, in Spanish, and without script.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContext, Page, Response } from 'playwright-core';
import { elementary, secondary } from '../journeys/registration/fixture.js';
import { codeIn, linkIn, password } from '../journeys/steps.js';
import { accessibilityProblems, openChromium } from '../support/chromium.js';
import type { Chromium } from '../support/chromium.js';
import { eventually } from '../support/eventually.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { englishTextsOn } from './language.js';

interface Visitor {
  name: string;
  locale: string;
  lang: 'en' | 'es';
  script: boolean;
  way: 'link' | 'code';
}

const visitors: Visitor[] = [
  { name: 'a mother who reads English, by the link', locale: 'en-US', lang: 'en', script: true, way: 'link' },
  { name: 'a mother who reads Spanish, by the code', locale: 'es-MX', lang: 'es', script: true, way: 'code' },
  { name: 'a grandfather whose browser runs no script', locale: 'en-US', lang: 'en', script: false, way: 'link' },
];

describe.each(visitors)('$name', ({ locale, lang, script, way }) => {
  let house: TestHouse;
  let chromium: Chromium;
  let phone: BrowserContext;
  let page: Page;
  const complaints: string[] = [];
  const sizes = new Map<string, number>();

  beforeAll(async () => {
    house = await startTestHouse({ elementary, secondary, apps: twoApps });
    chromium = await openChromium();
    phone = await chromium.device({ locale, script });
    page = await phone.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('status of 4')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('response', (response) => void weigh(response));
  });
  afterAll(async () => {
    await chromium.close();
    await house.close();
  });

  async function weigh(response: Response): Promise<void> {
    if (!response.url().startsWith(house.issuer) || response.status() !== 200) return;
    const { responseBodySize } = await response
      .request()
      .sizes()
      .catch(() => ({ responseBodySize: 0 }));
    const { pathname } = new URL(response.url());
    // From the browser's cache the same file weighs nothing.
    sizes.set(pathname, Math.max(responseBodySize, sizes.get(pathname) ?? 0));
  }

  /** What holds on every page of ours. */
  async function lookAround(): Promise<void> {
    expect(page.url().startsWith(house.issuer)).toBe(true);
    expect(await page.getAttribute('html', 'lang')).toBe(lang);
    expect(lang === 'es' ? await englishTextsOn(page) : []).toEqual([]);
    // axe-core is a script itself; without script the same pages were looked at by the others.
    expect(script ? await accessibilityProblems(page) : []).toEqual([]);
    expect(script ? await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth') : true).toBe(true);
  }

  /** Presses, and waits for the page that comes: without that the old one might be looked at once more. */
  async function submit(selector = 'main button[type=submit]'): Promise<void> {
    await Promise.all([page.waitForEvent('load'), page.locator(selector).first().click()]);
  }

  it('comes from eChoices and asks to register; a mistake keeps what was typed', async () => {
    await page.goto(`${house.running.get('echoices')?.url}/login`);
    await lookAround();
    await submit('a[href^="/register"]');
    await lookAround();
    await page.fill('[name=email]', 'maria@example.org');
    await page.fill('[name=phone]', '12');
    await submit();
    await lookAround();
    expect(await page.inputValue('[name=email]')).toBe('maria@example.org');
    expect(await page.getAttribute('[name=phone]', 'aria-invalid')).toBe('true');
    await page.fill('[name=phone]', '(213) 555-0100');
    await submit();
    await lookAround();
    expect(page.url()).toContain('/register/sent');
  });

  it('goes on from the mail, chooses a password, accepts the terms, and is in eChoices with the children', async () => {
    const letter = await house.mailbox.waitFor('maria@example.org');
    if (way === 'link') {
      await page.goto(linkIn(letter, '/activate'));
      await lookAround();
      await submit();
    } else {
      await page.fill('[name=code]', codeIn(letter));
      await submit();
    }
    await lookAround();
    await page.fill('[name=password]', 'short');
    await submit();
    await lookAround();
    await page.fill('[name=password]', password);
    await submit();
    await lookAround();
    await submit('button[value=accept]');
    // One contact of each SIS: that they are together now is told once.
    await lookAround();
    await submit();
    await page.waitForURL(`${house.running.get('echoices')?.url}/**`);
    const text = (await page.textContent('body')) ?? '';
    expect(text).toContain('Ana');
    expect(text).toContain('Luis');
    expect(text).not.toContain('Tomas');
  });

  it('opens Cafeteria without a second password', async () => {
    await page.goto(`${house.running.get('cafeteria')?.url}/login`);
    expect(page.url().startsWith(house.running.get('cafeteria')?.url ?? '-')).toBe(true);
    expect(await page.textContent('body')).toContain('Ana');
  });

  it('sees the portal, help and the change of password, and signs out', async () => {
    for (const path of ['/help', '/terms', '/password', '/']) {
      await page.goto(house.issuer + path);
      await lookAround();
    }
    expect(await page.textContent('main')).toContain('Lincoln Elementary');
    await submit('header form button');
    await lookAround();
    expect(page.url()).toBe(`${house.issuer}/signed-out`);
    // The app's answer arrives while the page is read; without script the person looks again.
    const answered = page.getByText(/eChoices: (signed out|sesión cerrada)/);
    if (script) await answered.waitFor();
    else
      await eventually(
        async () => (await page.reload(), answered.isVisible()),
        (visible) => visible,
      );
    expect(await answered.isVisible()).toBe(true);
    await lookAround();
    await page.goto(`${house.running.get('echoices')?.url}/`);
    expect(await page.textContent('body')).not.toContain('Ana');
  });

  it('recovers', async () => {
    await page.goto(`${house.issuer}/recover`);
    await lookAround();
    await submit();
    await lookAround();
    await page.fill('[name=identifier]', 'maria@example.org');
    await submit();
    await lookAround();
    const letter = await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/recover/link'));
    await page.goto(linkIn(letter, '/recover/link'));
    await lookAround();
    await submit();
    await lookAround();
    await page.fill('[name=password]', `${password}, again`);
    await submit();
    expect(page.url()).toBe(`${house.issuer}/`);
    await page.goto(linkIn(letter, '/recover/link'));
    await submit();
    await lookAround();
    await page.goto(`${house.issuer}/nowhere`);
    await lookAround();
  });

  it('met no error of the browser', () => {
    expect(complaints).toEqual([]);
  });

  it('loads at most 30 KB, compressed, for whichever page comes first', () => {
    const sheet = [...sizes].find(([path]) => path.endsWith('.css'))?.[1] ?? 0;
    expect(sheet).toBeGreaterThan(1_000);
    const pages = [...sizes].filter(([path]) => !path.startsWith('/assets/'));
    expect(pages.length).toBeGreaterThan(8);
    expect(pages.filter(([, size]) => size < 500 || sheet + size > 30 * 1024)).toEqual([]);
  });
});
