import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import type { Browser } from '../support/browser.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { post, relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { enterApp, password, register, signIn } from '../journeys/steps.js';
import { apps, elementary } from './family.js';

/** SECURITY-BARS row 3, on real PostgreSQL, where requests really run side by side. */
describe('of many at once', () => {
  let house: TestHouse;
  let mother: Browser;
  let echoices: RelyingParty;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps });
    echoices = await relyingParty(house, 'echoices');
    mother = openBrowser();
    await register(mother, house, 'maria@example.org');
  });
  afterAll(async () => {
    await echoices.close();
    await house.close();
  });

  const credentials = () => ({ clientId: 'echoices', secret: house.secret });

  const sessions = async (): Promise<number> =>
    (await house.db.selectFrom('sessions').select('uid').where('account_id', 'is not', null).execute()).length;

  it('that come back from one sign-in one goes on, to one session', async () => {
    for (let round = 0; round < 5; round += 1) {
      const browser = openBrowser();
      await browser.get((await echoices.request()).url.href);
      const signedIn = await browser.submit({ identifier: 'maria@example.org', password }, { follow: false });
      const resume = signedIn.headers.location ?? '';
      const cookie = await browser.jar.getCookieString(resume);
      const before = await sessions();
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => fetch(resume, { redirect: 'manual', headers: { cookie } })),
      );
      const codes = answers.filter(({ headers }) => headers.get('location')?.includes('code=') === true);
      expect(codes).toHaveLength(1);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      expect((await sessions()) - before).toBe(1);
    }
  });

  it('redemptions of one code one succeeds, and the others hear invalid_grant', async () => {
    for (let round = 0; round < 5; round += 1) {
      const fields = await echoices.codeForm(mother);
      const answers = await Promise.all(Array.from({ length: 30 }, () => post(house, '/token', fields, credentials())));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status, body }) => status === 400 && body['error'] === 'invalid_grant')).toHaveLength(
        29,
      );
    }
  });

  it('refreshes with one token one succeeds, and the grant stays', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { body } = await post(house, '/token', await echoices.codeForm(mother), credentials());
      const fields = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(house, '/token', fields, credentials())));
      const winners = answers.filter(({ status }) => status === 200);
      expect(winners).toHaveLength(1);
      expect(
        answers.filter(({ status, body: answer }) => status === 400 && answer['error'] === 'invalid_grant'),
      ).toHaveLength(19);
      const next = { grant_type: 'refresh_token', refresh_token: String(winners[0]?.body['refresh_token']) };
      expect((await post(house, '/token', next, credentials())).status).toBe(200);
    }
  });

  /** The apps that are told because something of theirs was used twice: who used it first may have been another. */
  const told = async (): Promise<number> => {
    const rows = await house.db
      .selectFrom('deliveries')
      .innerJoin('revocations', 'revocations.id', 'deliveries.revocation_id')
      .select('client_id')
      .where('because', '=', 'used-twice')
      .where('client_id', '=', 'echoices')
      .execute();
    return rows.length;
  };

  it('a code used again ends the whole grant', async () => {
    const before = await told();
    const fields = await echoices.codeForm(mother);
    const { body } = await post(house, '/token', fields, credentials());
    expect((await post(house, '/token', fields, credentials())).body).toMatchObject({ error: 'invalid_grant' });
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
    expect((await post(house, '/token', refresh, credentials())).body).toMatchObject({ error: 'invalid_grant' });
    const info = await fetch(`${house.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${String(body['access_token'])}` },
    });
    expect(info.status).toBe(401);
    expect(await eventually(told, (count) => count > before)).toBe(before + 1);
  });

  it('a refresh token used again later than 5 s ends the grant, sooner it is only refused', async () => {
    const before = await told();
    const { body } = await post(house, '/token', await echoices.codeForm(mother), credentials());
    const first = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
    const second = await post(house, '/token', first, credentials());
    expect((await post(house, '/token', first, credentials())).body).toMatchObject({ error: 'invalid_grant' });
    const next = { grant_type: 'refresh_token', refresh_token: String(second.body['refresh_token']) };
    const third = await post(house, '/token', next, credentials());
    expect(third.status).toBe(200);
    house.advance(6);
    expect((await post(house, '/token', first, credentials())).body).toMatchObject({ error: 'invalid_grant' });
    const last = { grant_type: 'refresh_token', refresh_token: String(third.body['refresh_token']) };
    expect((await post(house, '/token', last, credentials())).body).toMatchObject({ error: 'invalid_grant' });
    expect(await eventually(told, (count) => count > before)).toBe(before + 1);
  });
});

describe('two apps opened at the same instant', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: twoApps });
    await register(openBrowser(), house, 'maria@example.org');
  });
  afterAll(() => house.close());

  it('both get their tokens and both hear of the sign-out, 50 of 50', async () => {
    let both = 0;
    let ended = 0;
    const browser = openBrowser();
    const pages = ['echoices', 'cafeteria'].map((name) => `${house.running.get(name)?.url}/`);
    for (let round = 0; round < 50; round += 1) {
      await browser.get(`${house.issuer}/sign-in`);
      await signIn(browser, 'maria@example.org');
      const opened = await Promise.all([enterApp(browser, house, 'echoices'), enterApp(browser, house, 'cafeteria')]);
      const shown = await Promise.all(pages.map((url) => browser.get(url)));
      if (opened.every(({ status }) => status === 200) && shown.every(({ text }) => text.includes('Ana'))) both += 1;
      await browser.get(`${house.issuer}/sign-out`);
      await browser.submit({}, { button: 'logout=yes' });
      const out = await eventually(
        async () =>
          (await Promise.all(pages.map((url) => browser.get(url)))).every(({ text }) => !text.includes('Ana')),
        (all) => all,
      );
      if (out) ended += 1;
    }
    expect({ both, ended }).toEqual({ both: 50, ended: 50 });
  }, 240_000);

  it('a revocation in the middle of a request is not undone by it, 50 of 50', async () => {
    const browser = openBrowser();
    const { id } = await house.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow();
    const { revoke } = await import('../../src/sessions/revoke.js');
    let dead = 0;
    for (let round = 0; round < 50; round += 1) {
      await browser.get(`${house.issuer}/sign-in`);
      await signIn(browser, 'maria@example.org');
      // The app is opened, which writes the session, while the session is revoked.
      const opening = enterApp(browser, house, 'echoices').catch(() => null);
      await new Promise((resolve) => setTimeout(resolve, round % 25));
      await house.db
        .transaction()
        .execute((trx) => revoke(trx, house.house.audit, () => new Date(), { account: id }, 'signed-out', 'operator'));
      await opening;
      const live = await house.db
        .selectFrom('sessions')
        .select('uid')
        .where('account_id', '=', id)
        .where('revoked_at', 'is', null)
        .execute();
      const portal = await browser.get(`${house.issuer}/`);
      if (live.length === 0 && !portal.text.includes('Ana')) dead += 1;
    }
    expect(dead).toBe(50);
  }, 240_000);
});
