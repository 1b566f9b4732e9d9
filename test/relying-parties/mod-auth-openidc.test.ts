/*
 * A page behind a real Apache with mod_auth_openidc, both of the Debian packages: signed in by a secret, and by a key of the app.
 */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { elementary, secondary } from '../journeys/registration/fixture.js';
import { register, signIn } from '../journeys/steps.js';
import { apacheIsHere, startApache } from '../support/apache.js';
import type { Apache } from '../support/apache.js';
import { openBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import type { Browser, Page } from '../support/browser.js';
import { freePort, startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';

const kid = 'the-key-of-the-library';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kty: 'RSA' as const, kid, use: 'sig', alg: 'RS256' }] };
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const scope = 'openid profile students offline_access';

// The packages are a matter of the machine; where checks count, `.ci/run` installs them and lets nothing be skipped.
const suite = apacheIsHere() ? describe : describe.skip;

suite.each(['client_secret_basic', 'private_key_jwt'] as const)('mod_auth_openidc with %s', (method) => {
  let house: TestHouse;
  let apache: Apache;
  let browser: Browser;
  const opened: Array<() => Promise<void>> = [];

  beforeAll(async () => {
    // Jest runs this file in a realm of its own, but Node's structuredClone makes objects of the outer one; the library clones
    // `jwks` by it, and takes no foreign object for a key.
    jest
      .spyOn(globalThis, 'structuredClone')
      .mockImplementation((value: unknown) => JSON.parse(JSON.stringify(value)) as unknown);
    const port = await freePort();
    const home = `http://localhost:${port}/`;
    house = await startTestHouse({
      elementary,
      secondary,
      apps: [
        {
          registration: {
            client_id: 'library',
            client_name: 'School Library',
            token_endpoint_auth_method: method,
            scope,
            student_facts: ['name', 'school'],
            redirect_uris: [`${home}callback`],
            post_logout_redirect_uris: [home],
            backchannel_logout_uri: `${home}callback?logout=backchannel`,
            ...(method === 'private_key_jwt' ? { jwks } : {}),
          },
        },
      ],
    });
    opened.push(() => house.close());
    apache = await startApache({
      port,
      issuer: house.issuer,
      clientId: 'library',
      scope,
      authentication: method === 'private_key_jwt' ? { privateKey: pem, kid } : { secret: house.secret },
    });
    opened.push(() => apache.close());
    await register(openBrowser(), house, 'maria@example.org');
    browser = openBrowser();
  });
  afterAll(async () => {
    for (const close of opened.toReversed()) await close();
    jest.restoreAllMocks();
  });

  /** Opens the protected page and signs in where the house asks for it. */
  async function enter(): Promise<Page> {
    const page = await browser.get(`${apache.home}children.html`);
    expect(page.url.startsWith(house.issuer)).toBe(true);
    return signIn(browser, 'maria@example.org');
  }

  it('signs a parent in and hands the children to the page', async () => {
    const page = await enter();
    expect([page.url, page.status]).toEqual([`${apache.home}children.html`, 200]);
    const { id } = await house.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow();
    expect(page.$('#sub')?.text).toBe(id);
    expect(page.$('#name')?.text).toBe('Maria López');
    const userinfo = JSON.parse(page.$('#userinfo')?.text ?? '') as { students: Array<Record<string, string>> };
    expect(userinfo.students.map(({ name, school }) => [name, school])).toEqual([
      ['Ana López', 'Lincoln Elementary'],
      ['Luis López', 'Roosevelt High'],
    ]);
  });

  it('renews its tokens', async () => {
    const before = browser.page().$('#token')?.text ?? '';
    const back = new URLSearchParams({ refresh: `${apache.home}children.html`, access_token: before });
    const page = await browser.get(`${apache.home}callback?${back}`);
    expect(page.url).toBe(`${apache.home}children.html`);
    expect(page.$('#name')?.text).toBe('Maria López');
    expect(page.$('#token')?.text).toMatch(/\S{20,}/);
    expect(page.$('#token')?.text).not.toBe(before);
  });

  it('signs out of the house, comes back, and stays out', async () => {
    await browser.get(`${apache.home}callback?${new URLSearchParams({ logout: apache.home })}`);
    expect(browser.page().url.startsWith(house.issuer)).toBe(true);
    const page = await browser.submit({}, { button: 'logout=yes' });
    expect(page.url).toBe(apache.home);
    expect(page.text).toContain('An app behind Apache');
    expect((await enter()).url).toBe(`${apache.home}children.html`);
  });

  it('hears of a sign-out elsewhere', async () => {
    await browser.get(house.issuer);
    await browser.submit({}, { form: 'header form' });
    await eventually(
      () => browser.get(`${house.issuer}/signed-out`),
      ({ text }) => !text.includes('waiting'),
    );
    // The browser still has the cookie of the app: what ended is the session behind it.
    expect((await browser.cookies(apache.home))['mod_auth_openidc_session']).toEqual(expect.any(String));
    const page = await browser.get(`${apache.home}children.html`);
    expect(page.url.startsWith(house.issuer)).toBe(true);
    expect(apache.answered()).toContain('POST /callback?logout=backchannel 200');
  });
});
