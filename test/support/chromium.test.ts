import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accessibilityProblems, openChromium } from './chromium.js';
import type { Chromium } from './chromium.js';

const good = `<!doctype html><html lang="en"><head><title>Good</title></head>
  <body><main><h1>Good</h1><form><label for="a">Name</label><input id="a"></form><p id="said">as sent</p>
  <script>document.getElementById('said').textContent = 'by script'</script></main></body></html>`;
const mute = good.replace('Name', ' ');
const bad = '<!doctype html><html><head><title>Bad</title></head><body><img src="data:,"><input></body></html>';

describe('the real browser of the tests', () => {
  let server: Server;
  let origin = '';
  let chromium: Chromium;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const body = request.url === '/good' ? good : request.url === '/mute' ? mute : bad;
      response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': "script-src 'unsafe-inline'" });
      response.end(body.replace('Good<', `${request.headers['accept-language']}<`));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address !== null && typeof address === 'object') origin = `http://localhost:${address.port}`;
    chromium = await openChromium();
  });
  afterAll(async () => {
    await chromium.close();
    server.close();
  });

  it('speaks the language it is told to, at the width of a phone', async () => {
    const device = await chromium.device({ locale: 'es' });
    const page = await device.newPage();
    await page.goto(`${origin}/good`);
    expect(await page.title()).toContain('es');
    expect(await page.evaluate('innerWidth')).toBe(360);
    expect(await page.textContent('#said')).toBe('by script');
    await device.close();
  });

  it('runs no script when told so', async () => {
    const device = await chromium.device({ script: false });
    const page = await device.newPage();
    await page.goto(`${origin}/good`);
    expect(await page.textContent('#said')).toBe('as sent');
    await device.close();
  });

  it('finds what stands in the way of a reader, and nothing on a good page', async () => {
    const device = await chromium.device();
    const page = await device.newPage();
    await page.goto(`${origin}/good`);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.goto(`${origin}/mute`);
    expect((await accessibilityProblems(page)).join('\n')).toContain('label');
    await page.goto(`${origin}/bad`);
    const problems = (await accessibilityProblems(page)).join('\n');
    for (const rule of ['html-has-lang', 'image-alt', 'label']) expect(problems).toContain(rule);
    await device.close();
  });
});
