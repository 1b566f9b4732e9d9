import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { authorizationCodeGrant, refreshTokenGrant } from 'openid-client';
import { cookieSigner } from '../../src/keys/cookie-signer.js';
import { loadKeys } from '../../src/keys/keys.js';
import { rotateKeys } from '../../src/keys/states.js';
import { values } from '../../src/values.js';
import { askToRegister, password, register, signIn } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestApp, TestHouse } from '../support/house.js';
import { relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { elementary } from './family.js';

const app: TestApp = { registration: { client_id: 'bulletin', scope: 'openid offline_access' } };

/** Decision 9, on two instances that answer in turn, on one PostgreSQL. */
describe('keys that change under two instances', () => {
  let house: TestHouse;
  let mother: Browser;
  let bulletin: RelyingParty;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: [app], instances: 2 });
    bulletin = await relyingParty(house, 'bulletin');
    mother = openBrowser();
    await register(mother, house, 'maria@example.org');
  });
  afterAll(async () => {
    await bulletin.close();
    await house.close();
  });

  /** As the command line does, beside the instances; each then looks, as it does by itself within seconds. */
  async function rotate(): Promise<void> {
    house.advance(values.keyPublished);
    await rotateKeys(house.keys, { now: false, actor: 'operator' });
    await Promise.all(house.instances.map((instance) => instance.lookAtKeys()));
  }

  async function published(instance: number): Promise<string[]> {
    house.pin(instance);
    const { keys } = (await (await fetch(`${house.issuer}/jwks`)).json()) as { keys: Array<{ kid: string }> };
    house.pin(null);
    return keys.map(({ kid }) => kid);
  }

  it('each follows: the new key signs at both, and both publish the same keys, private halves left out', async () => {
    const before = await published(0);
    await rotate();
    const kids = await published(0);
    expect(await published(1)).toEqual(kids);
    expect(kids).toEqual(expect.arrayContaining(before));
    expect(kids).toHaveLength(before.length + 2);
    for (const instance of [0, 1]) {
      house.pin(instance);
      const { id_token: idToken = '' } = await bulletin.tokens(mother);
      // The first ES256 of the set is the one that signs.
      expect(decodeProtectedHeader(idToken).kid).toBe(kids[0]);
    }
    house.pin(null);
    const answer = await fetch(`${house.issuer}/jwks`);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=600');
    expect(await answer.text()).not.toMatch(/"(d|p|q|dp|dq|qi)":/);
  });

  it('an instance follows by itself, and at once where its keys are asked for', async () => {
    const log = house.log.length;
    house.advance(values.keyPublished);
    const [rotated] = await rotateKeys(house.keys, { use: 'sig', now: false, actor: 'operator' });
    // Nobody told them: the key set is never older than the question.
    expect((await published(1))[0]).toBe(rotated?.to);
    expect((await published(0))[0]).toBe(rotated?.to);
    expect(house.log.slice(log).filter((line) => line.includes('keys: changed, and followed'))).toHaveLength(2);
  });

  it.each([1, 2])('an interaction begun before %d changes of all keys ends after them', async (times) => {
    const browser = openBrowser();
    const { url, checks } = await bulletin.request();
    await browser.get(url.href);
    for (let time = 0; time < times; time += 1) await rotate();
    const page = await signIn(browser, 'maria@example.org');
    const tokens = await authorizationCodeGrant(bulletin.configuration, new URL(page.url), checks);
    expect(decodeProtectedHeader(tokens.id_token ?? '').kid).toBe((await published(0))[0]);
  });

  it('who was signed in before stays so, and asked to be kept, keeps a cookie that outlives the browser', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: 'maria@example.org', password, device: 'kept' });
    const lasting = async (): Promise<unknown[]> => {
      const found = await browser.jar.getCookies(house.issuer);
      return found.filter(({ key }) => key.startsWith('pa-session')).map(({ expires }) => expires);
    };
    expect((await lasting()).every((expires) => expires instanceof Date)).toBe(true);
    await rotate();
    expect((await browser.get(`${house.issuer}/`)).$('a[href="/sign-in"]')).toBeNull();
    expect((await lasting()).every((expires) => expires instanceof Date)).toBe(true);
    // Opening an app writes the cookie anew, by the key that signs now: another rotation later it is good.
    await bulletin.tokens(browser);
    expect((await lasting()).every((expires) => expires instanceof Date)).toBe(true);
  });

  it('our own cookies are signed by the new key too, and those of before are good', async () => {
    const browser = openBrowser();
    await askToRegister(browser, house, 'stranger@example.org');
    const before = await browser.cookies(house.issuer);
    await rotate();
    // What was typed is only taken from the browser that asked: its cookie is good.
    expect((await browser.submit({ code: '000000' }, { form: 'form[action="/register/code"]' })).status).toBe(422);
    await askToRegister(browser, house, 'stranger@example.org');
    const after = await browser.cookies(house.issuer);
    expect(after['pa-browser']).toBe(before['pa-browser']);
    const { cookies } = await loadKeys(house.db, house.keys.sealer);
    const current = cookieSigner(cookies.slice(0, 1));
    expect(current.verify(`pa-browser=${after['pa-browser']}`, after['pa-browser.sig'] ?? '')).toBe(true);
    expect(current.verify(`pa-browser=${before['pa-browser']}`, before['pa-browser.sig'] ?? '')).toBe(false);
  });

  it('an ID token of the key before signs out, and a refresh token of before gets one of the new key', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, 'maria@example.org');
    const { id_token: hint = '', refresh_token: refresh = '' } = await bulletin.tokens(browser);
    await rotate();
    expect(decodeProtectedHeader(hint).kid).not.toBe((await published(0))[0]);
    const renewed = await refreshTokenGrant(bulletin.configuration, refresh);
    expect(decodeProtectedHeader(renewed.id_token ?? '').kid).toBe((await published(1))[0]);
    const home = house.apps.get('bulletin')?.post_logout_redirect_uris?.[0] ?? '';
    const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: home });
    await browser.get(`${house.issuer}/sign-out?${query}`);
    expect((await browser.submit({}, { button: 'logout=yes' })).url).toBe(home);
  });

  it('keys that cannot be read change nothing: those at hand go on, and what is repaired is followed', async () => {
    const { sealed, kid } = await house.db
      .selectFrom('signing_keys')
      .select(['sealed', 'kid'])
      .where('state', '=', 'next')
      .where('alg', '=', 'ES256')
      .executeTakeFirstOrThrow();
    const write = (text: string, name: string) =>
      house.db
        .updateTable('signing_keys')
        .set({ sealed: text, kid: name })
        .where('state', '=', 'next')
        .where('alg', '=', 'ES256')
        .execute();
    const kids = await published(0);
    await write('broken', 'another');
    await expect(house.instances[0]?.lookAtKeys()).rejects.toThrow('SECRETS_KEY');
    expect(await published(0)).toEqual(kids);
    expect((await bulletin.tokens(mother)).id_token).toBeDefined();
    await write(sealed, kid);
    await house.instances[0]?.lookAtKeys();
    expect(await published(0)).toEqual(kids);
  });

  it('the job that rotates by the clock is registered', async () => {
    const { rows } = await house.pool.query("select cron from jobs.schedule where name = 'keys'");
    expect(rows).toEqual([{ cron: '7 * * * *' }]);
  });
});

/**
 * One minute of the clock that keys go by is 100 ms here, for the apps' copies of the key set too. These apps are the
 * strictest that are correct: they ask for the key set only when its Cache-Control is over, never because of a key they do not know.
 */
describe('sign-ins while keys rotate', () => {
  const minute = 100;
  let house: TestHouse;
  let party: RelyingParty;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: [app], instances: 2 });
    party = await relyingParty(house, 'bulletin');
  });
  afterAll(async () => {
    await party.close();
    await house.close();
  });

  it('all succeed, and each of their ID tokens is verified by an app with an old copy of the key set', async () => {
    const keySet = createRemoteJWKSet(new URL(`${house.issuer}/jwks`), {
      cacheMaxAge: (values.jwksCache / 60) * minute,
      cooldownDuration: 3_600_000,
    });
    await register(openBrowser(), house, 'maria@example.org');
    const signsIn = async (): Promise<Browser> => {
      const browser = openBrowser();
      await browser.get(`${house.issuer}/sign-in`);
      await signIn(browser, 'maria@example.org');
      return browser;
    };
    const signers = new Set<string>();
    const rotation = { done: 0, of: 3 };
    const opened = { times: 0 };
    const opens = async (browser: Browser): Promise<void> => {
      const { id_token: idToken = '' } = await party.tokens(browser);
      const { protectedHeader } = await jwtVerify(idToken, keySet, { issuer: house.issuer, audience: 'bulletin' });
      signers.add(protectedHeader.kid ?? '');
      opened.times += 1;
    };
    // Each opens the app again and again, and now and then signs in anew.
    const person = async (begun: Browser): Promise<void> => {
      let browser = begun;
      for (let times = 1; times <= 6 || rotation.done < rotation.of; times += 1) {
        await opens(browser);
        if (times % 6 === 0) browser = await signsIn();
      }
      await opens(browser);
    };
    const rotating = async (): Promise<void> => {
      for (; rotation.done < rotation.of; rotation.done += 1) {
        const before = opened.times;
        // However slow the machine is, every key signs for a while.
        for (let turns = 0; turns < 1_000 && (turns === 0 || opened.times < before + 5); turns += 1) {
          await pause(turns === 0 ? (values.keyPublished / 60) * minute : 20);
        }
        house.advance(values.keyPublished);
        await rotateKeys(house.keys, { now: false, actor: 'operator' });
        for (const instance of house.instances) await instance.lookAtKeys();
      }
    };
    const people = await Promise.all(Array.from({ length: 12 }, signsIn));
    await opens(people[0] ?? openBrowser());
    await Promise.all([...people.map(person), rotating()]);
    expect(opened.times).toBeGreaterThanOrEqual(60);
    expect(signers.size).toBe(4);
  });
});
