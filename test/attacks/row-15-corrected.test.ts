import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { askToRegister, choosePassword, linkIn, pressLink } from '../journeys/steps.js';
import { row } from '../sis/extract.js';
import type { Row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

const others = Array.from({ length: 60 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const phone = '(213) 555-0122';
const corrected = 'corrected@example.org';
const later = { last_modified: '2026-11-10T00:00:00Z' };

function mother(name: string): Row {
  return row(`Child of ${name}`, name, { ed_rights: 'yes', phone1: phone });
}

describe('row 15: an address of which the school says something else since the letter went out', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse();
  });
  beforeEach(() => house.mailbox.clear());
  afterAll(() => house.close());

  it.each<[what: string, name: string, now: (before: Row) => readonly Row[]]>([
    ['is not the contact’s any more', 'Ana', (before) => [{ ...before, email: corrected, ...later }]],
    ['is a student’s', 'Eva', (before) => [before, row('Leo', 'Lena', { student_email: before.email ?? '' })]],
    ['is of two people', 'Ida', (before) => [before, { ...before, contact_id: 'Pedro', given_name: 'Pedro' }]],
  ])('makes no account where it %s', async (_, name, now) => {
    const before = mother(name);
    await house.load('elementary', [...others, before]);
    const browser = openBrowser();
    await askToRegister(browser, house, before.email ?? '', phone);
    const link = linkIn(await house.mailbox.waitFor(before.email ?? ''), '/activate');
    await pressLink(browser, link);
    expect((await house.load('elementary', [...others, ...now(before)])).state).toBe('applied');
    const finished = await choosePassword(browser);
    expect(finished.status).toBe(410);
    expect((await browser.get(`${house.issuer}/activate/password`)).body).not.toContain(corrected);
    expect(await house.db.selectFrom('accounts').select('email').execute()).toEqual([]);
  });
});
