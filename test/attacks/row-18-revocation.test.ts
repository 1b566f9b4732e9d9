import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as client from 'openid-client';
import { linkIn, password, pressLink, register } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import { post } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';

type Tokens = Awaited<ReturnType<RelyingParty['tokens']>>;
const second = 'an even longer way home';
const third = 'quite another way to walk';

describe('row 18: a new password ends what the old one opened', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  let cafeteria: RelyingParty;
  beforeAll(async () => {
    ({ house, echoices, cafeteria } = await familyHouse('echoices', 'cafeteria'));
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
  });
  afterAll(() => house.close());

  const userinfo = async (tokens: Tokens): Promise<number> =>
    (await fetch(`${house.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })).status;
  const active = async (tokens: Tokens): Promise<unknown> =>
    (await post(house, '/introspect', { token: tokens.access_token }, { clientId: 'echoices', secret: house.secret }))
      .body['active'];
  const refresh = (tokens: Tokens) => client.refreshTokenGrant(echoices.configuration, tokens.refresh_token ?? '');
  const isIn = async (browser: Browser): Promise<boolean> =>
    (await browser.get(`${house.issuer}/`)).text.includes('Ana');

  async function expectDead(browser: Browser, tokens: Tokens): Promise<void> {
    expect(await isIn(browser)).toBe(false);
    expect(await userinfo(tokens)).toBe(401);
    expect(await active(tokens)).toBe(false);
    await expect(refresh(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });
    const { url } = await echoices.request({ prompt: 'none' });
    expect(new URL((await browser.get(url.href)).url).searchParams.get('error')).toBe('login_required');
  }

  it('a change ends every other session with its tokens and codes, keeps this one, and nobody else’s', async () => {
    const here = await signInAnew(house, 'maria@example.org', password);
    const elsewhere = await signInAnew(house, 'maria@example.org', password);
    const pedro = await signInAnew(house, 'pedro@example.org', password);
    const mine = await echoices.tokens(here);
    const theirs = await echoices.tokens(elsewhere);
    const others = await echoices.tokens(pedro);
    const another = await cafeteria.tokens(elsewhere);
    const { callback, checks } = await echoices.authorize(elsewhere);

    await here.get(`${house.issuer}/password`);
    expect((await here.submit({ current: password, password: second })).status).toBe(200);

    await expectDead(elsewhere, theirs);
    expect(await userinfo(another)).toBe(401);
    await expect(client.authorizationCodeGrant(echoices.configuration, callback, checks)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await isIn(here)).toBe(true);
    expect(await userinfo(mine)).toBe(200);
    await refresh(mine);
    expect(await userinfo(others)).toBe(200);
    expect((await pedro.get(`${house.issuer}/`)).text).toContain('Tomas');
    expect((await signInAnew(house, 'maria@example.org', password)).page().status).toBe(422);
  });

  /** Who opened the browser's tools at the family's computer, and took its cookies to a computer of their own. */
  async function copyOf(browser: Browser): Promise<Browser> {
    const copy = openBrowser();
    for (const [name, value] of Object.entries(await browser.cookies(house.issuer)))
      await copy.jar.setCookie(`${name}=${value}; Path=/`, house.issuer);
    return copy;
  }

  it('no copy of a cookie goes on with the session that a new password, or “end all others”, keeps', async () => {
    const here = await signInAnew(house, 'pedro@example.org', password, 'own');
    const isPedro = async (browser: Browser): Promise<boolean> =>
      (await browser.get(`${house.issuer}/`)).text.includes('Tomas');
    const copy = await copyOf(here);
    expect(await isPedro(copy)).toBe(true);
    await here.get(`${house.issuer}/password`);
    await here.submit({ current: password, password: second });
    expect([await isPedro(here), await isPedro(copy)]).toEqual([true, false]);

    const later = await copyOf(here);
    await signInAnew(house, 'pedro@example.org', second);
    await here.get(`${house.issuer}/devices`);
    await here.submit({}, { form: 'form:has([value=others])' });
    expect([await isPedro(here), await isPedro(later)]).toEqual([true, false]);
    await here.get(`${house.issuer}/password`);
    await here.submit({ current: second, password });
  });

  it('nor does a cookie that the copy fetched before, and kept back', async () => {
    const here = await signInAnew(house, 'pedro@example.org', password, 'own');
    const copy = await copyOf(here);
    const { url } = await echoices.request({ prompt: 'consent' });
    expect((await copy.get(url.href)).url).toContain('code=');
    await here.get(`${house.issuer}/password`);
    await here.submit({ current: password, password: second });
    expect((await copy.get(`${house.issuer}/`)).text).not.toContain('Tomas');
    expect((await here.get(`${house.issuer}/`)).text).toContain('Tomas');
    await here.get(`${house.issuer}/password`);
    await here.submit({ current: second, password });
  });

  it('nor does a copy that says “end all others” before the browser shows its new cookie', async () => {
    const here = await signInAnew(house, 'pedro@example.org', password, 'own');
    const copy = await copyOf(here);
    await copy.get(`${house.issuer}/devices`);
    await here.get(`${house.issuer}/password`);
    await here.submit({ current: password, password: second }, { follow: false });
    await copy.submit({}, { form: 'form:has([value=others])' });
    expect((await here.get(`${house.issuer}/`)).text).toContain('Tomas');
    expect((await copy.get(`${house.issuer}/`)).text).not.toContain('Tomas');
    await here.get(`${house.issuer}/password`);
    await here.submit({ current: second, password });
  });

  it('a recovery ends every session, that of the browser which recovers too, and nobody else’s', async () => {
    const here = await signInAnew(house, 'maria@example.org', second);
    const elsewhere = await signInAnew(house, 'maria@example.org', second);
    const pedro = await signInAnew(house, 'pedro@example.org', password);
    const mine = await echoices.tokens(here);
    const theirs = await echoices.tokens(elsewhere);
    const before = (await here.cookies(house.issuer))['pa-session'];

    await here.get(`${house.issuer}/recover`);
    await here.submit({ identifier: 'maria@example.org' });
    const letter = await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/recover/link'));
    // Until the new password is there, nothing has happened: whoever asks for a letter signs nobody out.
    expect(await isIn(elsewhere)).toBe(true);
    await pressLink(here, linkIn(letter, '/recover/link'));
    expect(await isIn(elsewhere)).toBe(true);
    await here.get(`${house.issuer}/recover/password`);
    await here.submit({ password: third });

    await expectDead(elsewhere, theirs);
    expect(await userinfo(mine)).toBe(401);
    await expect(refresh(mine)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await here.cookies(house.issuer))['pa-session']).not.toBe(before);
    expect((await pedro.get(`${house.issuer}/`)).text).toContain('Tomas');
    expect((await signInAnew(house, 'maria@example.org', second)).page().status).toBe(422);
    expect(await isIn(await signInAnew(house, 'maria@example.org', third))).toBe(true);
    // The link is over with it.
    expect((await pressLink(openBrowser(), linkIn(letter, '/recover/link'))).status).toBe(410);
  });

  it('nor does a page that the copy had open then: it says nothing, and answers nothing in the owner’s place', async () => {
    const here = await signInAnew(house, 'pedro@example.org', password, 'own');
    const copy = await copyOf(here);
    const corrected = { email: 'pedro.new@example.org', last_modified: '2026-11-10T00:00:00Z' };
    await house.load(
      'elementary',
      elementary.map((cells) => (cells['contact_id'] === 'E2' ? { ...cells, ...corrected } : cells)),
    );
    const question = await copy.get(`${house.issuer}/sign-in`);
    expect(question.text).toContain(corrected.email);
    await here.get(`${house.issuer}/password`);
    await here.submit({ current: password, password: second });
    await copy.submit({}, { button: 'decision=keep', follow: false });
    expect((await copy.get(question.url)).text).not.toContain('pedro');
    expect((await here.get(`${house.issuer}/sign-in`)).$('[name=decision]')).not.toBeNull();
    await here.get(`${house.issuer}/password`);
    await here.submit({ current: second, password });
  });

  it('nor does what the copy answers before the browser shows its new cookie', async () => {
    const here = await signInAnew(house, 'pedro@example.org', password, 'own');
    await here.get(`${house.issuer}/password`);
    const copy = await copyOf(here);
    await here.submit({ current: password, password: second }, { follow: false });
    const question = await copy.get(`${house.issuer}/sign-in`);
    expect(question.text).toContain('pedro.new@example.org');
    await copy.submit({}, { button: 'decision=keep' });
    expect((await here.get(`${house.issuer}/sign-in`)).$('[name=decision]') === null).toBe(false);
    await here.submit({}, { button: 'decision=keep' });
    expect((await here.get(`${house.issuer}/sign-in`)).$('[name=decision]')).toBeNull();
  });
});
