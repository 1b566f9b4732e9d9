import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { interactionOf, linkIn, password, pressLink, register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import type { RelyingParty } from '../support/relying-party.js';
import { raw } from './raw.js';

const maria = { identifier: 'maria@example.org', password };

describe('row 7: interactions of another browser', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  beforeAll(async () => {
    ({ house, echoices } = await familyHouse('echoices'));
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
  });
  afterAll(() => house.close());

  async function begun(browser: Browser): Promise<string> {
    return interactionOf(await browser.get((await echoices.request()).url.href));
  }
  const cookiesOf = (browser: Browser, uid: string): Promise<Record<string, string>> =>
    browser.cookies(`${house.issuer}/interaction/${uid}`);
  const isIn = async (browser: Browser): Promise<boolean> =>
    /Ana|Tomas/.test((await browser.get(`${house.issuer}/`)).text);

  it('are not finished with the cookie of one’s own, nor with one that was made up', async () => {
    const victim = openBrowser();
    const thief = openBrowser();
    const [theirs, own] = [await begun(victim), await begun(thief)];
    const { 'pa-interaction.sig': signature = '', 'pa-interaction': value = '' } = await cookiesOf(thief, own);
    expect(value).toBe(own);
    for (const cookie of [
      `pa-interaction=${own}; pa-interaction.sig=${signature}`,
      `pa-interaction=${theirs}; pa-interaction.sig=${signature}`,
      `pa-interaction=${theirs}`,
      `pa-interaction=${theirs}; pa-interaction.sig=`,
      `pa-interaction=${own}; pa-interaction.sig=${signature}; pa-interaction=${theirs}`,
    ]) {
      for (const action of ['login', 'cancel', 'terms', 'consent']) {
        const answer = await raw(house.issuer, {
          target: `/interaction/${theirs}/${action}`,
          body: { ...maria, decision: 'accept' },
          headers: { cookie, origin: house.issuer },
        });
        expect(answer.headers.location ?? '').not.toContain('/authorize');
        expect((answer.headers['set-cookie'] ?? []).join()).not.toContain('pa-session');
      }
    }
    // The victim's own goes on as if nothing had been.
    await victim.get(`${house.issuer}/interaction/${theirs}`);
    expect((await victim.submit(maria)).url).toContain('code=');
  });

  it('are not resumed by a browser that did not begin them, signed in or not: no code is made', async () => {
    const thief = openBrowser();
    const uid = await begun(thief);
    const resume = await thief.submit(maria, { follow: false });
    const target = new URL(resume.headers.location ?? '', house.issuer).href;
    expect(target).toContain(uid);
    const signedIn = await signInAnew(house, 'pedro@example.org');
    for (const browser of [openBrowser(), signedIn]) {
      const page = await browser.get(target, { follow: false });
      expect(`${page.headers.location ?? ''}${page.body}`).not.toMatch(/[?&]code=/);
    }
    expect((await signedIn.get(`${house.issuer}/`)).text).toContain('Tomas');
  });

  it('keep their request, whatever stands in the address or the form', async () => {
    const browser = openBrowser();
    const uid = await begun(browser);
    const query = new URLSearchParams({
      client_id: 'cafeteria',
      redirect_uri: 'https://evil.example/',
      scope: 'openid phone',
      prompt: 'none',
    });
    await browser.get(`${house.issuer}/interaction/${uid}?${query}`);
    const cookies = await cookiesOf(browser, uid);
    const answer = await raw(house.issuer, {
      target: `/interaction/${uid}/login?${query}`,
      body: { ...maria, ...Object.fromEntries(query), accountId: 'x', uid: 'x' },
      headers: {
        origin: house.issuer,
        cookie: Object.entries(cookies)
          .map(([name, value]) => `${name}=${value}`)
          .join('; '),
      },
    });
    expect(answer.status).toBe(302);
    expect(answer.headers.location).toBe(`${house.issuer}/authorize/${uid}`);
    for (const cookie of answer.headers['set-cookie'] ?? []) await browser.jar.setCookie(cookie, house.issuer);
    const back = await browser.get(`${answer.headers.location}?${query}`);
    expect(back.url.startsWith(echoices.redirectUri)).toBe(true);
  });

  it('a session that somebody else put into the browser is not signed in with it', async () => {
    const thief = openBrowser();
    const victim = openBrowser();
    const uid = await begun(thief);
    for (const cookie of await thief.jar.getCookies(`${house.issuer}/interaction/${uid}`))
      await victim.jar.setCookie(cookie.toString(), house.issuer);
    for (const cookie of await thief.jar.getCookies(`${house.issuer}/authorize/${uid}`))
      await victim.jar.setCookie(cookie.toString(), `${house.issuer}/authorize/${uid}`);
    await victim.get(`${house.issuer}/sign-in`);
    await victim.submit(maria);
    expect(await isIn(victim)).toBe(true);
    expect(await isIn(thief)).toBe(false);
    const again = await thief.get(`${house.issuer}/authorize/${uid}`, { follow: false });
    expect(again.headers.location ?? '').not.toContain('code=');
  });

  it('a recovery where somebody else is signed in goes on as who recovered, and leaves no proof for the next person', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit(maria);
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: 'pedro@example.org' });
    const letter = await house.mailbox.waitFor('pedro@example.org', ({ text }) => text.includes('/recover/link'));
    await pressLink(browser, linkIn(letter, '/recover/link'));
    const home = await browser.submit({ password });
    expect(home.text).toContain('Tomas');
    expect(home.text).not.toContain('Ana');
    await browser.get(`${house.issuer}/sign-out`);
    await browser.submit({}, { form: 'form[action="/sign-out/confirm"]' });
    const next = await browser.get(`${house.issuer}/sign-in`);
    expect(next.$('[name=password]')).not.toBeNull();
    expect(next.text).not.toContain('Tomas');
  });

  it('nobody is told that they are signed out who is not', async () => {
    const browser = await signInAnew(house, maria.identifier);
    for (const path of ['/sign-out/success', '/sign-out/success?client_id=echoices', '/signed-out']) {
      expect((await browser.get(`${house.issuer}${path}`)).url).toBe(`${house.issuer}/`);
    }
    await browser.get(`${house.issuer}/sign-out?client_id=echoices`);
    const stayed = await browser.submit({}, { form: 'form[action="/sign-out/confirm"]', button: 'Stay signed in' });
    expect(stayed.text).toContain('Ana');
  });

  it('a signed-out cookie that was kept opens nothing', async () => {
    const browser = await signInAnew(house, maria.identifier);
    const cookie = await browser.jar.getCookieString(house.issuer);
    await browser.get(`${house.issuer}/sign-out`);
    await browser.submit({}, { form: 'form[action="/sign-out/confirm"]' });
    const kept = await raw(house.issuer, { target: '/', headers: { cookie } });
    expect(kept.status).toBe(200);
    expect(kept.body).not.toContain('Ana');
    expect((await raw(house.issuer, { target: '/password', headers: { cookie } })).headers.location).toBe('/sign-in');
  });
});
