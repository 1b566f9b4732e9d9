import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { keysCommand } from '../../src/desk/keys.js';
import { listKeys } from '../../src/keys/states.js';
import { elementary } from '../provider/family.js';
import { register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { startReceiver } from '../support/receiver.js';
import type { Receiver } from '../support/receiver.js';
import { relyingParty } from '../support/relying-party.js';
import type { RelyingParty } from '../support/relying-party.js';

describe('an app that looks up the keys of the moment', () => {
  let house: TestHouse;
  let receiver: Receiver;
  let party: RelyingParty;
  const mother = openBrowser();
  beforeAll(async () => {
    receiver = await startReceiver();
    const registration = {
      client_id: 'bulletin',
      scope: 'openid profile',
      backchannel_logout_uri: receiver.address,
    };
    house = await startTestHouse({ elementary, apps: [{ registration }] });
    party = await relyingParty(house, 'bulletin');
    await register(mother, house, 'maria@example.org');
  });
  afterAll(async () => {
    await party.close();
    await receiver.close();
    await house.close();
  });

  it('is told of the end of what a stolen key signed by another key, from the first moment on', async () => {
    await party.tokens(mother);
    const stolen = (await listKeys(house.db)).find(({ alg, state }) => alg === 'ES256' && state === 'current')?.kid;
    const desk = {
      ...house.desk,
      // As beside instances that have not followed yet: they look every few seconds, and tell apps meanwhile.
      keysFollowed: async () =>
        void (await eventually(
          async () => receiver.tokens.length,
          (count) => count > 0,
        )),
    };
    await keysCommand(desk, ['revoke', String(stolen), '--yes']);
    expect(receiver.tokens.length).toBeGreaterThan(0);
    expect(receiver.tokens.map((token) => decodeProtectedHeader(token).kid)).not.toContain(stolen);
  });
});
