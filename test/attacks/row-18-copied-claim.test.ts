import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { consumeRequest } from '../../src/accounts/claims.js';
import { claimCode } from '../../src/accounts/requests.js';
import { acceptTerms, askToRegister, choosePassword, codeIn, linkIn } from '../journeys/steps.js';
import { password, pressLink, signIn } from '../journeys/steps.js';
import { share } from '../journeys/lost-ways/tabs.js';
import { row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import type { Browser, Page } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

const email = 'casa@example.org';
const onMailbox = { email, ed_rights: 'yes' };
const elementary = [
  row('Eva', 'Rosa', { ...onMailbox, contact_id: 'E91', phone1: '(213) 555-0191' }),
  row('Eva', 'Pablo', { ...onMailbox, contact_id: 'E92', phone1: '(213) 555-0192' }),
  row('Eva', 'Ines', { ...onMailbox, contact_id: 'E93', phone1: '(213) 555-0193' }),
];

function codeOf(page: Page): string | undefined {
  return /[A-Z2-9]{4}(-[A-Z2-9]{4}){3}/.exec(page.text)?.[0];
}

describe('row 18: the recovery code of a shared mailbox, and who copied the cookies of a browser in which a link was pressed', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary });
  });
  afterAll(() => house.close());

  /** The owner at the page for a new password, and who copied all cookies there. */
  async function pressed(phone: string): Promise<{ owner: Browser; copy: Browser; chosenAt: string }> {
    house.mailbox.clear();
    const owner = openBrowser();
    await askToRegister(owner, house, email, phone);
    const letter = await house.mailbox.waitFor(email, ({ text }) => text.includes('/activate'));
    const { url } = await pressLink(owner, linkIn(letter, '/activate'));
    const copy = openBrowser({ from: '127.0.23.1' });
    await share(owner, copy, [house.issuer]);
    return { owner, copy, chosenAt: url };
  }

  it('the copy is not shown it once the owner went on', async () => {
    const { owner, copy, chosenAt } = await pressed('(213) 555-0191');
    expect(codeOf(await choosePassword(owner))).toEqual(expect.any(String));
    await owner.click('a[href="/sign-in"]');
    expect((await acceptTerms(owner)).text).toContain('Eva');
    expect(codeOf(await copy.get(chosenAt))).toBeUndefined();
  });

  it('nor once the owner signed in, too late to go on without', async () => {
    const { owner, copy, chosenAt } = await pressed('(213) 555-0192');
    expect(codeOf(await choosePassword(owner, { signInName: 'pablo.casa' }))).toEqual(expect.any(String));
    house.advance(6 * 60);
    await owner.click('a[href="/sign-in"]');
    await signIn(owner, 'pablo.casa', password);
    expect((await acceptTerms(owner)).text).toContain('Eva');
    expect(codeOf(await copy.get(chosenAt))).toBeUndefined();
  });

  it('nor who asked for the letter, and types its code at the moment at which the owner finishes by its link', async () => {
    house.mailbox.clear();
    const asking = openBrowser();
    await askToRegister(asking, house, email, '(213) 555-0193');
    const letter = await house.mailbox.waitFor(email, ({ text }) => text.includes('/activate'));
    await pressLink(openBrowser(), linkIn(letter, '/activate'));
    const request = await house.db
      .selectFrom('account_requests')
      .select(['id', 'claim_hash'])
      .where('consumed_at', 'is', null)
      .where('claim_hash', 'is not', null)
      .executeTakeFirstOrThrow();
    const clock = (): Date => new Date();
    let first = true;
    const finishedMeanwhile = house.db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (first) await consumeRequest(house.db, clock, request.id);
        first = false;
        return result;
      },
    });
    const [asked = ''] = ((await asking.cookies(house.issuer))['pa-browser'] ?? '').split('.');
    const typed = await claimCode(
      finishedMeanwhile,
      clock,
      house.desk.secretsKey ?? new Uint8Array(),
      { asked, presses: asked },
      codeIn(letter),
    );
    expect([first, typed]).toEqual([false, { problem: 'over' }]);
    const after = await house.db
      .selectFrom('account_requests')
      .select('claim_hash')
      .where('id', '=', request.id)
      .executeTakeFirstOrThrow();
    expect(after.claim_hash).toBe(request.claim_hash);
  });
});
