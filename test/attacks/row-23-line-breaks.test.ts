import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askToRegister, choosePassword, linkIn, acceptTerms, pressLink } from '../journeys/steps.js';
import { row } from '../sis/extract.js';
import { openBrowser } from '../support/browser.js';
import { signInAnew } from '../support/family-house.js';
import { startTestHouse, twoApps } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { raw } from './raw.js';

const breaks = ['\r\n', '\n', '\r', '\u2028', '\u0085', '\v', '\0'];
const inject = breaks.map((end) => `x${end}Bcc: evil@evil.example${end}X-Evil: yes${end}${end}injected body`);
const cells = inject.join('');

describe('row 23: line breaks where one line is meant', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({
      elementary: [
        row('Ana', 'Maria', {
          contact_id: 'E1',
          ed_rights: 'yes',
          given_name: `Maria${cells.replaceAll('\0', '')}`,
          family_name: `L${cells.replaceAll('\0', '')}`,
          student_given_name: `Ana${cells.replaceAll('\0', '')}`,
          school_name: `School${cells.replaceAll('\0', '')}`,
          email: 'maria@example.org',
        }),
        row('Luis', 'Rosa', {
          contact_id: 'E2',
          ed_rights: 'yes',
          email: 'rosa@example.org\r\nBcc: evil@evil.example',
        }),
      ],
      apps: [
        ...twoApps,
        {
          registration: {
            client_id: 'breaks',
            client_name: 'Name\r\nBcc: evil@evil.example\r\n\r\nbody',
            scope: 'openid',
          },
        },
      ],
    });
  });
  afterAll(() => house.close());

  it('do not reach the headers of a letter, nor another mailbox', async () => {
    const browser = openBrowser();
    const registered = house.apps.get('breaks');
    const query = new URLSearchParams({
      client_id: 'breaks',
      redirect_uri: registered?.redirect_uris[0] ?? '',
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    const login = await browser.get(`${house.issuer}/authorize?${query}`);
    const interaction = login.url.split('/').at(-1) ?? '';
    await askToRegister(browser, house, 'maria@example.org', undefined, interaction);
    const activation = await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/activate'));
    await pressLink(browser, linkIn(activation, '/activate'));
    await choosePassword(browser);
    await acceptTerms(browser).catch(() => null);
    await browser.get(`${house.issuer}/password`);
    await browser.submit({ current: 'a long way to school', password: 'an even longer way home' });
    await house.mailbox.waitFor('maria@example.org', ({ text }) => !text.includes('/activate'));

    expect(house.mailbox.messages.length).toBeGreaterThanOrEqual(2);
    for (const { to, from, headers, subject } of house.mailbox.messages) {
      expect(to).toBe('maria@example.org');
      expect(from).toBe('no-reply@example.org');
      expect([...headers.keys()].filter((name) => /bcc|evil|^cc$/.test(name))).toEqual([]);
      expect(subject).not.toMatch(/evil|[\r\n]/);
    }
  });

  it('typed into a form are refused or harmless', async () => {
    house.mailbox.clear();
    for (const text of inject) {
      for (const address of [
        `maria@example.org${text}`,
        `${text}maria@example.org`,
        `maria@example.org\r\nBcc: x@y.org`,
      ]) {
        const refused = await raw(house.issuer, {
          target: '/register',
          body: { email: address, phone: '(213) 555-0100' },
          headers: { origin: house.issuer },
        });
        expect(refused.status).toBe(422);
        const recovery = await raw(house.issuer, {
          target: '/recover',
          body: { identifier: address },
          headers: { origin: house.issuer },
        });
        expect(recovery.headers.location).toBe('/recover/sent');
      }
      const browser = openBrowser();
      expect((await signInAnew(house, `maria@example.org${text}`, text)).page().status).toBe(422);
      await browser.get(`${house.issuer}/register`);
      await browser.submit({ email: `a@example.net`, phone: `(213) 555-0100${text}` });
      const target = `/language?${new URLSearchParams({ locale: 'es', return: `/help${text}` })}`;
      const answer = await raw(house.issuer, { target });
      expect(new URL(answer.headers.location ?? '', house.issuer).origin).toBe(house.issuer);
      expect(answer.headers).not.toHaveProperty('x-evil');
    }
    // What is asked after them is answered: the post is through.
    await askToRegister(openBrowser(), house, 'maria@example.org');
    await house.mailbox.waitFor('maria@example.org');
    expect(house.mailbox.messages.filter(({ to }) => to !== 'maria@example.org')).toEqual([]);
  });

  it('break no line of the log, and bring nobody’s words into it', async () => {
    for (const target of ['/x%0d%0a{"level":60}', '/%0a%0a', '/register?x=%0d%0aevil', '/interaction/%0aevil%0a'])
      await raw(house.issuer, { target, headers: { 'user-agent': 'evil\tagent', 'x-request-id': 'evil' } });
    // The number that a person reads is the one of the answer and of its line, and nobody else's.
    const lost = await openBrowser().get(`${house.issuer}/nowhere`);
    const number = String(lost.headers['x-request-id']);
    expect(number).toMatch(/^[\da-f-]{36}$/);
    expect(lost.$('code')?.text).toBe(number);
    expect(house.log.filter((line) => line.includes(`"id":"${number}"`))).toHaveLength(1);
    expect(house.log.length).toBeGreaterThan(50);
    for (const line of house.log) {
      expect(line.endsWith('\n')).toBe(true);
      expect(line.slice(0, -1)).not.toMatch(/[\r\n\u2028\u0085\v\0]/);
      const entry: unknown = JSON.parse(line);
      expect(entry).toMatchObject({ level: expect.any(Number), msg: expect.any(String) });
      expect((entry as { level: number }).level).toBeLessThan(60);
    }
    const text = house.log.join('');
    expect(text).not.toContain('?x=');
    expect(text).not.toMatch(/evil@|maria@|example\.org"|injected|555-0100|longer way|evil\tagent|evil\\tagent/);
  });
});
