import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { lockMailbox } from '../../src/accounts/mailbox-lock.js';
import type { Database } from '../../src/database/database.js';
import { choosePassword, linkIn, pressLink } from '../journeys/steps.js';
import { elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
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

/** How many statements wait for a lock of the kind. */
async function blocked(db: Database, kinds: readonly string[]): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and wait_event = any(${[...kinds]})`.execute(db);
  return rows.length;
}

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

    it('and the next answers in that browser wait for no decision, which takes longer for somebody who is known', async () => {
      const email = 'maria@example.org';
      house.mailbox.clear();
      const headers = { origin: house.issuer };
      const first = { register: { email, phone: right }, recover: { identifier: email } };
      for (const [kind, body] of Object.entries(first)) {
        const outcomes = await house.db.transaction().execute(async (trx) => {
          // The decision stands still before its end.
          await lockMailbox(trx, email);
          const asked = await raw(house.issuer, { target: `/${kind}`, body, headers });
          const cookie = (asked.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');
          await eventually(
            () => blocked(house.db, ['advisory']),
            (count) => count === 1,
          );
          const next = [
            ...(kind === 'register' ? [{ target: '/register/code', body: { code: 'abcdef' } }] : []),
            { target: `/${kind}`, body },
          ];
          const seenNext: string[] = [];
          for (const request of next) {
            let there = false;
            const answered = raw(house.issuer, { ...request, headers: { ...headers, cookie } }).finally(() => {
              there = true;
            });
            const waits = eventually(
              async () => there || (await blocked(house.db, ['transactionid', 'tuple'])) > 0,
              (over) => over,
            );
            seenNext.push(await Promise.race([answered.then(() => 'answered'), waits.then(() => 'waits')]));
          }
          return seenNext;
        });
        expect(new Set(outcomes)).toEqual(new Set(['answered']));
      }
      // What was decided of a request that a later one had ended counts for nothing.
      const undecided = house.db
        .selectFrom('account_requests')
        .select('id')
        .where('outcome', 'is', null)
        .where('ended_at', 'is', null);
      await eventually(
        () => undecided.execute(),
        (left) => left.length === 0,
      );
      await house.mailbox.waitFor(email, ({ text }) => text.includes('/activate'));
      expect(house.mailbox.to(email).filter(({ text }) => text.includes('/activate'))).toHaveLength(1);
    });

    it('a mailbox is not flooded by them', async () => {
      // The right pair's letter came in the test before, and one that says "ask the school" at the most.
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
