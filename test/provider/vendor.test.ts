import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as client from 'openid-client';
import { register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestApp, TestHouse } from '../support/house.js';
import { relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { apps, elementary } from './family.js';

const second: TestApp = {
  registration: {
    client_id: 'bus-finder',
    client_name: 'Bus Finder',
    scope: 'openid students',
    party: 'vendor',
    subject_type: 'pairwise',
    student_facts: ['school'],
  },
};

/*
 * vendor app ─▶ sign-in ─▶ "asks for your permission", fact by fact ─ deny ──▶ access_denied at the app
 *                                                                   └ allow ─▶ only those facts, pairwise sub and child ids
 */
describe('an app of a vendor', () => {
  let house: TestHouse;
  let homework: RelyingParty;
  let bus: RelyingParty;
  let echoices: RelyingParty;
  const mother = openBrowser();
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps: [...apps, second] });
    homework = await relyingParty(house, 'homework');
    bus = await relyingParty(house, 'bus-finder');
    echoices = await relyingParty(house, 'echoices');
    await register(mother, house, 'maria@example.org');
  });
  afterAll(async () => {
    for (const app of [homework, bus, echoices]) await app.close();
    await house.close();
  });

  async function allowed(app: RelyingParty) {
    const { url, checks } = await app.request();
    await mother.get(url.href);
    const page = await mother.submit({}, { form: 'form[action$="/consent"]' });
    const tokens = await client.authorizationCodeGrant(app.configuration, new URL(page.url), checks);
    return {
      tokens,
      info: await client.fetchUserInfo(app.configuration, tokens.access_token, tokens.claims()?.sub ?? ''),
    };
  }

  it('is asked about on a page that names each fact, and no other', async () => {
    const { url } = await homework.request();
    const { text } = await mother.get(url.href);
    expect(text).toContain('Homework Helper');
    for (const fact of ['Your name', 'Their names', 'Their grade']) expect(text).toContain(fact);
    for (const other of ['Your e-mail', 'Your phone', 'The school they go to', 'meal account'])
      expect(text).not.toContain(other);
  });

  it('gets a proper error where the parent does not allow it', async () => {
    const { url } = await homework.request();
    await mother.get(url.href);
    const page = await mother.submit({}, { form: 'form[action$="/cancel"]' });
    expect(new URL(page.url).searchParams.get('error')).toBe('access_denied');
    expect(new URL(page.url).searchParams.get('code')).toBeNull();
  });

  it('gets what was named, under identifiers that no other app has', async () => {
    const here = await allowed(homework);
    const there = await allowed(bus);
    const own = await echoices.tokens(mother);
    const district = await client.fetchUserInfo(echoices.configuration, own.access_token, own.claims()?.sub ?? '');
    const ids = (info: client.UserInfoResponse): unknown[] =>
      (info['students'] as Array<{ id: unknown }>).map(({ id }) => id);
    expect(here.info['students']).toEqual([
      { id: expect.any(String), name: 'Ana López', grade: '3' },
      { id: expect.any(String), name: 'Beto López', grade: '3' },
    ]);
    // Beto's school is withheld.
    expect(there.info['students']).toEqual([
      { id: expect.any(String), school: 'Lincoln Elementary' },
      { id: expect.any(String) },
    ]);
    expect(there.info).not.toHaveProperty('name');
    expect(here.info).not.toHaveProperty('email');
    expect(new Set([here.info.sub, there.info.sub, district.sub]).size).toBe(3);
    expect(new Set([...ids(here.info), ...ids(there.info), ...ids(district)]).size).toBe(6);
  });

  it('is not asked about again in the same session, and keeps its identifiers', async () => {
    const again = await homework.tokens(mother);
    const info = await client.fetchUserInfo(homework.configuration, again.access_token, again.claims()?.sub ?? '');
    const { url } = await homework.request({ prompt: 'consent' });
    expect((await mother.get(url.href)).text).toContain('Homework Helper');
    const page = await mother.submit({}, { form: 'form[action$="/consent"]' });
    expect(new URL(page.url).searchParams.get('code')).not.toBeNull();
    const later = await homework.tokens(mother);
    expect(later.claims()?.sub).toBe(info.sub);
  });

  it('never gets more by asking for claims by name', async () => {
    const { url } = await bus.request({
      claims: JSON.stringify({ userinfo: { name: null, email: { essential: true } } }),
    });
    const { callback, checks } = await bus.authorize(
      mother,
      Object.fromEntries([...url.searchParams].filter(([name]) => name === 'claims')),
    );
    const tokens = await client.authorizationCodeGrant(bus.configuration, callback, checks);
    const info = await client.fetchUserInfo(bus.configuration, tokens.access_token, tokens.claims()?.sub ?? '');
    expect(Object.keys(info).sort((a, b) => a.localeCompare(b))).toEqual(['students', 'sub']);
  });
});
