import { setTimeout as pause } from 'node:timers/promises';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { rotateKeys } from '../src/keys/states.js';
import { values } from '../src/values.js';
import { register, signIn } from '../test/journeys/steps.js';
import { elementary } from '../test/provider/family.js';
import { openBrowser } from '../test/support/browser.js';
import type { Browser } from '../test/support/browser.js';
import { startTestHouse } from '../test/support/house.js';
import type { TestHouse } from '../test/support/house.js';
import { relyingParty } from '../test/support/relying-party.js';
import type { RelyingParty } from '../test/support/relying-party.js';
import { share } from './house.js';
import type { Finding } from './house.js';

const rotations = 40;
const people = 24;
/** One minute of the keys' clock, in ms here: the waits and the apps' copies of the key set shrink alike. */
const minute = 150;

interface Tally {
  signIns: number;
  reopened: number;
  failed: string[];
  signers: Set<string>;
  milliseconds: number[];
}

async function signsIn(house: TestHouse): Promise<Browser> {
  const browser = openBrowser();
  await browser.get(`${house.issuer}/sign-in`);
  await signIn(browser, 'maria@example.org');
  return browser;
}

/** Verifies as an app does that is correct and no more: its copy of the key set is good for as long as Cache-Control says. */
function verifier(house: TestHouse): (idToken: string) => Promise<string> {
  const keySet = createRemoteJWKSet(new URL(`${house.issuer}/jwks`), {
    cacheMaxAge: (values.jwksCache / 60) * minute,
    // Never because of a key that it does not know.
    cooldownDuration: 3_600_000,
  });
  return async (idToken) => {
    const { protectedHeader } = await jwtVerify(idToken, keySet, { issuer: house.issuer, audience: 'bulletin' });
    return protectedHeader.kid ?? '';
  };
}

/** One person: signs in anew, opens the app, opens it again with the session; on and on until the rotations are done. */
async function person(house: TestHouse, party: RelyingParty, tally: Tally, over: () => boolean): Promise<void> {
  const verify = verifier(house);
  while (!over()) {
    const start = performance.now();
    try {
      const browser = await signsIn(house);
      const first = await party.tokens(browser);
      tally.signers.add(await verify(first.id_token ?? ''));
      tally.signIns += 1;
      tally.milliseconds.push(performance.now() - start);
      const again = await party.tokens(browser);
      tally.signers.add(await verify(again.id_token ?? ''));
      tally.reopened += 1;
    } catch (error) {
      tally.failed.push(error instanceof Error ? error.message : String(error));
    }
  }
}

/** Keys of both uses rotate, again and again, under two instances that look by themselves, while people sign in. */
export async function keyRotation(): Promise<Finding[]> {
  const house = await startTestHouse({
    elementary,
    apps: [{ registration: { client_id: 'bulletin', scope: 'openid' } }],
    instances: 2,
    environment: { THROTTLE_SCALE: '1000000' },
  });
  const party = await relyingParty(house, 'bulletin');
  const tally: Tally = { signIns: 0, reopened: 0, failed: [], signers: new Set(), milliseconds: [] };
  try {
    await register(openBrowser(), house, 'maria@example.org');
    const long = await signsIn(house);
    let done = 0;
    const rotating = async (): Promise<void> => {
      for (; done < rotations; done += 1) {
        await pause((values.keyPublished / 60) * minute);
        house.advance(values.keyPublished);
        await rotateKeys(house.keys, { now: false, actor: 'operator' });
        // An instance looks every 5 s, within the 5 minutes that the wait leaves for it: within 750 ms here.
        for (const instance of house.instances)
          void pause(Math.random() * 5 * minute).then(() => instance.lookAtKeys());
      }
    };
    await Promise.all([
      rotating(),
      ...Array.from({ length: people }, () => person(house, party, tally, () => done >= rotations)),
    ]);
    const kept = await party.tokens(long).then(
      () => 1,
      () => 0,
    );
    const failed = tally.failed.length;
    return [
      {
        name: `all keys rotated ${rotations} times under load, two instances, apps that ask for the key set only when its Cache-Control is over`,
        bar: '0 failed sign-ins, 0 failed verifications; who signed in before the first rotation still is',
        measured: `${failed} failed of ${tally.signIns + failed} sign-ins (median ${Math.round(share(tally.milliseconds, 0.5))} ms, slowest ${Math.round(share(tally.milliseconds, 1))} ms) and ${tally.reopened} openings of the app with the session; ${tally.signers.size} keys signed; ${kept} of 1 still signed in${failed > 0 ? `; first: ${tally.failed[0]}` : ''}`,
        holds: failed === 0 && kept === 1 && tally.signIns > 0 && tally.signers.size > rotations / 2,
      },
    ];
  } finally {
    await party.close();
    await house.close();
  }
}
