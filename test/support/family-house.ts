import { password, register } from '../journeys/steps.js';
import { apps, elementary } from '../provider/family.js';
import { openBrowser } from './browser.js';
import type { Browser } from './browser.js';
import { startTestHouse } from './house.js';
import type { TestHouse } from './house.js';
import { relyingParty } from './relying-party.js';
import type { RelyingParty } from './relying-party.js';

export interface FamilyHouse {
  /** Has the families and the apps of `provider/family`; its `close` closes what is below too. */
  house: TestHouse;
  /** Where Maria registered; she is signed in there. */
  mother: Browser;
}

/** What most suites begin with: the house, Maria in it, and those of its apps by name that the suite talks to itself. */
export async function familyHouse<Name extends string = never>(
  ...names: Name[]
): Promise<FamilyHouse & Record<Name, RelyingParty>> {
  const house = await startTestHouse({ elementary, apps });
  const parties: RelyingParty[] = [];
  for (const name of names) parties.push(await relyingParty(house, name));
  const mother = openBrowser();
  await register(mother, house, 'maria@example.org');
  const close = async (): Promise<void> => {
    for (const party of parties) await party.close();
    await house.close();
  };
  const byName = Object.fromEntries(parties.map((party) => [party.clientId, party])) as Record<Name, RelyingParty>;
  return { ...byName, house: { ...house, close }, mother };
}

/** A new browser that tried to sign in at our own pages, and shows what came of it. */
export async function signInAnew(
  house: TestHouse,
  identifier: string,
  secret = password,
  device?: 'own' | 'shared',
): Promise<Browser> {
  const browser = openBrowser();
  await browser.get(`${house.issuer}/sign-in`);
  await browser.submit({ identifier, password: secret, ...(device === undefined ? {} : { device }) });
  return browser;
}
