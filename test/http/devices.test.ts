import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { enterApp, linkIn, password, pressLink, register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { signInAnew } from '../support/family-house.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { elementary } from '../provider/family.js';

const maria = 'maria@example.org';
const pedro = 'pedro@example.org';

describe('where a parent is signed in', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
    await register(openBrowser(), house, maria);
    await register(openBrowser(), house, pedro, '(213) 555-0122');
    await house.db.updateTable('sessions').set({ revoked_at: new Date(), revoked_because: 'test' }).execute();
  });
  afterAll(() => house.close());

  const uids = async (browser: Browser): Promise<string[]> =>
    (await browser.get(`${house.issuer}/devices`))
      .$$('input[name=session]')
      .map((input) => input.getAttribute('value') ?? '');
  /** Sends the form of the page with another session in it. */
  async function end(browser: Browser, session: string) {
    await browser.get(`${house.issuer}/devices`);
    const form = browser.page().$('form:has(input[name=session]) input[name=session]');
    form?.setAttribute('value', session);
    return browser.submit({}, { form: 'form:has(input[name=session])' });
  }
  const isIn = async (browser: Browser): Promise<boolean> => {
    const page = await browser.get(`${house.issuer}/`);
    return page.text.includes('Ana') || page.text.includes('Tomas');
  };

  it('asks to sign in first, and comes to the page of this device alone', async () => {
    const stranger = openBrowser();
    expect((await stranger.get(`${house.issuer}/devices`)).url).toContain('/interaction/');
    const phone = await signInAnew(house, maria);
    expect(await uids(phone)).toHaveLength(1);
    expect(phone.page().text).toContain('You are signed in only here');
    expect(phone.page().text).toContain('Chrome, Android – This device');
  });

  it('says when each was first and last used, and which apps were opened from it', async () => {
    const phone = await signInAnew(house, maria);
    const [uid = ''] = await uids(phone);
    expect(phone.page().text).toContain('No app was opened from it.');
    await enterApp(phone, house);
    const moments = { created_at: new Date('2026-01-05T20:00:00Z'), last_used_at: new Date('2026-02-06T20:00:00Z') };
    await house.db.updateTable('sessions').set(moments).where('uid', '=', uid).execute();
    const laptop = await signInAnew(house, maria);
    const place = (await laptop.get(`${house.issuer}/devices`)).$(`section:has(input[value="${uid}"])`)?.text ?? '';
    expect(place).toMatch(/Signed in on 5 January/);
    expect(place).toMatch(/Last used on 6 February/);
    expect(place).toContain('Apps opened from it: eChoices');
    expect(place).not.toContain('This device');
  });

  it('another person’s session, one that never was, and a malformed id are 404, and end nothing', async () => {
    const his = await signInAnew(house, pedro);
    const [theirs = ''] = await uids(his);
    const phone = await signInAnew(house, maria);
    for (const session of [theirs, 'never-was', '', 'x'.repeat(9_000), "'; drop table sessions; --"]) {
      const page = await end(phone, session);
      expect([page.status, page.$('main a') !== null]).toEqual([404, true]);
    }
    expect(await isIn(his)).toBe(true);
    expect(await isIn(phone)).toBe(true);
  });

  it('one that ended meanwhile is said to have ended', async () => {
    const phone = await signInAnew(house, maria);
    const laptop = await signInAnew(house, maria);
    const [, other = ''] = await uids(phone);
    await end(phone, other);
    expect(phone.page().text).toContain('It is done.');
    const page = await end(phone, other);
    expect([page.status, page.text.includes('It had ended already.')]).toEqual([200, true]);
    expect(await isIn(laptop)).toBe(false);
  });

  it('everywhere else ends all but this, also what was proved and is on its way; everywhere ends this too', async () => {
    const phone = await signInAnew(house, maria);
    const laptop = await signInAnew(house, maria);
    const waiting = openBrowser();
    await waiting.get(`${house.issuer}/sign-in`);
    const accepted = await waiting.submit({ identifier: maria, password }, { follow: false });
    await end(phone, 'others');
    expect([await isIn(phone), await isIn(laptop)]).toEqual([true, false]);
    await waiting.get(accepted.headers.location ?? '');
    expect(await isIn(waiting)).toBe(false);
    const page = await end(phone, 'all');
    expect(page.url).toBe(`${house.issuer}/signed-out`);
    expect(await isIn(phone)).toBe(false);
  });

  it.each(['others', 'all'])(
    '%s ends what was proved elsewhere and no sign-in took yet, and recoveries under way',
    async (which) => {
      // Nobody ended one within this hour.
      await house.db.deleteFrom('account_requests').execute();
      const thief = openBrowser();
      await thief.get(`${house.issuer}/recover`);
      const letters = () => house.mailbox.to(maria).filter(({ text }) => text.includes('/recover/link'));
      const before = letters().length;
      await thief.submit({ identifier: maria });
      const [letter] = await eventually(
        () => letters().slice(before),
        (fresh) => fresh.length > 0,
      );
      if (letter === undefined) throw new Error('no letter came');
      await pressLink(thief, linkIn(letter, '/recover/link'));
      await house.db
        .insertInto('fresh_proofs')
        .values(({ selectFrom }) => ({
          id_hash: which,
          account_id: selectFrom('accounts').select('id').where('email', '=', maria).limit(1).$castTo<string>(),
          created_at: new Date(),
          expires_at: new Date(Date.now() + 60_000),
        }))
        .execute();
      await end(await signInAnew(house, maria), which);
      expect((await thief.submit({ password: 'the way of the thief' })).status).toBe(410);
      const open = house.db.selectFrom('fresh_proofs').select('id_hash').where('consumed_at', 'is', null);
      expect(await open.where('id_hash', '=', which).execute()).toEqual([]);
    },
  );

  it('the page after a sign-out is of this account alone, whoever signs in next on the browser', async () => {
    const browser = await signInAnew(house, maria);
    await enterApp(browser, house);
    await browser.get(`${house.issuer}/`);
    await browser.submit({}, { form: 'header form' });
    expect(browser.page().text).toContain('eChoices');
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: pedro, password });
    for (const path of ['/signed-out', '/sign-out/success']) {
      const page = await browser.get(`${house.issuer}${path}`);
      expect([page.status, page.$('#confirmations')]).toEqual([200, null]);
    }
    // Nor when the second person's session ended elsewhere, which leaves no trace in this browser.
    await house.db
      .updateTable('sessions')
      .set({ revoked_at: new Date(), revoked_because: 'test' })
      .where('revoked_at', 'is', null)
      .execute();
    for (const path of ['/signed-out', '/sign-out/success']) {
      const page = await browser.get(`${house.issuer}${path}`);
      expect([page.url.endsWith(path), page.$('#confirmations') === null]).toEqual([true, true]);
      expect(page.text).not.toContain('eChoices');
    }
  });

  it('tells nothing of another person’s sessions, ended ones neither', async () => {
    const his = await signInAnew(house, pedro);
    await his.get(`${house.issuer}/devices`);
    const rows = await house.db
      .selectFrom('sessions')
      .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
      .select('uid')
      .where('email', '=', maria)
      .execute();
    expect(rows.length).toBeGreaterThan(3);
    for (const { uid } of rows) expect(his.page().body).not.toContain(uid);
  });
});
