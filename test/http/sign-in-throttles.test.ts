import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { password, register } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { atSignIn, sendFrom, tries } from './desk.js';

const maria = 'maria@example.org';
const wrong = 'not the way to school';
const refused = (count: number): number[] => Array<number>(count).fill(422);

/** The design's values as they are in the field: each test comes from sources of its own. */
describe('passwords that are tried', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, environment: { THROTTLE_SCALE: '1' } });
    await register(openBrowser({ from: '127.0.9.1' }), house, maria);
    await register(openBrowser({ from: '127.0.9.2' }), house, 'pedro@example.org', '(213) 555-0122');
  });
  afterAll(() => house.close());

  it('are five to an account from one source; then even the right one is refused there, and taken elsewhere', async () => {
    const browser = await atSignIn(house, '127.0.0.11');
    expect(await tries(browser, maria, wrong, 5)).toEqual(refused(5));
    const page = await browser.submit({ identifier: maria, password: wrong });
    expect(page.status).toBe(429);
    const seconds = Number(page.headers['retry-after']);
    expect(seconds).toBeGreaterThan(14 * 60);
    expect(seconds).toBeLessThanOrEqual(15 * 60);
    expect(page.text).toContain('Wait 15 minutes');
    expect(page.$('input[name=identifier]')?.getAttribute('value')).toBe(maria);
    expect(page.$$('a').some((link) => link.getAttribute('href')?.startsWith('/recover') === true)).toBe(true);
    expect((await browser.submit({ identifier: maria, password })).status).toBe(429);
    expect((await (await atSignIn(house, '127.0.0.11')).submit({ identifier: maria, password })).status).toBe(429);
    const elsewhere = await atSignIn(house, '127.0.0.12');
    expect((await elsewhere.submit({ identifier: maria, password })).text).toContain('Ana');
  });

  it('are the same account’s however the address is written, and another account’s not', async () => {
    const browser = await atSignIn(house, '127.0.0.13');
    const spellings = [
      maria,
      'MARIA@example.org',
      ' maria@Example.ORG ',
      'maria@example.org.',
      'ｍａｒｉａ＠ｅｘａｍｐｌｅ．ｏｒｇ',
    ];
    for (const spelling of spellings) expect(await tries(browser, spelling, wrong, 1)).toEqual([422]);
    expect(await tries(browser, maria, password, 1)).toEqual([429]);
    expect((await browser.submit({ identifier: 'pedro@example.org', password })).text).toContain('Tomas');
  });

  it('of nobody are refused alike', async () => {
    const known = await atSignIn(house, '127.0.0.14');
    const unknown = await atSignIn(house, '127.0.0.15');
    for (let time = 0; time < 6; time += 1) {
      const pages = [
        await known.submit({ identifier: maria, password: wrong }),
        await unknown.submit({ identifier: 'nobody@example.org', password: wrong }),
      ];
      expect(pages[1]?.status).toBe(pages[0]?.status);
      expect(pages[1]?.text).toBe(pages[0]?.text);
    }
    expect(known.page().status).toBe(429);
  });

  it('are counted from the start after a success', async () => {
    for (let round = 0; round < 3; round += 1) {
      const browser = await atSignIn(house, '127.0.0.16');
      expect(await tries(browser, maria, wrong, 4)).toEqual(refused(4));
      expect((await browser.submit({ identifier: maria, password })).text).toContain('Ana');
    }
  });

  it('are twenty from one source over all accounts', async () => {
    const browser = await atSignIn(house, '127.0.0.17');
    for (let person = 0; person < 20; person += 1) {
      expect(await tries(browser, `somebody${person}@example.org`, wrong, 1)).toEqual([422]);
    }
    const page = await browser.submit({ identifier: maria, password });
    expect(page.status).toBe(429);
    const seconds = Number(page.headers['retry-after']);
    expect(seconds).toBeGreaterThan(4 * 60);
    expect(seconds).toBeLessThanOrEqual(5 * 60);
    const elsewhere = await atSignIn(house, '127.0.0.18');
    expect((await elsewhere.submit({ identifier: maria, password })).text).toContain('Ana');
  });

  it('that are right do not use up a school’s one address', async () => {
    for (let person = 0; person < 24; person += 1) {
      const browser = await atSignIn(house, '127.0.0.19');
      expect((await browser.submit({ identifier: maria, password })).text).toContain('Ana');
    }
  });

  it('are counted together at the sign-in and where the password is changed', async () => {
    // A shared computer is not remembered: there the owner is a stranger like anybody.
    const owner = await atSignIn(house, '127.0.0.23');
    expect((await owner.submit({ identifier: maria, password, device: 'shared' })).text).toContain('Ana');
    const browser = await atSignIn(house, '127.0.0.23');
    expect(await tries(browser, maria, wrong, 3)).toEqual(refused(3));
    const change = async (current: string): Promise<number> => {
      await owner.get(`${house.issuer}/password`);
      return (await owner.submit({ current, password: 'quite another way to walk' })).status;
    };
    expect([await change(wrong), await change(wrong)]).toEqual(refused(2));
    expect(await change(password)).toBe(429);
    expect(owner.page().text).toContain('Wait 15 minutes');
    expect(await tries(browser, maria, password, 1)).toEqual([429]);
  });

  it('a hundred at the same instant are compared five times at most', async () => {
    const browser = await atSignIn(house, '127.0.0.20');
    const compare = jest.spyOn(house.house.hasher, 'verify');
    const pages = await Promise.all(
      Array.from({ length: 100 }, () => browser.submit({ identifier: maria, password: wrong })),
    );
    expect(compare.mock.calls.length).toBeLessThanOrEqual(5);
    compare.mockRestore();
    expect(pages.filter(({ status }) => status === 422).length).toBeLessThanOrEqual(5);
    expect(pages.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(95);
  });

  it('without an identifier or a password are not counted', async () => {
    const browser = await atSignIn(house, '127.0.0.21');
    expect(await tries(browser, maria, '', 8)).toEqual(refused(8));
    expect((await browser.submit({ identifier: maria, password })).text).toContain('Ana');
  });

  it('come from the peer, whatever X-Forwarded-For says', async () => {
    const browser = await atSignIn(house, '127.0.0.22');
    const page = browser.page();
    const statuses: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      const forged = {
        'x-forwarded-for': `10.0.0.${time}`,
        forwarded: `for=10.0.0.${time}`,
        'x-real-ip': `10.0.0.${time}`,
      };
      statuses.push(
        (await sendFrom(browser, page, { identifier: maria, password: wrong }, forged, '127.0.0.22')).status,
      );
    }
    expect(statuses).toEqual([...refused(5), 429]);
  });
});

describe('behind a trusted proxy', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({
      elementary,
      environment: { THROTTLE_SCALE: '1', TRUSTED_PROXIES: '127.0.0.1, 127.0.1.0/24' },
    });
  });
  afterAll(() => house.close());

  async function statuses(from: string, forwarded: (time: number) => string | string[]): Promise<number[]> {
    const browser = await atSignIn(house, from);
    const page = browser.page();
    const found: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      found.push(
        (
          await sendFrom(
            browser,
            page,
            { identifier: maria, password: wrong },
            { 'x-forwarded-for': forwarded(time) },
            from,
          )
        ).status,
      );
    }
    return found;
  }

  it('each person has a count of their own', async () => {
    expect(await statuses('127.0.0.1', (time) => `192.0.2.${time}`)).toEqual(refused(6));
  });

  it('only the proxy’s own hop counts: what stood before it may be forged', async () => {
    expect(await statuses('127.0.0.1', (time) => `10.0.0.${time}, 192.0.2.20`)).toEqual([...refused(5), 429]);
    expect(await statuses('127.0.0.1', (time) => [`10.0.0.${time}`, '192.0.2.21'])).toEqual([...refused(5), 429]);
    expect(await statuses('127.0.1.7', (time) => `10.0.0.${time}, 192.0.2.22`)).toEqual([...refused(5), 429]);
  });

  it('all addresses of one IPv6 network are one source, those of the next are another', async () => {
    expect(await statuses('127.0.0.1', (time) => `2001:db8:0:7::${time}`)).toEqual([...refused(5), 429]);
    expect(await statuses('127.0.0.1', (time) => `2001:DB8:0000:7:a:b:c:${time}`)).toEqual(Array<number>(6).fill(429));
    expect(await statuses('127.0.0.1', (time) => `2001:db8:0:${time + 8}::1`)).toEqual(refused(6));
    expect(await statuses('127.0.0.1', (time) => `::ffff:192.0.2.${time + 100}`)).toEqual(refused(6));
  });

  it('a port beside the address, as some proxies write it, is no part of it', async () => {
    expect(await statuses('127.0.1.9', (time) => `192.0.2.40:${5000 + time}`)).toEqual([...refused(5), 429]);
    expect(await statuses('127.0.1.9', (time) => `192.0.2.${time + 50}:443`)).toEqual(refused(6));
    expect(await statuses('127.0.1.9', (time) => `[2001:db8:1:${time}::1]:443`)).toEqual(refused(6));
    expect(await statuses('127.0.1.9', (time) => `[2001:db8:2:${time}::1]`)).toEqual(refused(6));
    expect(await statuses('127.0.1.9', (time) => `::FFFF:192.0.2.${time + 60}`)).toEqual(refused(6));
    expect(await statuses('127.0.1.9', (time) => `::ffff:c000:2${(time + 70).toString(16)}`)).toEqual(refused(6));
  });

  it('a proxy that says nothing readable is the source itself', async () => {
    expect(await statuses('127.0.1.8', (time) => `unknown-${time}`)).toEqual([...refused(5), 429]);
  });

  it('another peer is not believed', async () => {
    expect(await statuses('127.0.2.1', (time) => `192.0.2.${time}`)).toEqual([...refused(5), 429]);
  });
});
