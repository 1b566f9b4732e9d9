import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as client from 'openid-client';
import { administer } from '../../src/desk/administration.js';
import { elementary } from '../provider/family.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import { post } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';

type Tokens = Awaited<ReturnType<RelyingParty['tokens']>>;
const maria = 'maria@example.org';
const [ana, ...others] = elementary;

describe('row 17: a disabled account, an ended relationship, a restriction', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  let bulletin: RelyingParty;
  beforeAll(async () => {
    ({ house, echoices, bulletin } = await familyHouse('echoices', 'bulletin'));
  });
  afterAll(() => house.close());

  async function userinfo(tokens: Tokens): Promise<{ status: number; names: string[] }> {
    const answer = await fetch(`${house.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    if (answer.status !== 200) return { status: answer.status, names: [] };
    const { students = [] } = (await answer.json()) as { students?: Array<{ name: string }> };
    return { status: 200, names: students.map(({ name }) => name).toSorted() };
  }
  const active = async (tokens: Tokens): Promise<unknown> =>
    (await post(house, '/introspect', { token: tokens.access_token }, { clientId: 'echoices', secret: house.secret }))
      .body['active'];
  const refresh = (tokens: Tokens): Promise<Tokens> =>
    client.refreshTokenGrant(echoices.configuration, tokens.refresh_token ?? '');
  const deliveries = async (because: string): Promise<string[]> =>
    (
      await house.db
        .selectFrom('deliveries')
        .innerJoin('revocations', 'revocations.id', 'deliveries.revocation_id')
        .select('client_id')
        .where('because', '=', because)
        .execute()
    )
      .map((row) => row.client_id)
      .toSorted();
  const both = ['Ana López', 'Beto López'];

  it('a suspended account is dead at once at every endpoint, and its apps are told', async () => {
    const browser = await signInAnew(house, maria);
    const tokens = await echoices.tokens(browser);
    await bulletin.tokens(browser);
    expect(await userinfo(tokens)).toEqual({ status: 200, names: both });
    const operator = { db: house.db, clock: () => new Date(), audit: house.house.audit };
    await administer(operator, 'accounts suspend', { account: maria, reason: 'court order' });
    expect(await userinfo(tokens)).toEqual({ status: 401, names: [] });
    expect(await active(tokens)).toBe(false);
    await expect(refresh(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await browser.get(`${house.issuer}/`)).text).not.toContain('Ana');
    expect(await deliveries('suspended')).toEqual(['bulletin', 'echoices']);
    await administer(operator, 'accounts reopen', { account: maria, reason: 'order lifted' });
    // Nothing that was ended comes back with the account.
    expect((await browser.get(`${house.issuer}/`)).text).not.toContain('Ana');
    await expect(refresh(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('a right that ended takes the child out of every token at once; nobody is signed out or told', async () => {
    const browser = await signInAnew(house, maria);
    const tokens = await echoices.tokens(browser, {
      claims: JSON.stringify({ userinfo: { students: { essential: true } } }),
    });
    const plain = await bulletin.tokens(browser);
    await house.load('elementary', [{ ...ana, ed_rights: 'no' }, ...others]);
    // A token that could fetch the child is over; one that never could goes on.
    expect((await userinfo(tokens)).status).toBe(401);
    expect((await userinfo(plain)).status).toBe(200);
    expect(await userinfo(await refresh(tokens))).toEqual({ status: 200, names: ['Beto López'] });
    const page = await browser.get(`${house.issuer}/`);
    expect([page.text.includes('Ana'), page.text.includes('Beto')]).toEqual([false, true]);
    expect(await deliveries('restricted')).toEqual([]);
    await house.load('elementary', elementary);
    expect((await userinfo(await echoices.tokens(browser))).names).toEqual(both);
  });

  it('a restriction also ends what the apps that know children hold, and tells them; the parent stays for the other child', async () => {
    const browser = await signInAnew(house, maria);
    const tokens = await echoices.tokens(browser);
    const plain = await bulletin.tokens(browser);
    await house.load('elementary', [{ ...ana, restricted: 'yes', restriction_type: 'custody' }, ...others]);
    expect((await userinfo(tokens)).status).toBe(401);
    await expect(refresh(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await userinfo(plain)).status).toBe(200);
    expect(await deliveries('restricted')).toContain('echoices');
    expect(await deliveries('restricted')).not.toContain('bulletin');
    expect(await userinfo(await echoices.tokens(browser))).toEqual({ status: 200, names: ['Beto López'] });
    // The same order in the next file tells nobody again.
    const told = (await deliveries('restricted')).length;
    await house.load('elementary', [{ ...ana, restricted: 'yes', restriction_type: 'custody', grade: '4' }, ...others]);
    expect(await deliveries('restricted')).toHaveLength(told);
    await house.load('elementary', [{ ...ana, restricted: 'no' }, ...others]);
  });
});
