/*
 * e-mail + phone ─▶ one answer for all
 *    nobody holds the address       ─▶ no mail
 *    a feed holds it, not the phone ─▶ one mail a day: ask the school
 *    an account has it              ─▶ one mail a day: you already have an account
 *    a student's address            ─▶ no mail
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from '../../support/browser.js';
import type { Page } from '../../support/browser.js';
import { startTestHouse } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { row } from '../../sis/extract.js';
import { askToRegister, register } from '../steps.js';

const rights = { ed_rights: 'yes' };
const elementary = [
  row('Ana', 'Maria', { ...rights, contact_id: 'E1', student_email: 'ana@example.org' }),
  row('Tomas', 'Pedro', { ...rights, contact_id: 'E2', phone1: '(213) 555-0122' }),
  row('Kid', 'Kidmother', { ...rights, contact_id: 'E3', email: 'ana@example.org', phone1: '(213) 555-0133' }),
  row('Uma', 'Neighbour', { contact_id: 'E4', relation: 'neighbor', is_emergency: 'yes', phone1: '(213) 555-0144' }),
];

describe('a pair that matches nobody', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary });
  });
  afterAll(() => house.close());

  async function ask(email: string, phone: string): Promise<Page> {
    return askToRegister(openBrowser(), house, email, phone);
  }
  const settled = async (count: number): Promise<void> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const rows = await house.db
        .selectFrom('account_requests')
        .select('id')
        .where('outcome', 'is not', null)
        .execute();
      if (rows.length >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the requests were not settled');
  };

  it('reads the same answer as a pair that matches', async () => {
    const pages = [
      await ask('maria@example.org', '(213) 555-0100'),
      await ask('stranger@example.org', '(213) 555-0199'),
      await ask('pedro@example.org', '(213) 555-0199'),
      await ask('ana@example.org', '(213) 555-0133'),
      await ask('neighbour@example.org', '(213) 555-0144'),
    ];
    const [first, ...others] = pages.map(({ status, text, headers: { date: _, 'x-request-id': __, ...headers } }) => ({
      status,
      text,
      headers,
    }));
    for (const other of others) expect(other).toEqual(first);
    await settled(5);
  });

  it('mails only where a feed holds the address, and never to a student', async () => {
    await house.mailbox.waitFor('maria@example.org');
    const told = await house.mailbox.waitFor('pedro@example.org');
    expect(told.text).not.toMatch(/\/activate/);
    await house.mailbox.waitFor('neighbour@example.org', ({ text }) => !text.includes('/activate'));
    expect(house.mailbox.to('stranger@example.org')).toEqual([]);
    expect(house.mailbox.to('ana@example.org')).toEqual([]);
  });

  it('mails that once a day', async () => {
    await ask('pedro@example.org', '(213) 555-0199');
    await settled(6);
    // A later letter shows that the queue is through.
    await ask('maria@example.org', '(213) 555-0100');
    await house.mailbox.waitFor('maria@example.org', () => house.mailbox.to('maria@example.org').length === 2);
    expect(house.mailbox.to('pedro@example.org')).toHaveLength(1);
  });

  it('tells who has an account already, also when the children are gone', async () => {
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
    await house.db.updateTable('contacts').set({ current: false }).where('sis_id', '=', 'E2').execute();
    await ask('pedro@example.org', '(213) 555-0122');
    const letter = await house.mailbox.waitFor('pedro@example.org', ({ text }) => text.includes('/recover'));
    expect(letter.text).toContain(`${house.issuer}/sign-in`);
  });

  it.each([
    ['no address', { email: 'maria', phone: '(213) 555-0100' }, 'email'],
    ['no phone', { email: 'maria@example.org', phone: '12' }, 'phone'],
    ['nothing', { email: '', phone: '' }, 'email'],
  ])('%s: keeps what was typed and says it beside the field', async (_, typed, wrong) => {
    const browser = openBrowser();
    await browser.get(`${house.issuer}/register`);
    const page = await browser.submit(typed);
    expect(page.status).toBe(422);
    expect(page.title).toMatch(/^Error/);
    expect(page.$('input[name=email]')?.getAttribute('value') ?? '').toBe(typed.email);
    const field = page.$(`input[name=${wrong}]`);
    expect(field?.getAttribute('aria-invalid')).toBe('true');
    expect(page.$(`a[href="#${field?.getAttribute('id')}"]`)).not.toBeNull();
  });
});
