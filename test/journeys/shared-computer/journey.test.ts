/*
 * sign-in "A shared computer" ─▶ app: shared_computer, no refresh token ─▶ 15 minutes without use, or 60 in all ─▶ over
 *                                                                        └ "I am done", on every page ─▶ nothing is left
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as client from 'openid-client';
import { elementary } from '../../provider/family.js';
import { openBrowser } from '../../support/browser.js';
import type { Browser } from '../../support/browser.js';
import { databases } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { relyingParty } from '../../support/relying-party.js';
import type { RelyingParty } from '../../support/relying-party.js';
import { acceptTerms, askToRegister, enterApp, linkIn, password, pressLink, register, signIn } from '../steps.js';

const maria = 'maria@example.org';
const probe = {
  registration: {
    client_id: 'probe',
    client_name: 'Probe',
    scope: 'openid profile students offline_access',
    student_facts: ['name' as const],
  },
};

describe.each(databases)('a shared computer, on %s', (kind) => {
  let house: TestHouse;
  let app: RelyingParty;
  beforeAll(async () => {
    house = await startTestHouse({ kind, elementary, apps: [...twoApps, probe] });
    app = await relyingParty(house, 'probe');
    await register(openBrowser(), house, maria);
  });
  afterAll(async () => {
    await app.close();
    await house.close();
  });

  async function signedIn(device: string): Promise<Browser> {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: maria, password, device });
    return browser;
  }
  const seesChildren = async (browser: Browser): Promise<boolean> =>
    (await browser.get(`${house.issuer}/`)).text.includes('Ana');
  const done = (browser: Browser) => browser.submit({}, { form: 'form[action="/done"]' });

  it('tells the app, and gives it no refresh token; another computer does neither', async () => {
    const shared = await app.tokens(await signedIn('shared'));
    expect(shared.refresh_token).toBeUndefined();
    expect(shared.claims()?.['shared_computer']).toBe(true);
    const info = await client.fetchUserInfo(app.configuration, shared.access_token, shared.claims()?.sub ?? '');
    expect(info['students']).toHaveLength(2);
    for (const device of ['own', 'kept']) {
      const own = await app.tokens(await signedIn(device));
      expect(own.refresh_token).toBeDefined();
      expect(own.claims()).not.toHaveProperty('shared_computer');
    }
  });

  it('ends after 15 minutes without use, for the person and for the app; use begins them anew', async () => {
    const browser = await signedIn('shared');
    const { access_token: token } = await app.tokens(browser);
    house.advance(14 * 60);
    expect(await seesChildren(browser)).toBe(true);
    house.advance(14 * 60);
    expect(await seesChildren(browser)).toBe(true);
    house.advance(16 * 60);
    expect(await seesChildren(browser)).toBe(false);
    const info = await fetch(`${house.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    expect(info.status).toBe(401);
  });

  it('counts what its apps ask as use', async () => {
    const browser = await signedIn('shared');
    const { access_token: token } = await app.tokens(browser);
    const ask = async (): Promise<number> =>
      (await fetch(`${house.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status;
    house.advance(14 * 60);
    expect(await ask()).toBe(200);
    house.advance(14 * 60);
    expect(await seesChildren(browser)).toBe(true);
  });

  it('ends after 60 minutes, however much it is used', async () => {
    const browser = await signedIn('shared');
    for (let minutes = 10; minutes < 60; minutes += 10) {
      house.advance(10 * 60);
      expect(await seesChildren(browser)).toBe(true);
    }
    house.advance(10 * 60 + 5);
    expect(await seesChildren(browser)).toBe(false);
  });

  it('of one’s own goes on through an hour without use', async () => {
    const browser = await signedIn('own');
    house.advance(3_600);
    expect(await seesChildren(browser)).toBe(true);
  });

  it('has "I am done" on every page; it asks nothing, leaves nothing, and the apps hear of it', async () => {
    const browser = openBrowser();
    await enterApp(browser, house, 'echoices');
    await browser.submit({ identifier: maria, password, device: 'shared' });
    expect((await enterApp(browser, house, 'cafeteria')).text).toContain('Ana');
    for (const path of ['/', '/help', '/password', '/permissions', '/register', '/nowhere']) {
      const page = await browser.get(`${house.issuer}${path}`);
      expect(page.$('header form[action="/done"] button')?.text.trim()).toBe('I am done');
      expect(page.$('header form[action="/leave"]')).toBeNull();
    }
    await browser.get(`${house.issuer}/`);
    const answer = await browser.submit({}, { form: 'form[action="/done"]', follow: false });
    expect(answer.headers['clear-site-data']).toBe('"cache", "cookies", "storage"');
    const left = Object.keys(await browser.cookies(house.issuer)).filter((name) => name.startsWith('pa-'));
    expect(left).toEqual([]);
    expect((await browser.get(`${house.issuer}/done`)).title).toContain('You are done');
    expect(await seesChildren(browser)).toBe(false);
    for (const name of ['echoices', 'cafeteria']) {
      const home = house.running.get(name)?.url ?? '';
      const told = await eventually(
        () => browser.get(home),
        ({ text }) => !text.includes('Ana'),
      );
      expect(told.text).not.toContain('Ana');
    }
  });

  it('has the button from the moment it is called one, also where a password is chosen', async () => {
    const browser = openBrowser();
    await askToRegister(browser, house, 'pedro@example.org', '(213) 555-0122');
    const letter = await house.mailbox.waitFor('pedro@example.org', ({ text }) => text.includes('/activate'));
    await pressLink(browser, linkIn(letter, '/activate'));
    const terms = await browser.submit({ password, shared: true });
    expect(terms.$('header form[action="/done"]')).not.toBeNull();
    await acceptTerms(browser);
    expect((await app.tokens(browser)).claims()?.['shared_computer']).toBe(true);
    expect(
      (await done(browser.page().$('form[action="/done"]') === null ? await atHome(browser) : browser)).title,
    ).toContain('You are done');
  });

  async function atHome(browser: Browser): Promise<Browser> {
    await browser.get(`${house.issuer}/`);
    return browser;
  }

  it.each(['never-was', '-'.repeat(36), 'f'.repeat(36), '00000000-0000-4000-8000-000000000000', '%00', "'"])(
    'says no more than that one is done for an end that never was, or is none: %s',
    async (end) => {
      const page = await openBrowser().get(`${house.issuer}/done?end=${end}`);
      expect([page.status < 500, page.text.includes('confirmed')]).toEqual([true, false]);
    },
  );

  it('is no longer one for the browser in which somebody says so', async () => {
    const browser = await signedIn('shared');
    await done(await atHome(browser));
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, maria);
    expect((await atHome(browser)).page().$('form[action="/done"]')).toBeNull();
  });

  it('is not said to be left by its address alone: who is signed in there is led home', async () => {
    for (const device of ['shared', 'own']) {
      const browser = await signedIn(device);
      for (const address of ['/done', `/done?end=${crypto.randomUUID()}`]) {
        const page = await browser.get(`${house.issuer}${address}`);
        expect([page.url, page.text.includes('You are signed out')]).toEqual([`${house.issuer}/`, false]);
        expect(page.text).toContain('Ana');
      }
    }
    expect((await openBrowser().get(`${house.issuer}/done`)).text).toContain('You are signed out');
  });

  it('refuses "I am done" from another site', async () => {
    const answer = await fetch(`${house.issuer}/done`, {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    });
    expect(answer.status).toBe(403);
  });
});
