/*
 * mail ─▶ scanner: HEAD, GET, GET, prefetch … ─▶ nothing changes
 *      └▶ parent:  GET ─▶ button (POST) ─▶ password
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import { startTestHouse } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { acceptTerms, askToRegister, choosePassword, linkIn, pressLink } from '../steps.js';
import { elementary } from '../registration/fixture.js';

describe('a scanner opens the link first', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary });
  });
  afterAll(() => house.close());

  it('leaves it usable', async () => {
    const parent = openBrowser();
    await askToRegister(parent, house, 'maria@example.org');
    const link = linkIn(await house.mailbox.waitFor('maria@example.org'), '/activate');
    const scanner = openBrowser({ userAgent: 'a mail scanner' });
    await scanner.head(link);
    for (let round = 0; round < 3; round += 1) await scanner.get(link);
    expect(await scanner.cookies(house.issuer)).not.toHaveProperty('pa-claim');

    await pressLink(parent, link);
    await choosePassword(parent);
    expect((await acceptTerms(parent)).text).toContain('Ana');
  });

  it('a scanner that even presses the button takes the link, and the parent is offered a new one', async () => {
    await house.load('elementary', [
      ...elementary,
      ...elementary.slice(1).map((cells) => ({ ...cells, student_id: 'Eva', student_given_name: 'Eva' })),
    ]);
    const parent = openBrowser();
    await askToRegister(parent, house, 'pedro@example.org', '(213) 555-0122');
    const link = linkIn(await house.mailbox.waitFor('pedro@example.org'), '/activate');
    await pressLink(openBrowser(), link);
    const page = await pressLink(parent, link);
    expect(page.status).toBe(410);
    expect(page.$$('a').map((anchor) => anchor.getAttribute('href'))).toContain('/register');
  });
});
