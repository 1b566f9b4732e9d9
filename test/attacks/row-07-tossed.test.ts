import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { password, register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { familyHouse, signInAnew } from '../support/family-house.js';
import type { TestHouse } from '../support/house.js';
import type { RelyingParty } from '../support/relying-party.js';

/**
 * Row 7: a page of a sibling domain can put cookies of any path beside ours, but none with the prefix `__Host-`. What belongs to one
 * interaction has a path of its own, and therefore not that prefix.
 */
describe('row 7: a sign-in that a stranger began and puts into a parent’s browser', () => {
  let house: TestHouse;
  let echoices: RelyingParty;
  beforeAll(async () => {
    ({ house, echoices } = await familyHouse('echoices'));
    await register(openBrowser(), house, 'pedro@example.org', '(213) 555-0122');
  });
  afterAll(() => house.close());

  /** The stranger signs in, and takes along what leads on. */
  async function begun(): Promise<{ resume: string; tossed: string[] }> {
    const stranger = openBrowser();
    const { url } = await echoices.request();
    await stranger.get(url.href);
    const accepted = await stranger.submit({ identifier: 'pedro@example.org', password }, { follow: false });
    const resume = new URL(accepted.headers.location ?? '', house.issuer).href;
    const cookies = await stranger.jar.getCookies(resume);
    return { resume, tossed: cookies.filter(({ path }) => path !== '/').map((cookie) => cookie.toString()) };
  }
  async function tossedInto(victim: Browser): Promise<string> {
    const { resume, tossed } = await begun();
    expect(tossed).not.toEqual([]);
    for (const cookie of tossed) await victim.jar.setCookie(cookie, resume);
    // In every spelling that the provider's router takes.
    for (const address of [resume, `${resume}/`, resume.replace('/authorize/', '/AUTHORIZE/')]) {
      const page = await victim.get(address);
      expect(page.url).not.toContain('code=');
    }
    return (await victim.get(`${house.issuer}/`)).text;
  }

  it('does not sign the parent in as the stranger', async () => {
    expect(await tossedInto(openBrowser())).not.toContain('Tomas');
  });

  it('does not take the place of the parent’s own session', async () => {
    const home = await tossedInto(await signInAnew(house, 'maria@example.org'));
    expect(home).toContain('Ana');
    expect(home).not.toContain('Tomas');
  });

  it.each([
    ['signed in on its page', { identifier: 'pedro@example.org', password }, {}],
    ['went back to the app', {}, { form: 'form[action$="/cancel"]' }],
  ])('signs no stranger in as the parent who types a password there, where the stranger %s', async (_, fields, how) => {
    const stranger = openBrowser();
    const { url } = await echoices.request();
    const shown = await stranger.get(url.href);
    const finished = await stranger.submit(fields, { ...how, follow: false });
    const resume = new URL(finished.headers.location ?? '', house.issuer).href;
    const victim = openBrowser();
    for (const address of [shown.url, resume])
      for (const cookie of await stranger.jar.getCookies(address))
        if (cookie.path !== '/') await victim.jar.setCookie(cookie.toString(), address);
    await victim.get(shown.url);
    await victim.submit({ identifier: 'maria@example.org', password }, { follow: false });
    await stranger.get(resume);
    expect((await stranger.get(`${house.issuer}/`)).text).not.toContain('Ana');
  });

  it('goes on in the browser where it was made, in two tabs at once too', async () => {
    const browser = openBrowser();
    const resumes: string[] = [];
    for (let tab = 0; tab < 2; tab += 1) {
      await browser.get((await echoices.request()).url.href);
      const accepted = await browser.submit({ identifier: 'maria@example.org', password }, { follow: false });
      resumes.push(new URL(accepted.headers.location ?? '', house.issuer).href);
    }
    for (const resume of resumes) expect((await browser.get(resume)).url).toContain('code=');
  });
});
