import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import * as client from 'openid-client';
import { acceptTerms, askToRegister, choosePassword, codeIn, linkIn, password, pressLink } from '../journeys/steps.js';
import { apps, elementary } from '../provider/family.js';
import { openBrowser } from '../support/browser.js';
import { databases } from '../support/database.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { post, relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';

/** Decision 4: what opens a door is kept as a digest only. Names and addresses of people stand in their own tables alone. */
describe.each(databases)('a stolen dump of %s', (kind) => {
  let house: TestHouse;
  let echoices: RelyingParty;
  let uid: string;
  const secrets = new Map<string, string>();
  let dump: Array<{ table: string; row: string }>;

  async function wholeDatabase(): Promise<typeof dump> {
    const { rows: tables } = await sql<{ schema: string; name: string }>`
      select table_schema as schema, table_name as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`.execute(house.db);
    const found: typeof dump = [];
    for (const { schema, name } of tables) {
      const { rows } = await sql<{
        row: string;
      }>`select t::text as row from ${sql.table(`${schema}.${name}`)} t`.execute(house.db);
      found.push(...rows.map(({ row }) => ({ table: `${schema}.${name}`, row })));
    }
    return found;
  }

  beforeAll(async () => {
    house = await startTestHouse({ kind, elementary, apps });
    echoices = await relyingParty(house, 'echoices');
    const keep = async (when: string): Promise<void> => {
      const cookies = await browser.cookies(house.issuer);
      for (const [name, value] of Object.entries(cookies)) secrets.set(`${name} ${when}`, value);
    };
    const browser = openBrowser();
    await browser.get((await echoices.request()).url.href);
    await keep('before the sign-in');
    uid = /\/interaction\/([\w-]+)/.exec(browser.page().url)?.[1] ?? '';
    await askToRegister(browser, house, 'maria@example.org', undefined, uid);
    await keep('while waiting');
    const letter = await house.mailbox.waitFor('maria@example.org');
    secrets.set('the link', new URL(linkIn(letter, '/activate')).searchParams.get('token') ?? '');
    secrets.set('the code of the link', codeIn(letter));
    await pressLink(browser, linkIn(letter, '/activate'));
    await keep('after the link');
    await choosePassword(browser);
    await keep('at the terms');
    secrets.set('the password', password);
    await acceptTerms(browser);
    await keep('in the app');

    await browser.get(`${house.issuer}/recover`);
    await browser.submit({ identifier: 'maria@example.org' });
    const recovery = await house.mailbox.waitFor('maria@example.org', ({ text }) => text.includes('/recover/link'));
    secrets.set('the recovery link', new URL(linkIn(recovery, '/recover/link')).searchParams.get('token') ?? '');

    const { callback, checks } = await echoices.authorize(browser);
    secrets.set('a code not yet redeemed', (await echoices.authorize(browser)).callback.searchParams.get('code') ?? '');
    secrets.set('the code', callback.searchParams.get('code') ?? '');
    const tokens = await client.authorizationCodeGrant(echoices.configuration, callback, checks);
    secrets.set('the used refresh token', tokens.refresh_token ?? '');
    const refreshed = await client.refreshTokenGrant(echoices.configuration, tokens.refresh_token ?? '');
    secrets.set('the access token', refreshed.access_token);
    secrets.set('the refresh token', refreshed.refresh_token ?? '');
    secrets.set('the ID token', refreshed.id_token ?? '');
    const machine = await post(
      house,
      '/token',
      { grant_type: 'client_credentials' },
      { clientId: 'statistics', secret: house.secret },
    );
    secrets.set('the token of a machine', String(machine.body['access_token']));
    const pushed = await client.buildAuthorizationUrlWithPAR(echoices.configuration, {
      redirect_uri: echoices.redirectUri,
      scope: 'openid',
      code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    });
    secrets.set('the pushed request', pushed.searchParams.get('request_uri')?.split(':').at(-1) ?? '');
    secrets.set('the app’s secret', house.secret);
    dump = await wholeDatabase();
  });
  afterAll(async () => {
    await echoices.close();
    await house.close();
  });

  it('holds none of the values that open a door', () => {
    const session = [...secrets].filter(([name]) => name.startsWith('pa-session'));
    expect(new Set(session.map(([, value]) => value)).size).toBeGreaterThan(1);
    // What is kept in plain is found: the search itself works.
    expect(dump.some(({ row }) => row.includes(uid))).toBe(true);
    const found: string[] = [];
    for (const [name, value] of secrets) {
      // These name interactions, in plain; what makes one a cookie is its signature, whose key is sealed.
      if (/^pa-(interaction|resume|finished)/.test(name) && !name.includes('.sig')) continue;
      expect(`${name} ${value.length > 5 ? 'is looked for' : value}`).toBe(`${name} is looked for`);
      // Six digits stand by chance in many a moment or number.
      const whole = /^\d{6}$/.test(value) ? new RegExp(`(?<!\\d)${value}(?!\\d)`) : null;
      const where = dump.filter(({ row }) => (whole === null ? row.includes(value) : whole.test(row)));
      if (where.length > 0) found.push(`${name} in ${where.map(({ table }) => table).join(', ')}`);
    }
    expect(found).toEqual([]);
  });

  it('holds no private key in plain', () => {
    const rows = dump.filter(({ table }) => table.endsWith('signing_keys'));
    expect(rows.length).toBeGreaterThan(2);
    for (const { row } of dump) expect(row).not.toMatch(/"d":|PRIVATE KEY/);
  });

  it('holds addresses and phones only where they belong', () => {
    const allowed = new Set(
      ['account_requests', 'accounts', 'contact_phones', 'contacts'].map((name) => `public.${name}`),
    );
    const places = dump
      .filter(({ row }) => /maria@example\.org|12135550100|555-0100/.test(row))
      .map(({ table }) => table);
    expect(places).toContain('public.accounts');
    expect(places.filter((table) => !allowed.has(table))).toEqual([]);
    const audit = dump.filter(({ table }) => table.endsWith('audit_events'));
    expect(audit.length).toBeGreaterThan(2);
  });

  it('and of the log: no secret, no person', () => {
    const text = house.log.join('\n');
    expect(house.log.length).toBeGreaterThan(10);
    const long = [...secrets].filter(([, value]) => value.length > 6);
    expect(long.filter(([, value]) => text.includes(value)).map(([name]) => name)).toEqual([]);
    expect(text).not.toMatch(/maria|5550100|555-0100|Ana|López/i);
  });
});
