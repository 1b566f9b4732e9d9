import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser } from './browser.js';

interface Site {
  origin: string;
  server: Server;
  seen: IncomingMessage[];
  sources: Array<string | undefined>;
}

type Answer = (path: string, response: ServerResponse) => void;

async function startSite(host: string, answer: Answer): Promise<Site> {
  const seen: IncomingMessage[] = [];
  const sources: Array<string | undefined> = [];
  const server = createServer((request, response) => {
    seen.push(request);
    sources.push(request.socket.remoteAddress);
    request.resume();
    answer(new URL(request.url ?? '/', 'http://x').pathname, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { origin: `http://${host}:${address.port}`, server, seen, sources };
}

const html = (response: ServerResponse, body: string, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(body);
};

describe('the small browser', () => {
  let ours: Site;
  let app: Site;
  let elsewhere: Site;

  beforeAll(async () => {
    app = await startSite('localhost', (path, response) => {
      if (path === '/start')
        response.writeHead(302, { location: `${ours.origin}/form`, 'set-cookie': 'app=1; HttpOnly' }).end();
      else html(response, '<title>App</title><main>Welcome <a href="/start">Sign in</a></main>');
    });
    elsewhere = await startSite('127.0.0.1', (_path, response) => html(response, '<p>elsewhere</p>'));
    ours = await startSite('localhost', (path, response) => {
      const form = `<main><form method="post" action="/do"><input type="hidden" name="token" value="t&amp;1">
        <input name="email"><input type="checkbox" name="keep" value="yes"><button name="decision" value="accept">Go on</button>
        <button name="decision" value="decline">Not now</button></form></main>`;
      if (path === '/form') html(response, form, { 'set-cookie': 'session=s; HttpOnly; SameSite=Lax' });
      else if (path === '/strict') html(response, form, { 'content-security-policy': "form-action 'self'" });
      else if (path === '/open')
        html(response, form, { 'content-security-policy': `form-action 'self' ${app.origin}` });
      else if (path === '/silent') html(response, form, { 'referrer-policy': 'no-referrer' });
      else if (path === '/do') response.writeHead(303, { location: `${app.origin}/` }).end();
      else if (path === '/away') html(response, `<main><a href="${elsewhere.origin}/">Away</a></main>`);
      else response.writeHead(302, { location: '/endless' }).end();
    });
  });
  afterAll(() => {
    for (const { server } of [ours, app, elsewhere]) server.close();
  });

  it('goes from an app to the sign-in form and back, as Chrome would', async () => {
    const browser = openBrowser({ locale: 'es-MX' });
    await browser.get(`${app.origin}/`);
    await browser.click('Sign in');
    const arrival = ours.seen.at(-1);
    expect(arrival?.headers).toMatchObject({
      'sec-fetch-site': 'same-site',
      'accept-language': 'es-MX,es;q=0.9',
      cookie: 'app=1',
      referer: `${app.origin}/`,
    });

    await browser.submit({ email: 'ana@example.org', keep: true }, { button: 'Not now' });
    expect(browser.page().title).toBe('App');
    const sent = ours.seen.at(-1);
    expect(sent?.method).toBe('POST');
    expect(sent?.headers).toMatchObject({ origin: ours.origin, 'sec-fetch-site': 'same-origin' });
    expect(sent?.headers.cookie?.split('; ').sort()).toEqual(['app=1', 'session=s']);
    expect(browser.visited.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual([
      'GET /',
      'GET /start',
      'GET /form',
      'POST /do',
      'GET /',
    ]);
    expect(await browser.cookies(elsewhere.origin)).toEqual({});
  });

  it('shares no cookie with another browser', async () => {
    const browser = openBrowser();
    await browser.get(`${ours.origin}/form`);
    expect(await openBrowser().cookies(ours.origin)).toEqual({});
    expect(await browser.cookies(ours.origin)).toEqual({ session: 's' });
  });

  it('keeps to form-action on redirects', async () => {
    const browser = openBrowser();
    await browser.get(`${ours.origin}/strict`);
    await expect(browser.submit({ email: 'a' })).rejects.toThrow('form-action');
    await browser.get(`${ours.origin}/open`);
    expect((await browser.submit({ email: 'a' })).title).toBe('App');
  });

  it('hides the origin where the page asks for it', async () => {
    const browser = openBrowser();
    await browser.get(`${ours.origin}/silent`);
    await browser.submit({ email: 'a' }, { follow: false });
    expect(ours.seen.at(-1)?.headers.origin).toBe('null');
    expect(ours.seen.at(-1)?.headers.referer).toBeUndefined();
  });

  it('tells another site that it comes from elsewhere, by origin alone', async () => {
    const browser = openBrowser();
    await browser.get(`${ours.origin}/away`);
    await browser.click('Away');
    expect(elsewhere.seen.at(-1)?.headers).toMatchObject({
      'sec-fetch-site': 'cross-site',
      referer: `${ours.origin}/`,
    });
  });

  it('comes from the address it is told to', async () => {
    await openBrowser({ from: '127.0.0.9' }).get(`${ours.origin}/form`);
    expect(ours.sources.at(-1)).toBe('127.0.0.9');
  });

  it('says what is wrong with a test that asks for what is not there', async () => {
    const browser = openBrowser();
    await browser.get(`${ours.origin}/form`);
    await expect(browser.submit({ mail: 'a' })).rejects.toThrow('no field mail');
    await expect(browser.submit({}, { button: 'Send' })).rejects.toThrow('no button Send');
    await expect(browser.click('Help')).rejects.toThrow('no link Help');
    await expect(browser.get(`${ours.origin}/endless`)).rejects.toThrow('redirects');
  });
});
