import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { acceptTerms, askToRegister, choosePassword, linkIn, password, pressLink } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { row } from '../sis/extract.js';
import { raw } from './raw.js';
import type { RawAnswer } from './raw.js';

const shared = 'casa@example.org';
const elementary = [
  row('Ana', 'Maria', { ed_rights: 'yes', contact_id: 'E1', email: shared, phone1: '(213) 555-0101' }),
  row('Luis', 'Rosa', { ed_rights: 'yes', contact_id: 'E2', email: shared, phone1: '(213) 555-0102' }),
];

describe('row 22: one letter, and its page of a password sent again and again', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, environment: { THROTTLE_SCALE: '1' } });
    const maria = openBrowser();
    await askToRegister(maria, house, shared, '(213) 555-0101');
    const letter = await house.mailbox.waitFor(shared, ({ text }) => text.includes('/activate'));
    await pressLink(maria, linkIn(letter, '/activate'));
    await choosePassword(maria);
    await maria.click('a[href="/sign-in"]');
    await acceptTerms(maria);
  });
  afterAll(() => house.close());

  /** Presses the button of a letter, and sends the form that follows many times at once, with what it refuses. */
  async function storm(link: string, refused: Record<string, string>): Promise<number[]> {
    const { pathname, searchParams } = new URL(link);
    const headers = { origin: house.issuer };
    const token = searchParams.get('token') ?? '';
    const cookiesOf = ({ headers: { 'set-cookie': set = [] } }: RawAnswer): string =>
      set.map((line) => line.split(';')[0]).join('; ');
    const named = cookiesOf(await raw(house.issuer, { target: pathname }));
    const pressed = await raw(house.issuer, {
      target: pathname,
      body: { token },
      headers: { ...headers, cookie: named },
    });
    const cookie = cookiesOf(pressed);
    const target = String(pressed.headers.location);
    const form = await raw(house.issuer, { target, headers: { cookie } });
    const request = /name="request" value="([^"]+)"/.exec(form.body)?.[1] ?? '';
    const send = {
      target,
      body: { request, password, ...refused },
      headers: { ...headers, cookie },
      from: '127.0.13.1',
    };
    const sent = Array.from({ length: 40 }, () => raw(house.issuer, send));
    await sent[0];
    const others = openBrowser({ from: '127.0.13.2' });
    await others.get(`${house.issuer}/sign-in`);
    expect((await others.submit({ identifier: 'nobody@example.net', password })).status).toBe(422);
    return (await Promise.all(sent)).map(({ status }) => status);
  }

  it('a name that is refused keeps nobody else from signing in', async () => {
    house.mailbox.clear();
    await askToRegister(openBrowser(), house, shared, '(213) 555-0102');
    const letter = await house.mailbox.waitFor(shared, ({ text }) => text.includes('/activate'));
    const statuses = await storm(linkIn(letter, '/activate'), { signInName: 'ab' });
    expect(statuses.filter((status) => status === 422)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20);
  });

  it('nor does a recovery code that is wrong', async () => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: shared });
    const letter = await house.mailbox.waitFor(shared, ({ text }) => text.includes('/recover/link'));
    const statuses = await storm(linkIn(letter, '/recover/link'), { recoveryCode: 'AAAA' });
    expect(statuses.filter((status) => status === 429)).toHaveLength(20);
  });
});
