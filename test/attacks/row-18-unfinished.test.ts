import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { administer } from '../../src/desk/administration.js';
import { interactionOf, linkIn, password, pressLink } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import { post } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { raw } from './raw.js';

const maria = 'maria@example.org';
const next = 'another long way to school';

/** Rows 7 and 18: what was begun with the old word must not be finished with it. */
describe('a sign-in that was accepted and left standing', () => {
  let house: TestHouse;
  let homework: RelyingParty;
  let echoices: RelyingParty;
  let current = password;
  beforeAll(async () => {
    ({ house, homework, echoices } = await familyHouse('homework', 'echoices'));
  });
  afterAll(() => house.close());

  async function recover(): Promise<Browser> {
    const browser = openBrowser();
    await recoverIn(browser);
    return browser;
  }
  /** A sign-in that waits for its last step. @returns where it goes on */
  async function leftStanding(thief: Browser): Promise<string> {
    await thief.get(`${house.issuer}/sign-in`);
    const kept = await thief.submit({ identifier: maria, password: current, device: 'kept' }, { follow: false });
    return kept.headers.location ?? '';
  }
  const seesChildren = async (browser: Browser): Promise<boolean> =>
    (await browser.get(`${house.issuer}/`)).text.includes('Ana');

  /** How the session that began last ended, and the apps that were told. */
  async function lastEnded(): Promise<{ because: string | null; told: string[] }> {
    const { uid, revoked_because: because } = await house.db
      .selectFrom('sessions')
      .select(['uid', 'revoked_because'])
      .where('account_id', 'is not', null)
      .orderBy('created_at', 'desc')
      .executeTakeFirstOrThrow();
    const told = house.db.selectFrom('deliveries').select('client_id').where('session_uid', '=', uid);
    return { because, told: (await told.execute()).map((app) => app.client_id).toSorted() };
  }

  it('is over after a recovery', async () => {
    const thief = openBrowser();
    const kept = await leftStanding(thief);
    const owner = await recover();
    await owner.submit({ password: next });
    current = next;
    await thief.get(kept);
    expect(await seesChildren(thief)).toBe(false);
    expect(await seesChildren(owner)).toBe(true);
  });

  it('is over after a change of the password, and the owner’s session goes on', async () => {
    const owner = await signInAnew(house, maria, current, 'own');
    const thief = openBrowser();
    const kept = await leftStanding(thief);
    await owner.get(`${house.issuer}/password`);
    await owner.submit({ current, password });
    current = password;
    await thief.get(kept);
    expect(await seesChildren(thief)).toBe(false);
    expect(await seesChildren(owner)).toBe(true);
  });

  it('is over after an operator’s word, also where no session is live', async () => {
    const operator = { db: house.db, clock: () => new Date(), audit: house.house.audit };
    await signInAnew(house, maria, current, 'own');
    const end = (): Promise<unknown> => administer(operator, 'sessions revoke', { account: maria });
    await end();
    await expect(end()).rejects.toThrow('No session of this account is live.');
    const thief = openBrowser();
    const kept = await leftStanding(thief);
    expect(await end()).toMatchObject({ sessions: 0, deliveries: 0 });
    await thief.get(kept);
    expect(await seesChildren(thief)).toBe(false);
    await expect(end()).rejects.toThrow('No session of this account is live.');
  });

  it.each(['signs out there', 'ends the session there from another device'])(
    'is over in a browser whose owner %s',
    async (way) => {
      const family = openBrowser();
      const kept = await leftStanding(family);
      // The answer was lost: they sign in in another tab, and are done.
      await family.get(`${house.issuer}/sign-in`);
      await family.submit({ identifier: maria, password: current, device: 'own' });
      expect(await seesChildren(family)).toBe(true);
      if (way === 'signs out there') await family.submit({}, { form: 'form[action="/leave"]' });
      else {
        const { uid } = await house.db
          .selectFrom('sessions')
          .select('uid')
          .where('revoked_at', 'is', null)
          .orderBy('created_at', 'desc')
          .executeTakeFirstOrThrow();
        const owner = await signInAnew(house, maria, current, 'own');
        await owner.get(`${house.issuer}/devices`);
        await owner.submit({}, { form: 'form:has([value="' + uid + '"])' });
      }
      expect(await seesChildren(family)).toBe(false);
      await family.get(kept);
      expect(await seesChildren(family)).toBe(false);
    },
  );

  it.each(['a page that stood open', 'an answer that came late'])(
    'that goes on after a later one, by %s, leaves nobody in whom the browser does not sign out',
    async (way) => {
      const browser = openBrowser();
      const { url } = await homework.request();
      await browser.get(url.href);
      const first = { identifier: maria, password: current, device: 'own' };
      const open = await browser.submit(first, { follow: way === 'a page that stood open' });
      house.advance(2);
      const { url: second } = await echoices.request({ prompt: 'login' });
      await browser.get(second.href);
      expect((await browser.submit(first)).url).toContain('code=');
      await browser.get(open.headers.location ?? open.url);
      expect((await browser.submit()).url).toContain('code=');
      expect(await seesChildren(browser)).toBe(true);
      await browser.submit({}, { form: 'form[action="/leave"]' });
      expect(await lastEnded()).toEqual({ because: 'signed-out', told: ['echoices', 'homework'] });
      await house.db.deleteFrom('consents').execute();
    },
  );

  it('whose last answer was lost leaves a browser that was signed in before signed in, and able to end it', async () => {
    const browser = await signInAnew(house, maria, current, 'own');
    await echoices.tokens(browser);
    const { url } = await homework.request();
    await browser.get(url.href);
    const allowed = await browser.submit({}, { follow: false });
    const resume = new URL(allowed.headers.location ?? '', house.issuer);
    const cookie = await browser.jar.getCookieString(resume.href);
    const lost = await raw(house.issuer, { target: resume.pathname, headers: { cookie } });
    expect(lost.headers.location).toContain('code=');
    expect(await seesChildren(browser)).toBe(true);
    await browser.submit({}, { form: 'form[action="/leave"]' });
    expect(await lastEnded()).toEqual({ because: 'signed-out', told: ['echoices', 'homework'] });
    await house.db.deleteFrom('consents').execute();
  });

  it('gives way, in its own page, to who calls the computer shared', async () => {
    const browser = await signInAnew(house, maria, current, 'own');
    const { url } = await echoices.request({ prompt: 'login' });
    const page = await browser.get(url.href);
    await browser.submit({ identifier: maria, password: current, device: 'own' }, { follow: false });
    await browser.get(page.url);
    const back = await browser.submit({ identifier: maria, password: current, device: 'shared' });
    expect(new URL(back.url).searchParams.get('code')).not.toBeNull();
  });

  it('by an earlier recovery is over after a later one', async () => {
    const thief = await recover();
    await thief.submit({ password: 'the way of the thief' }, { follow: false });
    const owner = await recover();
    await owner.submit({ password });
    expect(await seesChildren(owner)).toBe(true);
    await thief.get(`${house.issuer}/sign-in`);
    expect(await seesChildren(thief)).toBe(false);
  });

  it.each([
    [
      'a change of the password',
      async () => {
        const owner = await signInAnew(house, maria, current, 'own');
        await owner.get(`${house.issuer}/password`);
        expect((await owner.submit({ current, password: next })).title).toContain('Your password is changed');
        current = next;
      },
    ],
    [
      'another recovery',
      async () => {
        const owner = await recover();
        await owner.submit({ password });
        current = password;
        expect(await seesChildren(owner)).toBe(true);
      },
    ],
  ])('a recovery whose link was pressed is over after %s', async (_, changeIt) => {
    const thief = await recover();
    await changeIt();
    expect((await thief.submit({ password: 'the way of the thief' })).status).toBe(410);
    expect(await seesChildren(thief)).toBe(false);
    expect(await seesChildren(await signInAnew(house, maria, current, 'own'))).toBe(true);
  });

  it('on the family’s computer does not outlive that it is called shared: neither its pages nor its tokens', async () => {
    const browser = await signInAnew(house, maria, current, 'own');
    const tokens = await echoices.tokens(browser);
    const { url } = await homework.request();
    const consent = await browser.get(url.href);
    const { url: again } = await echoices.request({ prompt: 'login' });
    await browser.get(again.href);
    await browser.submit({ identifier: maria, password: current, device: 'shared' });
    const refreshed = await post(
      house,
      '/token',
      { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' },
      { clientId: 'echoices', secret: house.secret },
    );
    expect(refreshed.body['error']).toBe('invalid_grant');
    await browser.get(`${house.issuer}/interaction/${interactionOf(consent)}`);
    const live = await house.db
      .selectFrom('sessions')
      .select('device')
      .where('revoked_at', 'is', null)
      .orderBy('created_at', 'desc')
      .executeTakeFirstOrThrow();
    expect(live.device).toBe('shared');
  });

  it.each([
    ['signs out', '/leave'],
    ['signs out by way of an app', '/sign-out'],
  ])('a recovery whose link was pressed is over in a browser where somebody %s', async (_, way) => {
    const browser = await signInAnew(house, maria, current, 'own');
    const waiting = await recoverIn(browser);
    await browser.get(`${house.issuer}${way === '/leave' ? '/devices' : way}`);
    await browser.submit({}, { form: `form[action^="${way}"]` });
    expect(await isOpen(browser, waiting)).toBe(false);
  });

  it('a recovery whose link was pressed is over in a browser where somebody signs in', async () => {
    const browser = openBrowser();
    const waiting = await recoverIn(browser);
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: maria, password: current });
    expect(await isOpen(browser, waiting)).toBe(false);
  });

  it('a recovery whose link was pressed is over in a browser where somebody signs out whose session is over', async () => {
    const browser = await signInAnew(house, maria, current, 'own');
    const waiting = await recoverIn(browser);
    await browser.get(`${house.issuer}/devices`);
    await browser.jar.setCookie('pa-session=; path=/; max-age=0', house.issuer);
    await browser.submit({}, { form: 'form[action="/leave"]' });
    expect(await isOpen(browser, waiting)).toBe(false);
  });

  it('a proof that was left while another tab signed in is over with that sign-in', async () => {
    const browser = openBrowser();
    const page = `${house.issuer}/interaction/${interactionOf(await browser.get(`${house.issuer}/sign-in`))}`;
    await recoverIn(browser);
    await browser.submit({ password: current }, { follow: false });
    const signedIn = await raw(house.issuer, {
      target: `${new URL(page).pathname}/login`,
      body: { identifier: maria, password: current },
      headers: { origin: house.issuer, cookie: await browser.jar.getCookieString(page) },
    });
    for (const cookie of signedIn.headers['set-cookie'] ?? []) await browser.jar.setCookie(cookie, page);
    await browser.get(signedIn.headers.location ?? '');
    expect(await seesChildren(browser)).toBe(true);
    await browser.jar.setCookie('pa-session=; path=/; max-age=0', house.issuer);
    expect((await browser.get(`${house.issuer}/sign-in`)).$('[name=password]')).not.toBeNull();
  });

  /** Presses a link of recovery in a browser. @returns the form that was open there then */
  async function recoverIn(browser: Browser): Promise<string> {
    const links = () => house.mailbox.to(maria).filter(({ text }) => text.includes('/recover/link')).length;
    const before = links();
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: maria });
    const letter = await house.mailbox.waitFor(maria, ({ text }) => text.includes('/recover/link') && links() > before);
    const { url, status } = await pressLink(browser, linkIn(letter, '/recover/link'));
    expect(status).toBe(200);
    return url;
  }
  /** Whether the next person, who goes back to the form, may choose a password. */
  async function isOpen(browser: Browser, waiting: string): Promise<boolean> {
    const page = await browser.get(waiting);
    return page.status !== 410 || page.$('[name=password]') !== null;
  }
});
