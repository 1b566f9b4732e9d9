/*
 * What the main journey does not meet, in a real Chromium: turning back ─▶ the app · a shared mailbox ─▶ sign-in name, code to
 * keep · a vendor's app ─▶ consent ─▶ the app · a link used twice, one that never was · an app that is not known · a lost way.
 * The browser itself holds our headers here: every step from a form to another origin is one that `form-action` must allow.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { words } from '../../examples/linked-app/words.js';
import { linkIn, password } from '../journeys/steps.js';
import { row } from '../sis/extract.js';
import { accessibilityProblems, openChromium } from '../support/chromium.js';
import type { Chromium } from '../support/chromium.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestApp, TestHouse } from '../support/house.js';
import { englishTextsOn } from './language.js';

const shared = 'casa@example.org';
const elementary = [
  row('Ana', 'Maria', { ed_rights: 'yes', contact_id: 'E1', email: shared, phone1: '(213) 555-0101' }),
  row('Luis', 'Rosa', { ed_rights: 'yes', contact_id: 'E2', email: shared, phone1: '(213) 555-0102' }),
];
const vendor: TestApp = {
  registration: {
    client_id: 'homework',
    client_name: 'Homework Helper',
    scope: 'openid profile email students offline_access',
    party: 'vendor',
    subject_type: 'pairwise',
    student_facts: ['name', 'grade'],
  },
  run: true,
};

describe.each(['en', 'es'] as const)('the ways beside the journey, in %s', (locale) => {
  let house: TestHouse;
  let chromium: Chromium;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: [...twoApps, vendor] });
    chromium = await openChromium();
    page = await newPhone();
  });
  afterAll(async () => {
    await chromium.close();
    await house.close();
  });

  async function newPhone(): Promise<Page> {
    const phone = await chromium.device({ locale });
    const opened = await phone.newPage();
    opened.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('status of 4')) complaints.push(message.text());
    });
    return opened;
  }

  async function lookAround(): Promise<void> {
    expect(page.url().startsWith(house.issuer)).toBe(true);
    expect(await page.getAttribute('html', 'lang')).toBe(locale);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    expect(locale === 'es' ? await englishTextsOn(page) : []).toEqual([]);
  }

  const app = (name: string): string => house.running.get(name)?.url ?? '-';
  /** Presses, and waits for the page that comes: without that the old one might be looked at once more. */
  async function submit(selector = 'main button[type=submit]'): Promise<void> {
    await Promise.all([page.waitForEvent('load'), page.locator(selector).first().click()]);
  }

  async function openLetter(phone: string): Promise<string> {
    const before = house.mailbox.to(shared).length;
    await page.goto(`${house.issuer}/register`);
    await submit();
    await lookAround();
    await page.fill('[name=email]', shared);
    await page.fill('[name=phone]', phone);
    await submit();
    await page.fill('[name=code]', '000000');
    await submit();
    await lookAround();
    const letter = await house.mailbox.waitFor(
      shared,
      ({ text }) => text.includes('/activate') && house.mailbox.to(shared).length > before,
    );
    const link = linkIn(letter, '/activate');
    await page.goto(link);
    await submit();
    await lookAround();
    return link;
  }

  it('turns back from the sign-in page to the app, which says that nothing was shared', async () => {
    await page.goto(`${app('echoices')}/login`);
    await submit();
    await lookAround();
    await page.fill('[name=identifier]', 'stranger@example.org');
    await page.fill('[name=password]', password);
    await submit();
    await lookAround();
    expect(await page.inputValue('[name=identifier]')).toBe('stranger@example.org');
    await submit('form[action$="/cancel"] button');
    expect(page.url().startsWith(app('echoices'))).toBe(true);
    expect(await page.textContent('main')).toContain(words[locale].cancelled);
  });

  it('keeps a code on a shared mailbox; the second person chooses a sign-in name', async () => {
    await openLetter('(213) 555-0101');
    await page.fill('[name=password]', password);
    await submit();
    await lookAround();
    expect(await page.textContent('.pa-secret__code')).toMatch(/^[A-Z2-9]{4}(-[A-Z2-9]{4})+$/);
    await submit('main a.usa-button');
    await submit('button[value=accept]');
    expect(page.url()).toBe(`${house.issuer}/`);
    expect(await page.textContent('main')).toContain('Ana');

    page = await newPhone();
    const link = await openLetter('(213) 555-0102');
    await page.fill('[name=signInName]', 'rosa.lopez');
    await page.fill('[name=password]', 'password password');
    await submit();
    await lookAround();
    expect(await page.inputValue('[name=signInName]')).toBe('rosa.lopez');
    await page.fill('[name=password]', password);
    await submit();
    await lookAround();
    await submit('main a.usa-button');
    await submit('button[value=accept]');
    expect(await page.textContent('main')).toContain('Luis');

    await page.goto(link);
    await submit();
    await lookAround();
    await page.goto(`${house.issuer}/activate?token=never-was-one`);
    await submit();
    await lookAround();
  });

  it('asks before a vendor gets anything, and leads on to the vendor, or back with a no', async () => {
    for (const answer of ['/cancel', '/consent']) {
      await page.goto(`${app('homework')}/login`);
      await lookAround();
      expect(await page.textContent('h1')).toContain('Homework Helper');
      await submit(`form[action$="${answer}"] button`);
      expect(page.url().startsWith(app('homework'))).toBe(true);
    }
    expect(await page.textContent('body')).toContain('Luis');
  });

  it('says what to do where an app or a way is not known', async () => {
    const lost = [
      '/authorize?client_id=nobody&response_type=code&redirect_uri=https://elsewhere.example/',
      '/authorize?client_id=echoices&response_type=code&redirect_uri=https://elsewhere.example/&scope=openid',
      '/interaction/never-was-one',
      '/activate/password',
      '/nowhere',
    ];
    for (const path of lost) {
      await page.goto(house.issuer + path);
      await lookAround();
      expect(await page.locator('main a.usa-button:not(.usa-button--outline)').count()).toBe(1);
    }
  });

  it('met no error of the browser and nothing that our headers forbid', () => {
    expect(complaints).toEqual([]);
  });
});
