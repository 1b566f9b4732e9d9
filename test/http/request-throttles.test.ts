import { beforeEach, describe, expect, it } from '@jest/globals';
import { placeRequest } from '../../src/accounts/requests.js';
import { secretHash } from '../../src/database/secrets.js';
import { askToRegister, password, register } from '../journeys/steps.js';
import { letterRequests } from './desk.js';
import { openBrowser } from '../support/browser.js';
import type { Browser, BrowserOptions, Page } from '../support/browser.js';
import type { TestHouse } from '../support/house.js';
import { useThrottledHouse } from './throttled-house.js';

/** Registrations and recoveries, by the design's values. */
describe('requests for a letter', () => {
  let house: TestHouse;
  useThrottledHouse((opened) => void (house = opened));
  beforeEach(async () => {
    await house.db.deleteFrom('account_requests').execute();
  });

  const ask = (email: string, from: string): Promise<Page> => askToRegister(openBrowser({ from }), house, email);
  /** On which its owner signed in. */
  async function knownDevice(options?: BrowserOptions): Promise<Browser> {
    const browser = openBrowser(options);
    await browser.get(`${house.issuer}/sign-in`);
    await browser.submit({ identifier: 'pedro@example.org', password });
    return browser;
  }
  async function recover(identifier: string, from: string): Promise<Page> {
    const browser = openBrowser({ from });
    await browser.get(`${house.issuer}/recover`);
    return browser.submit({ identifier });
  }

  it.each([
    [
      'that a school holds',
      ['maria@example.org', 'MARIA@example.org', ' maria@EXAMPLE.org', 'maria@example.org.', '<maria@example.org>'],
    ],
    ['that nobody holds', Array<string>(5).fill('stranger@example.net')],
  ])(
    'to register are five a day for an address %s, however it is written and wherever they come from',
    async (_, spellings) => {
      for (const [index, spelling] of spellings.entries())
        expect((await ask(spelling, `127.0.3.${index + 1}`)).url).toMatch(/\/register\/sent$/);
      const page = await ask(spellings[0] ?? '', '127.0.3.99');
      expect(page.status).toBe(429);
      expect(page.title).toContain('Too many tries');
      const seconds = Number(page.headers['retry-after']);
      expect(seconds).toBeGreaterThan(23 * 3_600);
      expect(seconds).toBeLessThanOrEqual(24 * 3_600);
      expect(page.$$('main a').length).toBeGreaterThan(0);
      expect(await letterRequests(house)).toBe(5);
      expect((await ask('pedro@example.org', '127.0.3.99')).status).toBe(200);
    },
  );

  it('are ten in ten minutes from one source, registrations and recoveries together', async () => {
    for (let person = 0; person < 5; person += 1)
      expect((await ask(`one${person}@example.net`, '127.0.4.1')).status).toBe(200);
    for (let person = 0; person < 5; person += 1)
      expect((await recover(`two${person}@example.net`, '127.0.4.1')).status).toBe(200);
    for (const page of [await ask('three@example.net', '127.0.4.1'), await recover('four@example.net', '127.0.4.1')]) {
      expect(page.status).toBe(429);
      expect(Number(page.headers['retry-after'])).toBeLessThanOrEqual(600);
      expect(Number(page.headers['retry-after'])).toBeGreaterThan(500);
      expect(page.text).toContain('Wait 10 minutes');
    }
    expect(await letterRequests(house)).toBe(10);
    expect((await ask('three@example.net', '127.0.4.2')).status).toBe(200);
  });

  it('to recover are five a day for an address or a name', async () => {
    for (const identifier of ['maria@example.org', 'rosa.lopez']) {
      for (let time = 0; time < 5; time += 1)
        expect((await recover(identifier, `127.0.5.${time + 1}`)).status).toBe(200);
      expect((await recover(identifier.toUpperCase(), '127.0.5.9')).status).toBe(429);
    }
    // They have a count of their own: who registered five times can still recover.
    expect((await ask('maria@example.org', '127.0.5.10')).status).toBe(200);
  });

  it('to recover are left to a device that the owner used before, however many strangers asked', async () => {
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
    const owner = await knownDevice();
    await house.db.deleteFrom('throttles').execute();
    for (let time = 0; time < 5; time += 1) await recover('pedro@example.org', `127.0.5.${time + 20}`);
    expect((await recover('pedro@example.org', '127.0.5.30')).status).toBe(429);
    const statuses: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      await owner.get(`${house.issuer}/recover`);
      statuses.push((await owner.submit({ identifier: 'pedro@example.org' })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    // The device is its owner's, and nobody else's.
    await house.db.deleteFrom('throttles').execute();
    for (let time = 0; time < 5; time += 1) await recover('maria@example.org', `127.0.5.${time + 40}`);
    await owner.get(`${house.issuer}/recover`);
    expect((await owner.submit({ identifier: 'maria@example.org' })).status).toBe(429);
  });

  it('to recover are not taken from a known device by a word more that a stranger types', async () => {
    const owner = await knownDevice();
    await house.db.deleteFrom('throttles').execute();
    const typed = ['pedro@example.org', 'pedro@example.org known', 'known pedro@example.org'];
    for (const [index, identifier] of typed.entries()) {
      for (let time = 0; time < 5; time += 1) await recover(identifier, `127.0.8.${index * 5 + time + 1}`);
    }
    await owner.get(`${house.issuer}/recover`);
    expect((await owner.submit({ identifier: 'pedro@example.org' })).status).toBe(200);
  });

  it('to recover are left to a device that the owner used before, however many were asked by others in the same home', async () => {
    const owner = await knownDevice({ from: '127.0.8.40' });
    for (let time = 0; time < 10; time += 1) await recover(`nobody${time}@example.net`, '127.0.8.40');
    expect((await recover('pedro@example.org', '127.0.8.40')).status).toBe(429);
    await owner.get(`${house.issuer}/recover`);
    expect((await owner.submit({ identifier: 'pedro@example.org' })).status).toBe(200);
    await owner.get(`${house.issuer}/recover`);
    expect((await owner.submit({ identifier: 'maria@example.org' })).status).toBe(429);
  });

  it('to recover are left to a device that the owner used long ago, when the keys that signed its cookie are gone', async () => {
    const owner = await knownDevice();
    await owner.jar.setCookie('pa-device.sig=of-a-key-that-is-gone', house.issuer);
    for (let time = 0; time < 5; time += 1) await recover('pedro@example.org', `127.0.8.${time + 50}`);
    expect((await recover('pedro@example.org', '127.0.8.60')).status).toBe(429);
    await owner.get(`${house.issuer}/recover`);
    expect((await owner.submit({ identifier: 'pedro@example.org' })).status).toBe(200);
  });

  it('of one browser at the same instant leave one that is good', async () => {
    const nothing = async (): Promise<void> => {};
    const jobs = { start: nothing, send: nothing, wake: () => {}, stop: nothing };
    const asked = {
      identifier: 'somebody@example.org',
      phone: null,
      locale: 'en',
      clientId: null,
      interactionUid: null,
    };
    const live = async (browser: string): Promise<number> => {
      const good = house.db.selectFrom('account_requests').select('id').where('ended_at', 'is', null);
      return (await good.where('browser_hash', '=', secretHash(browser)).execute()).length;
    };
    const rounds = Array.from({ length: 10 }, (_, round) => `browser ${round}`);
    for (const browser of rounds) {
      const request = { kind: 'registration', browser, ...asked } as const;
      const sent = Array.from({ length: 8 }, () => placeRequest(house.db, jobs, () => new Date(), request));
      await Promise.all(sent);
      expect(await live(browser)).toBe(1);
    }
  });

  it('that could not be read are not counted', async () => {
    const browser = openBrowser({ from: '127.0.6.1' });
    for (let time = 0; time < 12; time += 1)
      expect((await askToRegister(browser, house, 'maria@', '12')).status).toBe(422);
    expect((await askToRegister(browser, house, 'maria@example.org')).status).toBe(200);
  });

  it('thirty at the same instant are written ten times at most', async () => {
    const browsers = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const browser = openBrowser({ from: '127.0.7.1' });
        await browser.get(`${house.issuer}/register`);
        return browser;
      }),
    );
    const pages = await Promise.all(
      browsers.map((browser, index) => browser.submit({ email: `many${index}@example.net`, phone: '(213) 555-0100' })),
    );
    expect(pages.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(pages.filter(({ status }) => status === 429)).toHaveLength(20);
    expect(await letterRequests(house)).toBe(10);
  });
});
