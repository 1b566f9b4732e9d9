import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { register } from '../journeys/steps.js';
import { row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import type { Page } from '../support/browser.js';
import { signInAnew } from '../support/family-house.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

const known = Array.from({ length: 20 }, (_, index) => `parent${index}@example.org`);
const unknown = Array.from({ length: 20 }, (_, index) => `strange${index}@example.org`);
const wrong = 'not the way to school';

/** Known and unknown by turns, so that nothing that grows with time tells them apart. */
const interleaved = known.flatMap((address, index) => [address, unknown[index] ?? '']);

/** A page, but for what somebody typed into it and what names this one request. */
function seen(page: Page, typed: string): string {
  const { date: _date, 'x-request-id': _id, 'set-cookie': cookies = [], ...headers } = page.headers;
  const shapes = cookies.map((cookie) => cookie.replace(/=[^;]*/, '').replace(/expires=[^;]*/, ''));
  const plain = (text: string): string =>
    text
      .replaceAll(encodeURIComponent(typed), 'TYPED')
      .replaceAll(typed, 'TYPED')
      .replaceAll(/\/interaction\/[\w-]+/g, '/interaction/UID')
      .replaceAll(/(interaction=|%2Finteraction%2F)[\w-]+/g, '$1UID');
  const { 'content-length': _length, ...others } = headers;
  return plain(JSON.stringify({ url: page.url, status: page.status, others, shapes, body: page.body }));
}

describe('row 11: who has an account', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({
      elementary: known.map((email, index) =>
        row(`Child${index}`, `Parent${index}`, { contact_id: `E${index}`, ed_rights: 'yes', email }),
      ),
    });
    // Half of the known have an account, half are only in the school's list.
    for (const email of known.slice(0, 10)) await register(openBrowser(), house, email);
  });
  afterAll(() => house.close());

  async function answers(ask: (address: string) => Promise<Page>): Promise<Set<string>> {
    const found = new Set<string>();
    for (const address of interleaved) found.add(seen(await ask(address), address));
    return found;
  }

  it('is not to be learnt from a sign-in', async () => {
    const pages = await answers(async (address) => (await signInAnew(house, address, wrong)).page());
    expect([...pages]).toHaveLength(1);
    expect([...pages][0]).toContain('"status":422');
  });

  it('is not to be learnt from a sign-in while the house is too busy to look', async () => {
    const { hasher } = house.house;
    const over = new AbortController();
    const keepBusy = async (): Promise<void> => {
      while (!over.signal.aborted) await hasher.hash('somebody else’s');
    };
    // Two at work and two hundred in line: whoever leaves comes again at once.
    const crowd = Promise.all(Array.from({ length: 202 }, keepBusy));
    try {
      for (const address of interleaved.slice(0, 4)) {
        const { status, headers } = (await signInAnew(house, address, wrong)).page();
        expect([status, headers['retry-after']]).toEqual([503, '5']);
      }
    } finally {
      over.abort();
      await crowd;
    }
  });

  it('is not to be learnt from a registration', async () => {
    const pages = await answers(async (address) => {
      const browser = openBrowser();
      await browser.get(`${house.issuer}/register`);
      return browser.submit({ email: address, phone: '(213) 555-0100' });
    });
    expect([...pages]).toHaveLength(1);
    expect([...pages][0]).toContain('/register/sent');
  });

  it('is not to be learnt from a recovery', async () => {
    const pages = await answers(async (address) => {
      const browser = openBrowser();
      await browser.get(`${house.issuer}/recover`);
      return browser.submit({ identifier: address });
    });
    expect([...pages]).toHaveLength(1);
    expect([...pages][0]).toContain('/recover/sent');
  });
});
