import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { choosePassword, linkIn, pressLink } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { raw } from './raw.js';
import type { RawAnswer } from './raw.js';

const right = '(213) 555-0100';

/** What somebody sees who asks, but for what differs with every request whoever asks. */
function seen({ status, headers, body }: RawAnswer): string {
  const { date: _date, 'x-request-id': _id, 'set-cookie': cookies = [], ...others } = headers;
  const shapes = cookies.map((cookie) =>
    cookie.replace(/=[^;]*/, (value) => `=${value.length}`).replace(/expires=[^;]*/, ''),
  );
  return JSON.stringify({ status, others, shapes, body });
}

const phone = (index: number): string => `(213) 556-${String(1_000 + index)}`;
const ask = (house: TestHouse, email: string, number: string, from?: string): Promise<RawAnswer> =>
  raw(house.issuer, {
    target: '/register',
    body: { email, phone: number },
    headers: { origin: house.issuer },
    ...(from === undefined ? {} : { from }),
  });

describe('row 12: the right e-mail with many phones', () => {
  describe('without throttles', () => {
    let house: TestHouse;
    beforeAll(async () => {
      house = await startTestHouse({ elementary, environment: { THROTTLE_SCALE: '1000' } });
    });
    afterAll(() => house.close());

    it('1,000 wrong ones and the right one are answered byte for byte alike', async () => {
      const answers = new Set<string>();
      for (let index = 0; index < 1_000; index += 1) {
        if (index === 500) answers.add(seen(await ask(house, 'maria@example.org', right)));
        answers.add(seen(await ask(house, 'maria@example.org', phone(index))));
      }
      answers.add(seen(await ask(house, 'stranger@example.net', right)));
      expect([...answers]).toHaveLength(1);
      expect([...answers][0]).toContain('/register/sent');
      await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/activate'));
    }, 120_000);

    it('and so are the page that waits and its code, whichever phone was typed', async () => {
      const answers = new Set<string>();
      for (const number of [phone(1), right, phone(2)]) {
        const asked = await ask(house, 'pedro@example.org', number === right ? '(213) 555-0122' : number);
        const cookie = (asked.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');
        await house.mailbox.waitFor('pedro@example.org');
        const waiting = await raw(house.issuer, { target: '/register/sent', headers: { cookie } });
        const tried: RawAnswer[] = [];
        for (let time = 0; time < 6; time += 1) {
          tried.push(
            await raw(house.issuer, {
              target: '/register/code',
              body: { code: 'abcdef' },
              headers: { cookie, origin: house.issuer },
            }),
          );
        }
        answers.add(JSON.stringify([waiting, ...tried].map(seen)));
      }
      expect([...answers]).toHaveLength(1);
    });

    it('and its code stays as it is when the owner of the mailbox makes an account by the link', async () => {
      const answers = new Set<string>();
      for (const email of ['pedro@example.org', 'stranger@example.net']) {
        house.mailbox.clear();
        const asked = await ask(house, email, '(213) 555-0122');
        const cookie = (asked.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');
        const guess = async (): Promise<string> =>
          seen(
            await raw(house.issuer, {
              target: '/register/code',
              body: { code: 'abcdef' },
              headers: { cookie, origin: house.issuer },
            }),
          );
        const before = await guess();
        if (email === 'pedro@example.org') {
          const owner = openBrowser();
          const letter = await house.mailbox.waitFor(email, ({ text }) => text.includes('/activate'));
          await pressLink(owner, linkIn(letter, '/activate'));
          await choosePassword(owner);
        }
        answers.add(JSON.stringify([before, await guess()]));
      }
      expect(await house.db.selectFrom('accounts').select('email').execute()).toEqual([{ email: 'pedro@example.org' }]);
      expect([...answers]).toHaveLength(1);
    });

    it('a mailbox is not flooded by them', async () => {
      // The right pair's letter came in the first test, and one that says "ask the school" at the most.
      expect(house.mailbox.to('maria@example.org').length).toBeLessThanOrEqual(2);
    });
  });

  describe('with the throttles as they are', () => {
    let house: TestHouse;
    beforeAll(async () => {
      house = await startTestHouse({ elementary, environment: { THROTTLE_SCALE: '1' } });
    });
    afterAll(() => house.close());

    it('five for an address, from wherever they come; after that the right one too is not looked at', async () => {
      const statuses: number[] = [];
      for (let index = 0; index < 8; index += 1)
        statuses.push((await ask(house, 'maria@example.org', phone(index), `127.0.8.${index + 1}`)).status);
      expect(statuses).toEqual([302, 302, 302, 302, 302, 429, 429, 429]);
      const refused = seen(await ask(house, 'maria@example.org', right, '127.0.8.20'));
      expect(refused).toContain('"status":429');
      expect(house.mailbox.to('maria@example.org').filter(({ text }) => text.includes('/activate'))).toEqual([]);
    });

    it('ten from one source, over all addresses', async () => {
      const statuses: number[] = [];
      for (let index = 0; index < 12; index += 1)
        statuses.push((await ask(house, `p${index}@example.net`, phone(index), '127.0.8.50')).status);
      expect(statuses).toEqual([...Array<number>(10).fill(302), 429, 429]);
      expect((await ask(house, 'pedro@example.org', '(213) 555-0122', '127.0.8.51')).status).toBe(302);
    });
  });
});
