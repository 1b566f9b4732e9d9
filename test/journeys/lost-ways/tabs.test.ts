/*
 * app ─▶ /authorize ─▶ sign-in page ──▶ app
 *                        │
 *    a second tab        ├─ reload, or submit, after the first tab signed in ──▶ its own app
 *    Back after the end  ├─ look, or submit again ─────────────────────────────▶ the app (start over, session is there)
 *    an hour too late    ├─ this browser's: start over from the parameters ────▶ sign-in page of the same app
 *    a day too late      ├─ nothing is known any more ─────────────────────────▶ sign-in page of our own
 *    another browser     └─ nothing of it works there ─────────────────────────▶ one sentence ─▶ the app's own start
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { openBrowser } from '../../support/browser.js';
import type { Browser } from '../../support/browser.js';
import { eventually } from '../../support/eventually.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { elementary } from '../../provider/family.js';
import { enterApp, interactionOf, password, register, signIn } from '../steps.js';
import { problemsOf, share } from './tabs.js';

const maria = 'maria@example.org';

describe('a parent who went astray between an app and the way back', () => {
  let house: TestHouse;
  let origins: string[];
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
    await register(openBrowser(), house, maria);
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
    origins = [house.issuer, ...[...house.running.values()].map(({ url }) => url)];
  });
  afterAll(() => house.close());

  const home = (app: string): string => house.running.get(app)?.url ?? '-';

  /** Two tabs of one browser, each at a sign-in page; the first has signed in. */
  async function twoTabs(second = 'cafeteria'): Promise<{ first: Browser; second: Browser }> {
    const tab = openBrowser();
    const other = openBrowser();
    await enterApp(tab, house);
    await share(tab, other, origins);
    await enterApp(other, house, second);
    await share(other, tab, origins);
    expect((await signIn(tab, maria)).url).toBe(`${home('echoices')}/`);
    await share(tab, other, origins);
    return { first: tab, second: other };
  }

  describe('with two tabs, signed in in the first,', () => {
    it.each(['cafeteria', 'echoices'])('reloads the second, and is in %s', async (app) => {
      const { second } = await twoTabs(app);
      const page = await second.get(second.page().url);
      expect(page.url).toBe(`${home(app)}/`);
      expect(page.text).toContain('Ana');
    });

    it.each(['cafeteria', 'echoices'])('types the password in the second too, and is in %s', async (app) => {
      const { second } = await twoTabs(app);
      const page = await signIn(second, maria);
      expect(page.url).toBe(`${home(app)}/`);
      expect(page.text).toContain('Ana');
    });

    it('mistypes in the second, and can try again', async () => {
      const { second } = await twoTabs();
      expect((await signIn(second, maria, 'not the way to school')).status).toBe(422);
      expect((await signIn(second, maria)).url).toBe(`${home('cafeteria')}/`);
    });

    it('goes back to the app from the second, which hears of it', async () => {
      const { second } = await twoTabs();
      const page = await second.submit({}, { form: 'form[action$="/cancel"]' });
      expect(page.url.startsWith(home('cafeteria'))).toBe(true);
      expect(problemsOf(page)).toEqual([]);
    });

    it('and somebody else signs in in the second: theirs it is, and nothing is left of the first', async () => {
      const { first, second } = await twoTabs();
      const page = await signIn(second, 'pedro@example.org');
      expect(page.url).toBe(`${home('cafeteria')}/`);
      expect(page.text).toContain('Tomas');
      expect(page.text).not.toContain('Ana');
      await share(second, first, origins);
      expect((await first.get(`${house.issuer}/`)).text).toContain('Tomas');
      // The first app heard of the switch, and does not show one parent's children to the other.
      const app = await eventually(
        () => first.get(`${home('echoices')}/`),
        ({ text }) => !text.includes('Ana'),
      );
      expect(app.text).not.toContain('Ana');
      expect(app.$('form[action="/refresh"]')).toBeNull();
    });
  });

  describe('who goes back after the end', () => {
    async function finished(): Promise<{ browser: Browser; form: string }> {
      const browser = openBrowser();
      await enterApp(browser, house);
      const form = browser.page().url;
      await signIn(browser, maria);
      return { browser, form };
    }

    it('and looks at the old page is in the app again', async () => {
      const { browser, form } = await finished();
      const page = await browser.get(form);
      expect(problemsOf(page)).toEqual([]);
      expect(page.url).toBe(`${home('echoices')}/`);
    });

    it.each([
      ['the right password', password],
      ['a wrong one', 'not the way to school'],
    ])('and sends the old form with %s meets no dead end', async (_, typed) => {
      const browser = openBrowser();
      const old = openBrowser();
      await enterApp(browser, house);
      await share(browser, old, origins);
      await old.get(browser.page().url);
      await signIn(browser, maria);
      await share(browser, old, origins);
      const page = await old.submit({ identifier: maria, password: typed });
      expect(problemsOf(page)).toEqual([]);
      expect((await enterApp(old, house)).url).toBe(`${home('echoices')}/`);
    });

    it('and presses “Back to the app” there, or opens the library’s own address again, meets none either', async () => {
      const { browser, form } = await finished();
      const uid = /\/interaction\/([\w-]+)/.exec(form)?.[1] ?? '';
      for (const path of [`/authorize/${uid}`, `/interaction/${uid}/cancel`, `/interaction/${uid}/terms`]) {
        expect(problemsOf(await browser.get(`${house.issuer}${path}`))).toEqual([]);
      }
    });
  });

  describe('who comes too late', () => {
    const expire = async (uid: string): Promise<void> => {
      // More than the 15 s that the library forgives a clock.
      const past = new Date(Date.now() - 60_000);
      await sql`update artifacts set expires_at = ${past}, payload = payload || jsonb_build_object('exp', ${Math.floor(past.getTime() / 1_000)}::int)
        where kind = 'Interaction' and id_hash = ${uid}`.execute(house.db);
    };

    it.each(['looks', 'submits'])('by an hour and %s starts over for the same app', async (how) => {
      const browser = openBrowser();
      const uid = interactionOf(await enterApp(browser, house));
      await expire(uid);
      const page = how === 'looks' ? await browser.get(browser.page().url) : await signIn(browser, maria);
      expect(problemsOf(page)).toEqual([]);
      expect(page.text).toContain('eChoices');
      expect(interactionOf(page)).not.toBe(uid);
      expect((await signIn(browser, maria)).url).toBe(`${home('echoices')}/`);
    });

    it.each(['looks', 'submits'])('by a day and %s is at a sign-in page, and comes in by it', async (how) => {
      const browser = openBrowser();
      const uid = interactionOf(await enterApp(browser, house));
      await house.db.deleteFrom('artifacts').where('kind', '=', 'Interaction').where('id_hash', '=', uid).execute();
      const page = how === 'looks' ? await browser.get(browser.page().url) : await signIn(browser, maria);
      expect(problemsOf(page)).toEqual([]);
      expect(interactionOf(page)).not.toBe(uid);
      expect((await signIn(browser, maria)).text).toContain('Ana');
    });
  });

  describe('who opens the page in another browser', () => {
    it('reads one sentence, finds no form, and comes to the app by its own start', async () => {
      const browser = openBrowser();
      const uid = interactionOf(await enterApp(browser, house));
      const other = openBrowser();
      for (const path of [`/interaction/${uid}`, `/authorize/${uid}`]) {
        const page = await other.get(`${house.issuer}${path}`);
        expect(problemsOf(page)).toEqual([]);
        expect(page.status).toBe(400);
        expect(page.$('main form')).toBeNull();
      }
      await other.get(`${house.issuer}/interaction/${uid}`);
      await other.click(`a[href^="${home('echoices')}/login"]`);
      expect((await signIn(other, maria)).url).toBe(`${home('echoices')}/`);
      expect((await signIn(browser, maria)).url).toBe(`${home('echoices')}/`);
    });

    it('sends the form there: nobody is signed in by it', async () => {
      const browser = openBrowser();
      const other = openBrowser();
      await enterApp(browser, house);
      await share(browser, other, origins);
      await other.get(browser.page().url);
      await other.jar.removeAllCookies();
      const page = await signIn(other, maria);
      expect(problemsOf(page)).toEqual([]);
      expect((await other.get(`${house.issuer}/`)).text).not.toContain('Ana');
      expect((await browser.get(`${house.issuer}/`)).text).not.toContain('Ana');
    });
  });
});
