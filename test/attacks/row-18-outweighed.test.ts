import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { values } from '../../src/values.js';
import { linkIn, password, pressLink, register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';

const maria = 'maria@example.org';
const pedro = 'pedro@example.org';
const next = 'another long way to school';

/** Row 18: of whoever is in a session and whoever has the mailbox, the mailbox has the last word. */
describe('a recovery whose link was pressed, and a session', () => {
  let house: TestHouse;
  beforeAll(async () => {
    ({ house } = await familyHouse());
    await register(openBrowser(), house, pedro, '(213) 555-0122');
  });
  afterAll(() => house.close());

  async function recoverIn(browser: Browser, who: string): Promise<string> {
    const links = () => house.mailbox.to(who).filter(({ text }) => text.includes('/recover/link')).length;
    const before = links();
    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: who });
    const letter = await house.mailbox.waitFor(who, ({ text }) => text.includes('/recover/link') && links() > before);
    return (await pressLink(browser, linkIn(letter, '/recover/link'))).url;
  }
  const sees = async (browser: Browser, child: string): Promise<boolean> =>
    (await browser.get(`${house.issuer}/`)).text.includes(child);

  it('is over in a browser whose session is ended from another device', async () => {
    const library = await signInAnew(house, pedro, password, 'own');
    await library.get(`${house.issuer}/devices`);
    const uid = library.page().$('input[name=session]')?.getAttribute('value') ?? '';
    const waiting = await recoverIn(library, pedro);
    const phone = await signInAnew(house, pedro, password, 'own');
    await phone.get(`${house.issuer}/devices`);
    await phone.submit({}, { form: `form:has(input[value="${uid}"])` });
    expect(await sees(library, 'Tomas')).toBe(false);
    expect((await library.get(waiting)).status).toBe(410);
    expect(await sees(phone, 'Tomas')).toBe(true);
  });

  it.each([
    [
      'ends all other sessions',
      async (thief: Browser, _known: string): Promise<void> => {
        await signInAnew(house, maria, password, 'own');
        await thief.get(`${house.issuer}/devices`);
        await thief.submit({}, { form: 'form:has(input[value=others])' });
      },
    ],
    [
      'changes the password, which they know,',
      async (thief: Browser, known: string): Promise<void> => {
        await thief.get(`${house.issuer}/password`);
        expect((await thief.submit({ current: known, password: known })).title).toContain('Your password is changed');
      },
    ],
  ])('stands at the second time where a thief in a session %s at every recovery', async (_, end) => {
    const thief = await signInAnew(house, maria, password, 'own');
    const owner = openBrowser();
    await recoverIn(owner, maria);
    await end(thief, password);
    expect((await owner.submit({ password: next })).status).toBe(410);
    await recoverIn(owner, maria);
    await end(thief, password);
    await owner.submit({ password: next });
    expect(await sees(owner, 'Ana')).toBe(true);
    expect(await sees(thief, 'Ana')).toBe(false);
    // As it was, for the next one.
    await owner.get(`${house.issuer}/password`);
    await owner.submit({ current: next, password });
    house.advance(3_601);
  });

  it('who changes the password again and again buries no mailbox in letters, and the first ones come', async () => {
    const told = (): number =>
      house.mailbox.to(pedro).filter(({ text }) => text.includes('password was changed')).length;
    const before = told();
    const thief = await signInAnew(house, pedro, password, 'own');
    for (let n = 0; n < values.passwordLettersADay + 3; n += 1) {
      await thief.get(`${house.issuer}/password`);
      expect((await thief.submit({ current: password, password })).title).toContain('Your password is changed');
    }
    // One more would have come by then.
    const letters = await eventually(
      () => told() - before,
      (count) => count > values.passwordLettersADay,
      2_000,
    );
    expect(letters).toBe(values.passwordLettersADay);
  });
});
