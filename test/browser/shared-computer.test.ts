import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { elementary } from '../provider/family.js';
import { password, register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { accessibilityProblems, openChromium } from '../support/chromium.js';
import type { Chromium } from '../support/chromium.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

describe('a grandfather at a library computer', () => {
  let house: TestHouse;
  let chromium: Chromium;
  let computer: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
    await register(openBrowser(), house, 'maria@example.org');
    chromium = await openChromium();
    computer = await chromium.device({ width: 1024 });
    page = await computer.newPage();
  });
  afterAll(async () => {
    await chromium.close();
    await house.close();
  });
  const type = async (name: string): Promise<string | null> => page.getAttribute(`[name=${name}]`, 'type');

  it('looks at the password while he types it, and it is hidden again', async () => {
    await page.goto(`${house.issuer}/sign-in`);
    await page.fill('[name=password]', password);
    expect(await type('password')).toBe('password');
    const button = page.getByRole('button', { name: 'Show password' });
    await button.click();
    expect(await type('password')).toBe('text');
    expect(await page.getByRole('button', { name: 'Hide password' }).getAttribute('aria-pressed')).toBe('true');
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Hide password' }).click();
    expect(await type('password')).toBe('password');
    expect(await page.inputValue('[name=password]')).toBe(password);
  });

  it('says that the computer is shared, and finds "I am done" on his pages', async () => {
    await page.fill('[name=identifier]', 'maria@example.org');
    await page.getByRole('button', { name: 'Show password' }).click();
    await page.getByLabel('A shared computer').check();
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(`${house.issuer}/`);
    expect(await page.textContent('main')).toContain('Ana');
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.goto(`${house.issuer}/help`);
    expect(await page.getByRole('button', { name: 'I am done' }).isVisible()).toBe(true);
  });

  it('leaves nothing: no cookie, and nothing behind the back button', async () => {
    await page.goto(`${house.running.get('echoices')?.url}/login`);
    await page.goto(`${house.issuer}/`);
    await page.getByRole('button', { name: 'I am done' }).click();
    await page.waitForURL((url) => url.href.startsWith(`${house.issuer}/done?end=`));
    // The apps' answers arrive while the page is read; which apps they are stays unsaid.
    await page.getByText('1 of 1 app confirmed').waitFor();
    expect(await page.textContent('main')).not.toContain('eChoices');
    expect(await page.title()).toContain('You are done');
    expect((await computer.cookies()).map(({ name }) => name)).toEqual([]);
    await page.goBack();
    expect(await page.textContent('main')).not.toContain('Ana');
    await page.goto(`${house.issuer}/password`);
    expect(await page.locator('[name=current]').count()).toBe(0);
  });

  it('without script there is no button that does nothing', async () => {
    const plain = await chromium.device({ script: false });
    const quiet = await plain.newPage();
    await quiet.goto(`${house.issuer}/sign-in`);
    expect(await quiet.locator('.pa-show-password').isVisible()).toBe(false);
  });
});
