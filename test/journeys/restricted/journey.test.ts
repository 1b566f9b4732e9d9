/*
 * a restricted contact ─▶ registers ─▶ in person (by mail)
 * an account whose child becomes restricted ─▶ stays signed in; the child is gone at once, from every app and the portal
 * a protection order in one SIS ─▶ holds the same person's children in the other
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { row } from '../../sis/extract.js';
import { acceptTerms, askToRegister, enterApp, register } from '../steps.js';

const rights = { ed_rights: 'yes' };
const order = { restricted: 'yes', restriction_type: 'protection_order', restriction_start: '2026-01-01' };
const ana = row('Ana', 'Maria', { ...rights, contact_id: 'E1' });
const beto = row('Beto', 'Maria', { ...rights, contact_id: 'E1' });
const luis = row('Luis', 'Maria', {
  ...rights,
  contact_id: 'S1',
  sis: 'secondary',
  school_code: '8001',
  school_name: 'Roosevelt High',
});
const pedro = row('Ana', 'Pedro', { ...rights, ...order, contact_id: 'E2', phone1: '(213) 555-0122' });

describe('a restriction', () => {
  let house: TestHouse;
  const mother = openBrowser();
  beforeAll(async () => {
    house = await startTestHouse({ elementary: [ana, beto, pedro], secondary: [luis], apps: twoApps });
  });
  afterAll(() => house.close());

  it('keeps the restricted contact from registering by mail, without a word why', async () => {
    await askToRegister(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
    const letter = await house.mailbox.waitFor('pedro@example.org');
    expect(letter.text).not.toMatch(/\/activate|restrict|order|Maria|Ana/i);
  });

  it('leaves the other parent alone', async () => {
    await register(mother, house, 'maria@example.org');
    const page = await enterApp(mother, house);
    for (const child of ['Ana', 'Beto', 'Luis']) expect(page.text).toContain(child);
  });

  it('takes the child away at once where it falls on an account, and leaves the person signed in', async () => {
    await house.load('elementary', [
      { ...ana, restricted: 'yes', restriction_type: 'custody', last_modified: '2026-11-01T00:00:00Z' },
      beto,
      pedro,
    ]);
    const portal = await mother.get(`${house.issuer}/`);
    expect(portal.text).toContain('Beto');
    expect(portal.text).not.toContain('Ana');
    const app = await enterApp(mother, house);
    expect(app.text).toContain('Beto');
    expect(app.text).not.toContain('Ana');
  });

  it('tells the person no school to which the child moves, where it says which school gave their phone', async () => {
    const moved = { school_code: '1002', school_name: 'Adams Elementary', last_modified: '2026-11-01T00:00:00Z' };
    await house.load('elementary', [{ ...ana, ...moved, restricted: 'yes', restriction_type: 'custody' }, beto, pedro]);
    const portal = await mother.get(`${house.issuer}/`);
    expect(portal.text).toContain('(213) 555-0100');
    expect(portal.text).toContain('Lincoln Elementary');
    expect(portal.text).not.toContain('Adams Elementary');
  });

  it('as a protection order holds the same person’s children in the other SIS', async () => {
    await house.load('elementary', [{ ...ana, ...order, last_modified: '2026-11-02T00:00:00Z' }, beto, pedro]);
    const portal = await mother.get(`${house.issuer}/`);
    expect(portal.text).not.toContain('Luis');
    expect(portal.status).toBe(200);
  });

  it('stays after it vanished from the feed, until the feed says that it is gone', async () => {
    await house.load('elementary', [{ ...ana, last_modified: '2026-11-03T00:00:00Z' }, beto, pedro]);
    expect((await mother.get(`${house.issuer}/`)).text).not.toContain('Ana');
    await house.load('elementary', [{ ...ana, restricted: 'no', last_modified: '2026-11-04T00:00:00Z' }, beto, pedro]);
    expect((await mother.get(`${house.issuer}/`)).text).toContain('Ana');
  });

  it('between the mail and the password makes no account', async () => {
    const late = row('Leo', 'Lola', { ...rights, contact_id: 'E9', phone1: '(213) 555-0155' });
    await house.load('elementary', [ana, beto, pedro, late]);
    const browser = openBrowser();
    await askToRegister(browser, house, 'lola@example.org', '(213) 555-0155');
    const { text } = await house.mailbox.waitFor('lola@example.org');
    await browser.get(/https?:\S+activate\S+/.exec(text)?.[0] ?? '');
    await browser.submit();
    await house.load('elementary', [ana, beto, pedro, { ...late, ...order, last_modified: '2026-11-05T00:00:00Z' }]);
    const page = await browser.submit({ password: 'a long way to school' });
    expect(page.status).toBe(410);
    expect(
      await house.db.selectFrom('accounts').select('id').where('email', '=', 'lola@example.org').execute(),
    ).toEqual([]);
    await expect(acceptTerms(browser)).rejects.toThrow('no form');
  });
});
