import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { openChromium } from '../test/support/chromium.js';

// Makes the pictures of the README from the product as a newcomer starts it: `npm run screenshots`. It needs the ports 3000 and
// 4001 to 4003.

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'docs', 'screenshots');
const issuer = 'http://localhost:3000';
const folder = mkdtempSync(join(tmpdir(), 'parent-access-screenshots-'));

async function ready(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const answers = await Promise.allSettled([fetch(`${issuer}/readyz`), fetch('http://localhost:4003/')]);
    if (answers.every((answer) => answer.status === 'fulfilled' && answer.value.ok)) return;
    await pause(200);
  }
  throw new Error('The server did not become ready.');
}

async function mailedLink(): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    const mails = (await (await fetch(`${issuer}/dev/mail.json?to=parent@example.org`)).json()) as Array<{
      text: string;
    }>;
    const link = /http:\S+\/activate\S+/.exec(mails[0]?.text ?? '')?.[0];
    if (link !== undefined) return link;
    await pause(100);
  }
  throw new Error('No mail came.');
}

async function journey(page: Page): Promise<void> {
  const shoot = async (name: string): Promise<void> => {
    // One dot for each CSS pixel, so that a reader of the README loads kilobytes.
    await page.screenshot({ path: join(out, `${name}.png`), scale: 'css' });
  };
  const press = async (selector = 'main button[type=submit]'): Promise<void> => {
    await Promise.all([page.waitForEvent('load'), page.locator(selector).first().click()]);
  };
  await page.goto('http://localhost:4001/login');
  await shoot('1-sign-in');
  await press('a[href^="/register"]');
  await page.fill('[name=email]', 'parent@example.org');
  await page.fill('[name=phone]', '(213) 555-0100');
  await shoot('2-register');
  await press();
  await shoot('3-waiting');
  await page.goto(await mailedLink());
  await press();
  await page.fill('[name=password]', 'a long way to school');
  await shoot('4-password');
  await press();
  await shoot('5-terms');
  await press('button[value=accept]');
  if (page.url().startsWith(issuer)) await press();
  await page.waitForURL('http://localhost:4001/**');
  await shoot('6-echoices');
  await page.goto(`${issuer}/`);
  await shoot('7-portal');
  await page.goto(`${issuer}/language?locale=es&return=/`);
  await shoot('8-portal-es');
}

const environment = { ...process.env, DATA_DIR: folder, ISSUER: issuer, PORT: '3000', LOG_LEVEL: 'error' };
const server = spawn(process.execPath, [...process.execArgv, join(root, 'src', 'main.ts'), 'serve'], {
  env: environment,
  stdio: 'inherit',
});
try {
  mkdirSync(out, { recursive: true });
  await ready();
  const chromium = await openChromium();
  const phone = await chromium.device({ width: 360, height: 720 });
  await journey(await phone.newPage());
  await chromium.close();
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => server.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}
