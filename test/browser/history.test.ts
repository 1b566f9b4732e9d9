import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { linkIn, password, register } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import { openChromium } from '../support/chromium.js';
import type { Chromium } from '../support/chromium.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

const maria = 'maria@example.org';
const almost = `${password}s`;
const next = 'another long way to school';

const home = 'main >> text=Ana';

/** A browser keeps a form beside the page that answered it, and sends it again, for all to read, to whoever goes back. */
describe('the history of a shared computer', () => {
  let house: TestHouse;
  let chromium: Chromium;
  beforeAll(async () => {
    house = await startTestHouse({ elementary });
    await register(openBrowser(), house, maria);
    chromium = await openChromium();
  });
  afterAll(async () => {
    await chromium.close();
    await house.close();
  });

  async function sit(): Promise<{ computer: BrowserContext; page: Page; sent: string[] }> {
    const computer = await chromium.device({ width: 1024 });
    const page = await computer.newPage();
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.postData() ?? '');
    });
    return { computer, page, sent };
  }

  /** Goes back page by page to the beginning, and loads each again. */
  async function goThrough(page: Page): Promise<void> {
    const pages = await page.evaluate(() => history.length);
    for (let back = 1; back < pages; back += 1) {
      await page.goBack().catch(() => null);
      if (page.url() !== 'about:blank') await page.reload().catch(() => null);
    }
  }

  async function press(page: Page, button: string): Promise<void> {
    const answered = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.getByRole('button', { name: button, exact: true }).click();
    await answered;
    await page.waitForLoadState();
  }

  it('sends no password again, mistyped or right, old or new', async () => {
    const { computer, page, sent } = await sit();
    await page.goto(`${house.issuer}/sign-in`);
    await page.fill('[name=identifier]', maria);
    for (const typed of [almost, password]) {
      await page.fill('[name=password]', typed);
      await page.getByLabel('A shared computer').check();
      await press(page, 'Sign in');
    }
    await page.waitForURL(`${house.issuer}/`);
    await page.goto(`${house.issuer}/password`);
    for (const typed of [almost, password]) {
      await page.fill('[name=current]', typed);
      await page.fill('[name=password]', next);
      await press(page, 'Save new password');
    }
    expect(await page.title()).toContain('Your password is changed');
    await press(page, 'I am done');
    expect(sent.filter((body) => body.includes('password='))).toHaveLength(4);
    sent.length = 0;
    await goThrough(page);
    expect(sent).toEqual([]);
    await computer.close();
  });

  it('and its other tabs show nothing any more when somebody is done', async () => {
    const { computer, page } = await sit();
    await page.goto(`${house.issuer}/sign-in`);
    await page.fill('[name=identifier]', maria);
    await page.fill('[name=password]', next);
    await page.getByLabel('A shared computer').check();
    await press(page, 'Sign in');
    const other = await computer.newPage();
    await other.goto(`${house.issuer}/`);
    expect(await other.locator(home).count()).toBeGreaterThan(0);
    await press(page, 'I am done');
    await other.locator(home).first().waitFor({ state: 'detached' });
    expect(await other.textContent('body')).not.toContain('Ana');
    await computer.close();
  });

  it('nor do the tabs of one’s own when somebody signs out, whatever the computer was called', async () => {
    const { computer, page } = await sit();
    await page.goto(`${house.issuer}/sign-in`);
    await page.fill('[name=identifier]', maria);
    await page.fill('[name=password]', next);
    await press(page, 'Sign in');
    const other = await computer.newPage();
    await other.goto(`${house.issuer}/`);
    expect(await other.locator(home).count()).toBeGreaterThan(0);
    await press(page, 'Sign out');
    await other.locator(home).first().waitFor({ state: 'detached' });
    expect(await other.textContent('body')).not.toContain('Ana');
    await computer.close();
  });

  it('sends no chosen password again', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: maria });
    const letter = await house.mailbox.waitFor(maria, ({ text }) => text.includes('/recover/link'));
    const { computer, page, sent } = await sit();
    await page.goto(linkIn(letter, '/recover/link'));
    await page.locator('main form button').click();
    await page.waitForURL(`${house.issuer}/recover/password`);
    for (const typed of ['too short', password]) {
      await page.fill('[name=password]', typed);
      await page.locator('[name=shared]').check();
      await press(page, 'Save new password');
    }
    await page.waitForURL(`${house.issuer}/`);
    await press(page, 'I am done');
    sent.length = 0;
    await goThrough(page);
    expect(sent).toEqual([]);
    await computer.close();
  });
});
