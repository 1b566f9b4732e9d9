import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askToRegister, register } from '../journeys/steps.js';
import { row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import type { Page } from '../support/browser.js';
import { signInAnew } from '../support/family-house.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

const rights = { ed_rights: 'yes' };
const maria = 'maria@example.org';

/** Other ways to write the one address. */
const spellings = [
  'MARIA@EXAMPLE.ORG',
  'Maria@Example.Org',
  'maria@example\u3002org',
  'maria@example\uFF0Eorg',
  'maria@example\uFF61org',
  'maria@example.org.',
  'ｍａｒｉａ＠ｅｘａｍｐｌｅ．ｏｒｇ',
  'ma\u200Bria@example.org',
  'ma\u00ADria@example.org',
  '\u202Emaria@example.org',
  'mailto:maria@example.org',
  'Maria <maria@example.org>',
];

/** What only looks like it. */
const lookAlikes = [
  'm\u0430ria@example.org',
  'maria@ex\u0430mple.org',
  'mar\u0131a@example.org',
  'maria@example.\u043Erg',
  'mari\u0251@example.org',
  'maria@examp1e.org',
  'maria@example.org.evil.example',
  'maria@example.org@evil.example',
  'maria@evil.example,maria@example.org',
  'maria@example.org%00@evil.example',
  'maria+x@example.org',
  'm.aria@example.org',
  '"maria@example.org"@evil.example',
];

describe('row 15: addresses', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({
      elementary: [
        row('Ana', 'Maria', { ...rights, contact_id: 'E1' }),
        row('Kid', 'Kidmother', {
          ...rights,
          contact_id: 'E2',
          email: 'kid@students.example.org',
          phone1: '(213) 555-0133',
        }),
        row('Leo', 'Lena', { ...rights, contact_id: 'E3', email: 'casa@example.org', phone1: '(213) 555-0144' }),
        row('Leo', 'Lars', {
          ...rights,
          contact_id: 'E4',
          email: 'casa@example.org',
          phone1: '(213) 555-0144',
          restricted: 'yes',
          restriction_type: 'custody',
        }),
        row('Eva', 'Paula', { ...rights, contact_id: 'E5', email: 'dos@example.org', phone1: '(213) 555-0155' }),
        row('Eva', 'Pablo', { ...rights, contact_id: 'E6', email: 'dos@example.org', phone1: '(213) 555-0155' }),
      ],
    });
    await register(openBrowser(), house, maria);
  });
  afterAll(() => house.close());

  const signIn = async (identifier: string): Promise<Page> => (await signInAnew(house, identifier)).page();
  const accounts = (): Promise<Array<{ email: string }>> => house.db.selectFrom('accounts').select('email').execute();
  /** Waits until every request is decided, so that a letter which was to come has been written. */
  async function settled(): Promise<void> {
    for (let tries = 0; tries < 500; tries += 1) {
      const open = await house.db.selectFrom('account_requests').select('id').where('outcome', 'is', null).execute();
      if (open.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('the requests were not decided');
  }

  it.each(spellings)('%j is the account’s own', async (spelling) => {
    expect((await signIn(spelling)).text).toContain('Ana');
  });

  it.each(spellings)(
    'a registration as %j makes no second account, and writes to the one mailbox alone',
    async (spelling) => {
      house.mailbox.clear();
      expect((await askToRegister(openBrowser(), house, spelling)).url).toContain('/register/sent');
      await settled();
      expect(await accounts()).toEqual([{ email: maria }]);
      expect(house.mailbox.messages.filter(({ to }) => to !== maria)).toEqual([]);
    },
  );

  it.each(lookAlikes)('%j is not: no sign-in, no letter, no account', async (lookAlike) => {
    house.mailbox.clear();
    expect((await signIn(lookAlike)).status).toBe(422);
    await askToRegister(openBrowser(), house, lookAlike);
    const browser = openBrowser();
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: lookAlike });
    await settled();
    // A later letter shows that the post is through.
    await askToRegister(openBrowser(), house, 'casa@example.org', '(213) 555-0144');
    await settled();
    expect(house.mailbox.messages.filter(({ to }) => to === maria || to.includes('evil'))).toEqual([]);
    expect(await accounts()).toEqual([{ email: maria }]);
  });

  it.each([
    ['a student’s address', 'kid@students.example.org', '(213) 555-0133'],
    ['a student’s address in capitals', 'KID@STUDENTS.EXAMPLE.ORG', '(213) 555-0133'],
    ['a student’s address with another dot', 'kid@students.example\u3002org', '(213) 555-0133'],
    ['a mailbox and phone of two, one of them restricted', 'casa@example.org', '(213) 555-0144'],
    ['a mailbox and phone of two', 'dos@example.org', '(213) 555-0155'],
  ])('%s registers nobody by mail', async (_, email, phone) => {
    await askToRegister(openBrowser(), house, email, phone);
    await settled();
    const outcomes = await house.db.selectFrom('account_requests').select(['outcome', 'token_hash']).execute();
    expect(outcomes.length).toBeGreaterThan(0);
    expect(house.mailbox.messages.filter(({ text }) => text.includes('/activate'))).toEqual([]);
    expect(house.mailbox.to('kid@students.example.org')).toEqual([]);
  });
});
