import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { refreshTokenGrant } from 'openid-client';
import { keysCommand } from '../../src/desk/keys.js';
import { listKeys } from '../../src/keys/states.js';
import type { ListedKey } from '../../src/keys/states.js';
import { values } from '../../src/values.js';
import { register, signIn } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { elementary } from './family.js';

const apps = [{ registration: { client_id: 'bulletin', scope: 'openid profile offline_access' } }];

describe('a stolen key', () => {
  let house: TestHouse;
  let party: RelyingParty;
  let mother: Browser;
  beforeEach(async () => {
    house = await startTestHouse({ elementary, apps, instances: 2 });
    party = await relyingParty(house, 'bulletin');
    mother = openBrowser();
    await register(mother, house, 'maria@example.org');
  });
  afterEach(async () => {
    await party.close();
    await house.close();
  });

  const keys = (...args: string[]): Promise<string> => keysCommand(house.desk, args);
  async function key(alg: string, state: string): Promise<ListedKey> {
    const found = (await listKeys(house.db)).find(
      (each) => each.alg === alg && each.state === state && each.use !== 'pairwise',
    );
    if (found === undefined) throw new Error(`no ${state} ${alg}`);
    return found;
  }
  async function published(): Promise<string[]> {
    const { keys: set } = (await (await fetch(`${house.issuer}/jwks`)).json()) as { keys: Array<{ kid: string }> };
    return set.map(({ kid }) => kid);
  }
  async function signedIn(): Promise<Browser> {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/sign-in`);
    await signIn(browser, 'maria@example.org');
    return browser;
  }
  const isSignedIn = async (browser: Browser): Promise<boolean> =>
    (await browser.get(`${house.issuer}/`)).text.includes('Ana');
  const open = async (): Promise<number> =>
    (await house.db.selectFrom('sessions').select('uid').where('revoked_at', 'is', null).execute()).length;
  async function rotate(): Promise<void> {
    house.advance(values.keyPublished);
    await keys('rotate');
    await house.desk.keysFollowed();
  }

  it('costs nothing until --yes is said, and then what was said', async () => {
    const { kid } = await key('ES256', 'current');
    await signedIn();
    house.advance(values.keyPublished);
    const before = await listKeys(house.db);
    await expect(keys('revoke', kid)).rejects.toThrow(
      /ends 2 sign-ins, all that were in use since .* UTC; apps may take its signatures for 10 minutes more, .*: say --yes/,
    );
    expect(await listKeys(house.db)).toEqual(before);
    expect(await open()).toBe(2);
    expect(await keys('revoke', kid, '--yes')).toMatch(/^Revoked the current ES256 key .* It ended 2 sign-ins/);
    expect(await open()).toBe(0);
  });

  it('that signs: is gone at every instance at once, the next signs, and what it could have signed has ended', async () => {
    const [{ kid }, next] = [await key('ES256', 'current'), await key('ES256', 'next')];
    const { refresh_token: refresh = '', id_token: hint = '' } = await party.tokens(mother);
    expect(decodeProtectedHeader(hint).kid).toBe(kid);
    await keys('revoke', kid, '--yes');
    for (const instance of [0, 1]) {
      house.pin(instance);
      expect(await published()).not.toContain(kid);
      expect(await isSignedIn(mother)).toBe(false);
    }
    house.pin(null);
    await expect(refreshTokenGrant(party.configuration, refresh)).rejects.toMatchObject({ error: 'invalid_grant' });
    const again = await signedIn();
    const { id_token: idToken = '' } = await party.tokens(again);
    expect(decodeProtectedHeader(idToken).kid).toBe(next.kid);
    expect(await key('ES256', 'current')).toMatchObject({ kid: next.kid });
    expect((await key('ES256', 'next')).kid).not.toBe(next.kid);
    // What the thief can make now is no hint either.
    const home = house.apps.get('bulletin')?.post_logout_redirect_uris?.[0] ?? '';
    const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: home });
    expect((await again.get(`${house.issuer}/sign-out?${query}`)).status).toBe(400);
    const events = await house.db.selectFrom('audit_events').select(['kind', 'subject', 'details']).execute();
    expect(events.find((event) => event.kind === 'key.revoked')).toMatchObject({ subject: `key:${kid}` });
    expect(events.filter((event) => event.details['because'] === 'key-revoked')).toHaveLength(1);
  });

  it('of cookies: no browser that it signed for is signed in, nor is any session left behind', async () => {
    const { kid } = await key('HMAC', 'current');
    await party.tokens(mother);
    await expect(keys('revoke', kid)).rejects.toThrow(/ends 1 sign-in, .*; sign-ins under way begin again: say --yes/);
    await keys('revoke', kid, '--yes');
    expect(await open()).toBe(0);
    expect(await isSignedIn(mother)).toBe(false);
    expect(await isSignedIn(await signedIn())).toBe(true);
  });

  it('that signed before costs who used a session then, however long ago it began, and nobody who came after', async () => {
    const old = await signedIn();
    const { kid } = await key('ES256', 'current');
    house.advance(3_600);
    expect(await isSignedIn(old)).toBe(true);
    house.advance(values.sessionTouch);
    await rotate();
    house.advance(60);
    const fresh = await signedIn();
    expect((await key('ES256', 'previous')).kid).toBe(kid);
    await expect(keys('revoke', kid)).rejects.toThrow(
      /previous ES256 key ends 2 sign-ins, all that were in use between/,
    );
    await keys('revoke', kid, '--yes');
    expect(await isSignedIn(old)).toBe(false);
    expect(await isSignedIn(mother)).toBe(false);
    expect(await isSignedIn(fresh)).toBe(true);
    // The one that signs now was made before, and may have signed for whoever is signed in since.
    await expect(keys('revoke', (await key('ES256', 'current')).kid)).rejects.toThrow('ends 1 sign-in,');
  });

  it('costs a session that began before it, and was used since; and not one that was not', async () => {
    const old = await signedIn();
    await rotate();
    house.advance(2 * values.sessionTouch);
    expect(await isSignedIn(old)).toBe(true);
    await keys('revoke', (await key('ES256', 'current')).kid, '--yes');
    expect(await isSignedIn(old)).toBe(false);
    expect(await isSignedIn(mother)).toBe(true);
  });

  it('that never signed costs no sign-in, but apps know it already', async () => {
    await expect(keys('revoke', (await key('HMAC', 'next')).kid)).rejects.toThrow('because it never signed: say --yes');
    const { kid } = await key('RS256', 'next');
    expect(await published()).toContain(kid);
    await expect(keys('revoke', kid)).rejects.toThrow(
      /ends no sign-in, because it never signed; apps may take its signatures for 10 minutes more, .*: say --yes/,
    );
    await keys('revoke', kid, '--yes');
    expect(await published()).not.toContain(kid);
    expect(await isSignedIn(mother)).toBe(true);
    expect(await published()).toHaveLength(4);
  });

  it('sign-ins of an instance that followed late end too', async () => {
    const { kid } = await key('HMAC', 'current');
    let late: Browser | null = null;
    // Between the revocation and the moment when all follow, somebody signs in at an instance that does not yet.
    const desk = {
      ...house.desk,
      keysFollowed: async () => {
        house.pin(1);
        late = await signedIn();
        house.pin(null);
        await house.desk.keysFollowed();
      },
    };
    expect(await keysCommand(desk, ['revoke', kid, '--yes'])).toContain('It ended 2 sign-ins');
    expect(late).not.toBeNull();
    expect(await open()).toBe(0);
  });

  it('revoked again, unknown, gone or pairwise is refused in one sentence, and nothing changes', async () => {
    const { kid } = await key('RS256', 'current');
    await keys('revoke', kid, '--yes');
    const before = await listKeys(house.db);
    const pairwise = before.find(({ use }) => use === 'pairwise')?.kid ?? '';
    for (const [name, sentence] of [
      [kid, /^The key was revoked already, on .* UTC\.$/],
      ['nothing', /^There is no key "nothing": see/],
      ['-', /^There is no key "-"/],
      [pairwise, /^The pairwise key .* never changes and cannot be revoked\.$/],
    ] as const) {
      await expect(keys('revoke', name)).rejects.toThrow(sentence);
      await expect(keys('revoke', name, '--yes')).rejects.toThrow(sentence);
    }
    expect(await listKeys(house.db)).toEqual(before);
  });
});
