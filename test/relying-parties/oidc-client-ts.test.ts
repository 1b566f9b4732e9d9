/*
 * Two apps without a server of their own, on oidc-client-ts as it is published, in a real Chromium: one that renews with its
 * refresh token, and one without any, that renews in a hidden frame with `prompt=none`.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { elementary, secondary } from '../journeys/registration/fixture.js';
import { password, register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { openChromium } from '../support/chromium.js';
import type { Chromium } from '../support/chromium.js';
import { startTestHouse } from '../support/house.js';
import type { TestApp, TestHouse } from '../support/house.js';
import { serveBrowserApp } from './browser-app.js';
import type { BrowserApp } from './browser-app.js';

const apps: readonly TestApp[] = [
  {
    registration: {
      client_id: 'planner',
      client_name: 'Planner',
      token_endpoint_auth_method: 'none',
      scope: 'openid profile students offline_access',
      student_facts: ['name', 'grade'],
    },
  },
  {
    registration: {
      client_id: 'noticeboard',
      client_name: 'Noticeboard',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      scope: 'openid profile students',
      student_facts: ['name'],
    },
  },
];

/** What oidc-client-ts keeps of whoever is signed in. */
interface User {
  access_token: string;
  id_token: string;
  refresh_token?: string;
  profile: { sub: string; name: string; students: Array<{ name: string; grade?: string }> };
}

describe('oidc-client-ts in the browser', () => {
  let house: TestHouse;
  let chromium: Chromium;
  let device: BrowserContext;
  let page: Page;
  let planner: BrowserApp;
  let noticeboard: BrowserApp;
  /** The requests that the browser sent to the house since they were last cleared, as `METHOD path`. */
  const sent: string[] = [];

  beforeAll(async () => {
    house = await startTestHouse({ elementary, secondary, apps });
    planner = await serveBrowserApp(house, 'planner');
    noticeboard = await serveBrowserApp(house, 'noticeboard');
    await register(openBrowser(), house, 'maria@example.org');
    chromium = await openChromium();
    device = await chromium.device();
    page = await device.newPage();
    page.on('request', (request) => {
      const { origin, pathname } = new URL(request.url());
      if (origin === house.issuer) sent.push(`${request.method()} ${pathname}`);
    });
  });
  afterAll(async () => {
    await chromium.close();
    await planner.close();
    await noticeboard.close();
    await house.close();
  });

  /** What the app shows once it is done. */
  async function shown(): Promise<string> {
    await page.waitForFunction(
      "!['starting', 'sign-in', 'renew', 'sign-out'].includes(document.getElementById('shown')?.textContent ?? 'starting')",
    );
    return (await page.textContent('#shown')) ?? '';
  }

  async function user(): Promise<User> {
    const text = await shown();
    if (!text.startsWith('{')) throw new Error(`The app shows no user: ${text}`);
    return JSON.parse(text) as User;
  }

  async function renew(): Promise<User> {
    sent.length = 0;
    await page.click('#renew');
    return user();
  }

  /** What a script on the page shown gets from an endpoint: the status, or that the browser keeps the answer from it. */
  async function ask(path: '/token' | '/userinfo', init: Record<string, unknown>): Promise<string> {
    const request = `fetch(${JSON.stringify(house.issuer + path)}, ${JSON.stringify(init)})`;
    return page.evaluate<string>(`${request}.then((answer) => String(answer.status), () => 'kept away')`);
  }
  const bearer = (token: string): Record<string, unknown> => ({ headers: { authorization: `Bearer ${token}` } });
  const refresh = (token: string): Record<string, unknown> => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `grant_type=refresh_token&client_id=planner&refresh_token=${encodeURIComponent(token)}`,
  });

  it('signs a parent in and reads the children from userinfo', async () => {
    await page.goto(planner.home);
    expect(await shown()).toBe('nobody');
    await page.click('#sign-in');
    await page.fill('[name=identifier]', 'maria@example.org');
    await page.fill('[name=password]', password);
    await page.click('main button[type=submit]');
    await page.waitForURL(`${planner.home}callback?**`);
    const { profile, refresh_token: refreshToken } = await user();
    expect(profile.students.map(({ name, grade }) => [name, grade])).toEqual([
      ['Ana López', '3'],
      ['Luis López', '9'],
    ]);
    expect(profile.name).toBe('Maria López');
    expect(refreshToken).toEqual(expect.any(String));
    expect(sent).toEqual(expect.arrayContaining(['POST /token', 'GET /userinfo']));
  });

  it('keeps an origin that is not registered from token and userinfo', async () => {
    const { access_token: accessToken, refresh_token: refreshToken = '' } = await user();
    expect(await ask('/userinfo', bearer(accessToken))).toBe('200');
    const own = page;
    page = await device.newPage();
    await page.goto(planner.strangeHome);
    expect(await ask('/userinfo', bearer(accessToken))).toBe('kept away');
    expect(await ask('/token', refresh(refreshToken))).toBe('kept away');
    await page.close();
    page = own;
  });

  it('renews by the refresh token, in no frame, and gets another one', async () => {
    // The stranger's attempt above did not use the token up.
    const before = await user();
    const after = await renew();
    expect(sent.filter((line) => !line.startsWith('OPTIONS'))).toEqual(['POST /token', 'GET /userinfo']);
    expect(after.access_token).not.toBe(before.access_token);
    expect(after.refresh_token).not.toBe(before.refresh_token);
    expect(after.profile.sub).toBe(before.profile.sub);
    expect(after.profile.students).toHaveLength(2);
    expect(await ask('/token', refresh(after.refresh_token ?? ''))).toBe('200');
  });

  it('renews an app without refresh token in a hidden frame, without a page of ours', async () => {
    await page.goto(noticeboard.home);
    await page.click('#sign-in');
    await page.waitForURL(`${noticeboard.home}callback?**`);
    const before = await user();
    expect(before.refresh_token).toBeUndefined();
    const after = await renew();
    expect(sent).toEqual(expect.arrayContaining(['GET /authorize', 'POST /token']));
    expect(sent.filter((line) => line.includes('/interaction'))).toEqual([]);
    expect(after.access_token).not.toBe(before.access_token);
    expect(after.id_token).not.toBe(before.id_token);
    expect(after.profile.sub).toBe(before.profile.sub);
    expect(after.profile.students.map(({ name, grade }) => [name, grade])).toEqual([
      ['Ana López', undefined],
      ['Luis López', undefined],
    ]);
  });

  it('signs out and comes back; the other app then cannot renew', async () => {
    await page.goto(planner.home);
    await user();
    await page.click('#sign-out');
    await page.click('button[name=logout]');
    await page.waitForURL((url) => url.origin + url.pathname === planner.home);
    expect(await shown()).toBe('nobody');
    await page.goto(noticeboard.home);
    await user();
    await page.click('#renew');
    expect(await shown()).toBe('failed: login_required');
  });
});
