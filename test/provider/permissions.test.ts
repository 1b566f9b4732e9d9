import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as client from 'openid-client';
import { send } from '../http/desk.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import { post, relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';

/*
 * allow once ─▶ remembered over sessions and browsers ─ registration grows ─▶ asked again, and nothing more until then
 *                                                    └ "Stop sharing" ─▶ tokens end at once, asked again
 */
describe('a permission', () => {
  let house: TestHouse;
  let homework: RelyingParty;
  let mother: Browser;
  beforeAll(async () => {
    ({ house, mother, homework } = await familyHouse('homework'));
  });
  afterAll(() => house.close());

  async function allow(browser: Browser, extra?: Record<string, string>) {
    const { url, checks } = await homework.request(extra);
    await browser.get(url.href);
    const page = await browser.submit({}, { form: 'form[action$="/consent"]' });
    return client.authorizationCodeGrant(homework.configuration, new URL(page.url), checks);
  }
  const ask = (token: string) => fetch(`${house.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } });

  it('names all that the app may ever receive, not only what this request asks for', async () => {
    const { url } = await homework.request({ scope: 'openid' });
    const { text } = await mother.get(url.href);
    for (const fact of ['Your name', 'Their names', 'Their grade', 'without asking']) expect(text).toContain(fact);
  });

  it('is remembered in the next session and in another browser', async () => {
    await allow(mother);
    const phone = await signInAnew(house, 'maria@example.org');
    const tokens = await homework.tokens(phone);
    expect(tokens.refresh_token).toBeDefined();
  });

  it('does not grow with the registration: nothing is told, and the parent is asked again', async () => {
    const { access_token: token } = await homework.tokens(mother);
    expect(await (await ask(token)).json()).toHaveProperty('students');
    // As after a registration that grew: less was allowed than the app is registered for now.
    await house.db
      .updateTable('consents')
      .set({ facts: ['name'] })
      .execute();
    expect(Object.keys((await (await ask(token)).json()) as object)).toEqual(['sub']);
    const { url } = await homework.request();
    expect((await mother.get(url.href)).text).toContain('Homework Helper asks for your permission');
    expect(await (await ask((await allow(mother)).access_token)).json()).toHaveProperty('students');
  });

  it('is listed in the portal and ends there, with its tokens, in every session at once', async () => {
    const tokens = await homework.tokens(mother);
    const page = await mother.get(`${house.issuer}/permissions`);
    expect(page.text).toContain('Homework Helper');
    expect(page.text).toContain('Their grade');
    const after = await mother.submit({}, { button: 'Stop sharing with Homework Helper' });
    expect(after.text).toContain('Homework Helper gets nothing more from us');
    expect((await ask(tokens.access_token)).status).toBe(401);
    const credentials = { clientId: 'homework', secret: house.secret };
    const refreshed = await post(
      house,
      '/token',
      { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' },
      credentials,
    );
    expect(refreshed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
    const { url } = await homework.request();
    expect((await mother.get(url.href)).text).toContain('Homework Helper asks for your permission');
    const { url: silent } = await homework.request({ prompt: 'none' });
    expect(new URL((await mother.get(silent.href)).url).searchParams.get('error')).toBe('consent_required');
  });

  it('is needed to be recognised: who allows nothing is compared with nobody whom the app knew', async () => {
    const tokens = await allow(mother);
    await mother.get(`${house.issuer}/permissions`);
    await mother.submit({}, { button: 'Stop sharing with Homework Helper' });
    const subject = (value: unknown) => ({ claims: JSON.stringify({ id_token: { sub: { value } } }) });
    const answers = new Set<string>();
    for (const known of [
      {},
      { id_token_hint: tokens.id_token ?? '' },
      subject(tokens.claims()?.sub),
      subject('somebody else'),
      { max_age: '0' },
    ]) {
      const { url } = await homework.request({ prompt: 'none', ...known });
      const { searchParams } = new URL((await mother.get(url.href)).url);
      answers.add(`${searchParams.get('error')}: ${searchParams.get('error_description')}`);
    }
    expect([...answers]).toEqual([expect.stringMatching(/^consent_required: /)]);
  });

  it('is for what was read: a form that names other facts is shown again', async () => {
    const { url } = await homework.request();
    await mother.get(url.href);
    const page = mother.page();
    const form = page.$('form[action$="/consent"]');
    form?.querySelector('input[name=facts]')?.setAttribute('value', 'name');
    const again = await mother.submit({}, { form: 'form[action$="/consent"]' });
    expect(again.text).toContain('Homework Helper asks for your permission');
    const given = await house.db.selectFrom('consents').selectAll().where('revoked_at', 'is', null).execute();
    expect(given).toEqual([]);
  });

  it('is not asked, and not listed, for an app of the district', async () => {
    const echoices = await relyingParty(house, 'echoices');
    const { callback } = await echoices.authorize(mother, { prompt: 'consent' });
    expect(callback.searchParams.get('code')).not.toBeNull();
    expect((await mother.get(`${house.issuer}/permissions`)).text).not.toContain('eChoices');
    await echoices.close();
  });

  it('of an app that never was, or by a malformed name, is 404 with a way on; one that was never given ends without a fault', async () => {
    const { id: owner } = await house.db
      .selectFrom('accounts')
      .select('id')
      .where('email', '=', 'maria@example.org')
      .executeTakeFirstOrThrow();
    const stop = async (app: string): Promise<[number, boolean]> => {
      const cookie = await mother.jar.getCookieString(`${house.issuer}/permissions`);
      const { status, body } = await send(
        `${house.issuer}/permissions`,
        { app, owner },
        { cookie, accept: 'text/html' },
      );
      return [status, /<main[^]*<a [^]*<\/main>/.test(body)];
    };
    for (const app of ['never-was', '', 'x'.repeat(9_000), "'; drop table consents; --", '__proto__'])
      expect([app, ...(await stop(app))]).toEqual([app, 404, true]);
    expect((await stop('homework'))[0]).toBe(200);
    expect((await stop('echoices'))[0]).toBe(200);
    expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
  });

  it('of nobody’s ends without a fault', async () => {
    await mother.get(`${house.issuer}/permissions`);
    expect(mother.page().text).toContain('You gave no app permission');
    const stranger = await openBrowser().get(`${house.issuer}/permissions`);
    expect(stranger.$('input[name=password]')).not.toBeNull();
  });

  it('is written in the audit, given and taken back', async () => {
    const events = await house.db
      .selectFrom('audit_events')
      .select('kind')
      .where('kind', 'like', 'consent.%')
      .execute();
    expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(['consent.given', 'consent.revoked']));
  });
});
