import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startLinkedApp } from '../../examples/linked-app/linked-app.js';
import type { LinkedApp } from '../../examples/linked-app/linked-app.js';
import { openBrowser } from '../support/browser.js';
import { freePort, startScratchProvider } from './scratch-provider.js';
import type { ScratchProvider } from './scratch-provider.js';

const secret = 'a secret of the example, long enough';
const scope = 'openid profile email students offline_access';
const children = [
  { id: 'child-1', name: 'Luis <b>', grade: '3', school: 'Lincoln Elementary' },
  { id: 'child-2', name: 'Eva', grade: '9', school: 'Lincoln High' },
];

describe('the example app', () => {
  let provider: ScratchProvider;
  let choices: LinkedApp;
  let meals: LinkedApp;

  beforeAll(async () => {
    jest.spyOn(console, 'error').mockImplementation(() => {});
    jest.spyOn(console, 'warn').mockImplementation(() => {});
    jest.spyOn(console, 'info').mockImplementation(() => {});
    const [issuerPort, choicesPort, mealsPort] = [await freePort(), await freePort(), await freePort()];
    const issuer = `http://localhost:${issuerPort}`;
    const shared = { issuer, clientSecret: secret, scope };
    // The apps come first: they must not need the provider to start.
    choices = await startLinkedApp({ ...shared, name: 'Choices & more', clientId: 'choices', port: choicesPort });
    meals = await startLinkedApp({ ...shared, name: 'Meals', clientId: 'meals', port: mealsPort, facts: ['grade'] });
    const before = await openBrowser().get(`${choices.url}/login`);
    expect([before.status, before.title]).toEqual([503, expect.stringContaining('cannot be reached')]);

    const registered = [
      { client_id: 'choices', app: choices, alg: 'RS256' as const },
      { client_id: 'meals', app: meals, alg: 'RS256' as const },
    ];
    provider = await startScratchProvider(
      issuerPort,
      registered.map(({ client_id, app, alg }) => ({
        client_id,
        client_secret: secret,
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [`${app.url}/callback`],
        post_logout_redirect_uris: [`${app.url}/`],
        backchannel_logout_uri: `${app.url}/backchannel-logout`,
        id_token_signed_response_alg: alg,
      })),
    );
  });
  beforeEach(() => {
    provider.students = children;
  });
  afterAll(async () => {
    await choices.close();
    await meals.close();
    await provider.close();
  });

  it('signs a person in and shows the children, escaped', async () => {
    const browser = openBrowser();
    await browser.get(choices.url);
    const page = await browser.click('Sign in with Parent Access');
    expect(page.url).toBe(`${choices.url}/`);
    expect(page.text).toContain('Ana <Pérez>');
    expect(page.text).toContain('ana@example.org');
    expect(page.$$('[data-student]').map((child) => child.getAttribute('data-student'))).toEqual([
      'child-1',
      'child-2',
    ]);
    expect(page.text).toContain('Luis <b>');
    expect(page.$('li b b')).toBeNull();
  });

  it('shows only the facts it is set to', async () => {
    const browser = openBrowser();
    const page = await browser.get(`${meals.url}/login`);
    expect(page.text).toContain('grade: 3');
    expect(page.text).not.toContain('Lincoln');
  });

  it('asks again with the refresh token, twice and twice at once', async () => {
    const browser = openBrowser();
    await browser.get(`${choices.url}/login`);
    provider.students = [children[1] ?? {}];
    const again = await browser.submit({}, { form: 'form[action="/refresh"]' });
    expect(again.$$('[data-student]')).toHaveLength(1);
    const cookie = await browser.jar.getCookieString(choices.url);
    const press = (): Promise<Response> =>
      fetch(`${choices.url}/refresh`, { method: 'POST', headers: { cookie, origin: choices.url }, redirect: 'manual' });
    await Promise.all([press(), press(), press()]);
    expect((await browser.get(choices.url)).text).toContain('Ana');
  });

  it('signs out everywhere: the provider tells the other app', async () => {
    const browser = openBrowser();
    await browser.get(`${choices.url}/login`);
    expect((await browser.get(`${meals.url}/login`)).text).toContain('Ana');
    await browser.get(choices.url);
    await browser.submit({}, { form: 'form[action="/sign-out"]' });
    const back = await browser.submit({}, { button: 'Yes, sign me out' });
    expect(back.url.split('?')[0]).toBe(`${choices.url}/`);
    expect(back.text).toContain('Sign in with Parent Access');
    expect((await browser.get(meals.url)).text).toContain('Your sign-in has ended');
  });

  it('refuses a logout token that does not hold', async () => {
    const browser = openBrowser();
    await browser.get(`${choices.url}/login`);
    const forged = `${Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url')}.${Buffer.from('{"sub":"ana"}').toString('base64url')}.`;
    for (const logout_token of [forged, 'nonsense', '']) {
      const body = new URLSearchParams({ logout_token });
      const answer = await fetch(`${choices.url}/backchannel-logout`, { method: 'POST', body });
      expect([answer.status, await answer.json()]).toEqual([400, { error: 'invalid_request' }]);
    }
    expect((await browser.get(choices.url)).text).toContain('Ana');
  });

  it('says in plain words that a sign-in was cancelled, and offers it again', async () => {
    provider.declines = true;
    const browser = openBrowser({ locale: 'es' });
    const page = await browser.get(`${choices.url}/login`);
    expect(page.text).toContain('no se compartió nada');
    expect((await browser.click('Intentar de nuevo')).text).toContain('Sesión iniciada como Ana');
  });

  it('takes an answer only in the browser that asked', async () => {
    const asking = openBrowser();
    await asking.get(`${choices.url}/login`, { follow: false });
    const state = new URL(String(asking.page().headers.location)).searchParams.get('state') ?? '';
    const other = await openBrowser().get(`${choices.url}/callback?code=x&state=${state}`);
    expect([other.status, other.text]).toEqual([400, expect.stringContaining('another browser')]);
  });

  it('starts a sign-in that its own provider asks for, and no other', async () => {
    const own = await openBrowser().get(`${choices.url}/login?iss=${encodeURIComponent(provider.issuer)}`);
    expect(own.text).toContain('Ana');
    const foreign = await openBrowser().get(`${choices.url}/login?iss=https://evil.example`);
    expect(foreign.status).toBe(400);
  });

  it('takes no form from another site', async () => {
    const browser = openBrowser();
    await browser.get(`${choices.url}/login`);
    const cookie = await browser.jar.getCookieString(choices.url);
    for (const path of ['/sign-out', '/refresh']) {
      const answer = await fetch(`${choices.url}${path}`, { method: 'POST', headers: { cookie, origin: meals.url } });
      expect(answer.status).toBe(403);
    }
    expect((await browser.get(choices.url)).text).toContain('Ana');
  });
});
