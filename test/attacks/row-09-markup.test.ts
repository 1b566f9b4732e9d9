import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'node-html-parser';
import type { BrowserContext } from 'playwright-core';
import { appSchema } from '../../src/provider/app-registration.js';
import { forgetScript, passwordScript, tabsScript } from '../../src/ui/assets.js';
import { choosePassword, interactionOf, linkIn, pressLink, register } from '../journeys/steps.js';
import { row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import type { Browser, Page } from '../support/browser.js';
import { openChromium } from '../support/chromium.js';
import type { Chromium } from '../support/chromium.js';
import { signInAnew } from '../support/family-house.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';

const script = '<script>alert(1)</script>';
const image = '"><img src=x onerror=alert(2)>';
const attribute = `" onfocus=alert(3) ' onblur=alert(3) x="`;
const ours = new Set([passwordScript.path, forgetScript.path, tabsScript.path]);
const payloads = [script, image, attribute, '</title><svg onload=alert(4)>', 'javascript:alert(5)', '{{7*7}}${7*7}'];

/** Everything in a page that could run, or that only markup from elsewhere can have made. */
function dangers(html: string): string[] {
  return parse(html, { comment: true })
    .querySelectorAll('*')
    .flatMap((element) => {
      const tag = element.tagName.toLowerCase();
      // Our own file, by its name, with nothing in it.
      const isOurs = tag === 'script' && ours.has(element.getAttribute('src') ?? '') && element.text === '';
      if (isOurs) return [];
      const found = ['script', 'img', 'iframe', 'object', 'embed', 'base'].includes(tag) ? [tag] : [];
      for (const [name, value] of Object.entries(element.attributes)) {
        if (/^on/i.test(name) || name === 'srcdoc') found.push(`${tag}[${name}]`);
        if (/^(href|src|action|formaction)$/i.test(name) && /^\s*(javascript|data|vbscript):/i.test(value))
          found.push(`${tag}[${name}=${value}]`);
      }
      return found;
    });
}

describe('row 9: text that would be markup', () => {
  let house: TestHouse;
  let app: RelyingParty;
  let mother: Browser;
  beforeAll(async () => {
    house = await startTestHouse({
      elementary: [
        row('Ana', 'Maria', {
          contact_id: 'E1',
          ed_rights: 'yes',
          student_given_name: `Ana${script}`,
          student_family_name: `L${image}`,
          school_name: `Lincoln ${attribute}${script}`,
          given_name: `Maria${script}`,
          family_name: image,
        }),
      ],
      apps: [
        {
          registration: {
            client_id: 'echoices',
            client_name: `e${script}${image}`,
            'client_name#es': `s${script}${image}`,
            scope: 'openid profile email students offline_access',
            student_facts: ['name', 'school', 'grade'],
            tile: { order: 1, sentence: { en: `Sentence ${script}${image}`, es: `Frase ${script}${image}` } },
          },
        },
      ],
    });
    app = await relyingParty(house, 'echoices');
    mother = openBrowser();
    await register(mother, house, 'maria@example.org');
  });
  afterAll(async () => {
    await app.close();
    await house.close();
  });

  function expectPlain(page: Page): void {
    expect({ url: page.url, dangers: dangers(page.body) }).toEqual({ url: page.url, dangers: [] });
  }

  it('is found by this test where it stands', () => {
    for (const text of [script, image, `<input value="${attribute}">`, `<a href="javascript:alert(1)">x</a>`])
      expect(dangers(`<p>${text}</p>`)).not.toEqual([]);
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'JAVASCRIPT:alert(1)', '\tjavascript:alert(1)', 'vbscript:x'])(
    '%j is no address of an app',
    (address) => {
      const good = {
        client_id: 'tutoring',
        client_name: 'Tutoring',
        redirect_uris: ['https://t.example.org/callback'],
        scope: 'openid',
        party: 'district',
      };
      expect(appSchema.safeParse(good).success).toBe(true);
      for (const field of ['logo_uri', 'client_uri', 'initiate_login_uri', 'jwks_uri', 'backchannel_logout_uri'])
        expect(appSchema.safeParse({ ...good, [field]: address }).success).toBe(false);
      for (const field of ['redirect_uris', 'post_logout_redirect_uris'])
        expect(appSchema.safeParse({ ...good, [field]: [address] }).success).toBe(false);
    },
  );

  it.each(['en-US', 'es-MX'])('of an app and of a school system is shown as text (%s)', async (locale) => {
    const browser = openBrowser({ locale });
    const { url } = await app.request();
    const login = await browser.get(url.href);
    expectPlain(login);
    expect(login.text).toContain(script);
    await browser.submit({ identifier: 'maria@example.org', password: 'a long way to school' });
    const home = await browser.get(`${house.issuer}/`);
    expectPlain(home);
    expect(home.text).toContain(`Ana${script}`);
    expect(home.text).toContain(`onfocus=alert(3)`);
    const out = await browser.get(`${house.issuer}/sign-out?client_id=echoices`);
    expectPlain(out);
    expect(out.text).toContain(script);
    for (const path of ['/password', '/help', '/terms']) expectPlain(await browser.get(`${house.issuer}${path}`));
  });

  it.each(payloads)('typed into every form comes back as text: %s', async (payload) => {
    const browser = openBrowser();
    const { url } = await app.request();
    const uid = interactionOf(await browser.get(url.href));
    expectPlain(await browser.submit({ identifier: payload, password: payload }));
    expect(browser.page().$('input[name=identifier]')?.getAttribute('value')).toBe(payload);
    for (const interaction of ['', uid, payload]) {
      const query = `?${new URLSearchParams({ interaction })}`;
      expectPlain(await browser.get(`${house.issuer}/register${query}`));
      const refused = await browser.submit({ email: payload, phone: payload });
      expect(refused.status).toBe(422);
      expectPlain(refused);
      expectPlain(await browser.get(`${house.issuer}/register/sent${query}`));
      expectPlain(await browser.submit({ code: payload }));
      expectPlain(await browser.get(`${house.issuer}/recover${query}`));
      expectPlain(await browser.submit({ identifier: '' }));
      expectPlain(await browser.get(`${house.issuer}/recover${query}`));
      expectPlain(await browser.submit({ identifier: payload }));
    }
    for (const path of ['/activate', '/recover/link']) {
      expectPlain(await browser.get(`${house.issuer}${path}?${new URLSearchParams({ token: payload })}`));
      expectPlain(await browser.submit());
    }
  });

  it.each(payloads)('in an address comes back as text: %s', async (payload) => {
    const encoded = encodeURIComponent(payload);
    for (const path of [`/${encoded}`, `/interaction/${encoded}`, `/authorize/${encoded}`, `/register?x=${encoded}`])
      expectPlain(await openBrowser().get(`${house.issuer}${path}`));
    const away = `${house.issuer}/language?${new URLSearchParams({ locale: 'es', return: payload })}`;
    const answer = await openBrowser().get(away, { follow: false });
    expect(new URL(answer.headers.location ?? '', house.issuer).origin).toBe(house.issuer);
    for (const name of [
      'login_hint',
      'ui_locales',
      'state',
      'scope',
      'response_type',
      'response_mode',
      'claims',
      'prompt',
      'max_age',
      'redirect_uri',
      'client_id',
      'code_challenge',
      'id_token_hint',
    ]) {
      const { url } = await app.request({ [name]: payload });
      expectPlain(await openBrowser().get(url.href));
    }
    for (const name of ['id_token_hint', 'post_logout_redirect_uri', 'client_id', 'state', 'ui_locales'])
      expectPlain(await mother.get(`${house.issuer}/sign-out?${new URLSearchParams({ [name]: payload })}`));
  });

  it('of an app in a letter is text there too', async () => {
    await house.load('elementary', [
      row('Eva', 'Pedro', { contact_id: 'E2', ed_rights: 'yes', given_name: script, phone1: '(213) 555-0122' }),
      row('Ana', 'Maria', { contact_id: 'E1', ed_rights: 'yes', student_given_name: `Ana${script}` }),
    ]);
    const browser = openBrowser();
    const { url } = await app.request();
    const uid = interactionOf(await browser.get(url.href));
    await browser.get(`${house.issuer}/register?interaction=${uid}`);
    await browser.submit({ email: 'pedro@example.org', phone: '(213) 555-0122' });
    const letter = await house.mailbox.waitFor('pedro@example.org');
    expect(letter.text).toContain(script);
    expect(dangers(letter.html)).toEqual([]);
    expect(letter.html).toContain('&lt;script');
    expectPlain(await pressLink(browser, linkIn(letter, '/activate')));
    expectPlain(await choosePassword(browser));
  });

  describe('in Chromium, with the policy that would stop it taken off', () => {
    let chromium: Chromium;
    let device: BrowserContext;
    beforeAll(async () => {
      chromium = await openChromium();
      device = await chromium.device();
      await device.route('**/*', async (route) => {
        const response = await route.fetch();
        const headers = { ...response.headers() };
        delete headers['content-security-policy'];
        await route.fulfill({ response, headers });
      });
    });
    afterAll(async () => {
      await device.close();
      await chromium.close();
    });

    it('no script of anybody runs', async () => {
      const browser = await signInAnew(house, 'maria@example.org');
      const page = await device.newPage();
      const ran: string[] = [];
      page.on('dialog', (dialog) => {
        ran.push(`${page.url()} ${dialog.message()}`);
        void dialog.dismiss();
      });
      // It would be seen: with a page that does run one.
      await page.goto(`${house.issuer}/help`);
      await page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(0)>')`);
      await page.waitForEvent('dialog').catch(() => null);
      expect(ran).toHaveLength(1);

      const hint = await app.request({ login_hint: image });
      await page.goto(hint.url.href);
      await page.fill('input[name=identifier]', image);
      await page.fill('input[name=password]', script);
      await Promise.all([page.waitForEvent('load'), page.click('main button[type=submit]')]);
      for (const [name, value] of Object.entries(await browser.cookies(house.issuer)))
        await device.addCookies([{ name, value, url: house.issuer }]);
      for (const path of ['/', '/sign-out?client_id=echoices', `/register?interaction=${encodeURIComponent(image)}`]) {
        await page.goto(`${house.issuer}${path}`, { waitUntil: 'networkidle' });
      }
      await page.goto(`${house.issuer}/register`);
      await page.fill('input[name=email]', image);
      await page.fill('input[name=phone]', attribute);
      await page.evaluate(`document.querySelector('main form').noValidate = true`);
      await Promise.all([page.waitForEvent('load'), page.click('main button[type=submit]')]);
      expect(await page.locator('img, script:not([src^="/assets/"])').count()).toBe(0);
      expect(ran).toHaveLength(1);
    });
  });
});
