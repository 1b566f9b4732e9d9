/*
 * an account with a child in one SIS ─▶ the other SIS sends a file with the same person ─▶ next sign-in: "Your account has more now"
 *    ─▶ both children, in userinfo and the portal, under the same `sub` ─▶ not told again
 * staff undo it ─▶ the token that could fetch the child is over ─▶ the parent is signed in still, the next token shows the child that is left
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as client from 'openid-client';
import { contactsCommand } from '../../../src/desk/contacts.js';
import { row } from '../../sis/extract.js';
import { openBrowser } from '../../support/browser.js';
import type { Browser } from '../../support/browser.js';
import { startTestHouse, twoApps } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { relyingParty } from '../../support/relying-party.js';
import type { RelyingParty } from '../../support/relying-party.js';
import { register, signIn } from '../steps.js';
import { elementary, secondary } from '../registration/fixture.js';

const maria = 'maria@example.org';
const apps = twoApps.map(({ registration }) => ({ registration }));
type Tokens = Awaited<ReturnType<RelyingParty['tokens']>>;

describe('a contact that joins after an import', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  let sub: string;
  const first = openBrowser();
  const second = openBrowser();
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps });
    echoices = await relyingParty(house, 'echoices');
    await register(first, house, maria);
  });
  afterAll(async () => {
    await echoices.close();
    await house.close();
  });

  const infoOf = async (tokens: Tokens): Promise<{ sub: string; names: string[] }> => {
    const info = await client.fetchUserInfo(echoices.configuration, tokens.access_token, client.skipSubjectCheck);
    const students = info['students'] as Array<{ name: string }>;
    return { sub: info.sub, names: students.map(({ name }) => name).toSorted() };
  };
  const arrive = async (browser: Browser): Promise<boolean> => {
    await browser.get(`${house.issuer}/sign-in`);
    const page = await signIn(browser, maria);
    return page.$('form[action$="/news"]') !== null;
  };

  it('is told of once, at the next sign-in, and the app gets both children under the same sub', async () => {
    const before = await infoOf(await echoices.tokens(first));
    expect(before.names).toEqual(['Ana López']);
    ({ sub } = before);
    await house.load('secondary', secondary);
    expect(await arrive(second)).toBe(true);
    const portal = await second.submit({}, { form: 'form[action$="/news"]' });
    expect(portal.text).toContain('Luis');
    expect(await infoOf(await echoices.tokens(second))).toEqual({ sub, names: ['Ana López', 'Luis López'] });
    expect(await arrive(openBrowser())).toBe(false);
  });

  it('undone by staff, is gone from every token at once, and signs nobody out', async () => {
    const tokens = await echoices.tokens(second);
    const undo = ['undo', '--account', maria, '--contact', 'secondary:S1', '--reason', 'another person'];
    expect(await contactsCommand(house.desk, undo)).toMatch(/^Undone/);
    await expect(infoOf(tokens)).rejects.toMatchObject({ status: 401 });
    const refreshed = await client.refreshTokenGrant(echoices.configuration, tokens.refresh_token ?? '');
    expect(await infoOf(refreshed)).toEqual({ sub, names: ['Ana López'] });
    const portal = await second.get(`${house.issuer}/`);
    expect([portal.text.includes('Ana'), portal.text.includes('Luis')]).toEqual([true, false]);
    await house.load('secondary', [...secondary, row('Zoe', 'Nina', { contact_id: 'S7', phone1: '(213) 555-0188' })]);
    expect((await infoOf(await echoices.tokens(second))).names).toEqual(['Ana López']);
  });

  it('accepted by staff, is told of again', async () => {
    const pair = ['--account', maria, '--contact', 'secondary:S1'];
    const proposed = await contactsCommand(house.desk, ['propose', ...pair, '--reason', 'it was her after all']);
    const id = /\S{36}/.exec(proposed)?.[0] ?? '';
    await contactsCommand(house.desk, ['accept', id, '--reason', 'showed her papers']);
    const third = openBrowser();
    expect(await arrive(third)).toBe(true);
    await third.submit({}, { form: 'form[action$="/news"]' });
    expect((await infoOf(await echoices.tokens(third))).names).toEqual(['Ana López', 'Luis López']);
  });
});
