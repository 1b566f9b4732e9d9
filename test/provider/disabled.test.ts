import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { syncClients } from '../../src/provider/client-registry.js';
import { register, signIn } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { databases } from '../support/database.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { post, relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';
import { apps, elementary } from './family.js';

describe.each(databases)('from one moment to the next, on %s', (kind) => {
  let house: TestHouse;
  let echoices: RelyingParty;
  const mother = openBrowser();
  beforeAll(async () => {
    house = await startTestHouse({ kind, elementary, apps });
    echoices = await relyingParty(house, 'echoices');
    await register(mother, house, 'maria@example.org');
  });
  afterAll(async () => {
    await echoices.close();
    await house.close();
  });

  /** What is left of a sign-in: userinfo, introspection, refresh and the portal. */
  async function remains(tokens: { access_token: string; refresh_token?: string }) {
    const credentials = { clientId: 'echoices', secret: house.secret };
    const info = await fetch(`${house.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    const seen = await post(house, '/introspect', { token: tokens.access_token }, credentials);
    const refreshed = await post(
      house,
      '/token',
      { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' },
      credentials,
    );
    const portal = await mother.get(`${house.issuer}/`);
    return [info.status, seen.body['active'], refreshed.status, portal.text.includes('Ana')];
  }

  it('sessions from before a recovery are dead everywhere', async () => {
    const tokens = await echoices.tokens(mother);
    const generation = (by: number) =>
      house.db
        .updateTable('accounts')
        .set((eb) => ({ session_generation: eb('session_generation', '+', by) }))
        .execute();
    await generation(1);
    expect(await remains(tokens)).toEqual([401, false, 400, false]);
    await generation(-1);
  });

  it('an app that was taken out is let in by no instance that still knows it, however often it asks', async () => {
    await mother.get(`${house.issuer}/sign-in`);
    if (mother.page().text.includes('Password')) await signIn(mother, 'maria@example.org');
    const all = [...house.apps.values()];
    const { clock, audit } = house.desk;
    await syncClients(
      house.db,
      all.filter(({ client_id: id }) => id !== 'echoices'),
      clock,
      audit,
    );
    for (let time = 0; time < 3; time += 1) {
      const { callback } = await echoices.authorize(mother);
      expect([callback.searchParams.get('error'), callback.searchParams.get('code')]).toEqual(['invalid_client', null]);
    }
    await syncClients(house.db, all, clock, audit);
    expect((await echoices.tokens(mother)).access_token).toBeDefined();
  });

  it('a disabled account is dead everywhere, and cannot sign in', async () => {
    await mother.get(`${house.issuer}/sign-in`);
    const tokens = await echoices.tokens(mother);
    await house.db.updateTable('accounts').set({ disabled_at: new Date(), disabled_as: 'suspended' }).execute();
    expect(await remains(tokens)).toEqual([401, false, 400, false]);
    await mother.get(`${house.issuer}/sign-in`);
    const told = await signIn(mother, 'maria@example.org');
    expect(told.status).toBe(422);
    // Who knows the password reads where to ask; who does not, reads what everybody reads.
    expect(told.text).toContain('This account is stopped');
    expect((await signIn(mother, 'maria@example.org', 'not her password at all')).text).not.toContain('stopped');
  });
});
