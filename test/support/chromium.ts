import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';
import { oncePerRun } from './once-per-run.js';

export interface DeviceOptions {
  /** BCP 47; `en-US` unless told otherwise. */
  locale?: string;
  /** False: the browser runs no script at all. */
  script?: boolean;
  /** CSS pixels; a small phone, 360 × 740, unless told otherwise. */
  width?: number;
  height?: number;
}

export interface Chromium {
  /** A browser of its own: no cookies shared with any other. Closed together with Chromium at the latest. */
  device(options?: DeviceOptions): Promise<BrowserContext>;
  close(): Promise<void>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--disable-features=Translate,OptimizationHints',
  '--font-render-hinting=none',
  '--hide-scrollbars',
  '--no-default-browser-check',
  '--no-first-run',
  '--no-pings',
];

/** Unpacks the packaged Chromium and its font in a process of its own, which takes its folder from TMPDIR. */
async function unpack(folder: string): Promise<string> {
  const program = "process.stdout.write(await (await import('@sparticuz/chromium')).default.executablePath())";
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    env: { ...process.env, TMPDIR: folder },
  });
  return stdout;
}

/** The machine's fonts and the packaged one: where a machine has none at all, Chromium would break down at the first word. */
function fontsOf(folder: string): string {
  return `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
    <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
    <dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>`;
}

async function unpackedOnce(folder: string): Promise<string> {
  const said = join(folder, 'path');
  await oncePerRun(folder, async () => {
    const path = await unpack(folder);
    writeFileSync(join(folder, 'fonts.conf'), fontsOf(folder));
    writeFileSync(said, path);
  });
  return readFileSync(said, 'utf8');
}

/**
 * A real headless Chromium: that of `CHROMIUM_PATH`, else the one that comes in the npm package.
 *
 * @throws when it does not start, saying what the machine lacks
 */
export async function openChromium(): Promise<Chromium> {
  const own =
    process.env['TEST_RUN_FOLDER'] === undefined ? mkdtempSync(join(tmpdir(), 'parent-access-browser-')) : null;
  const folder = join(process.env['TEST_RUN_FOLDER'] ?? own ?? tmpdir(), 'chromium');
  const given = process.env['CHROMIUM_PATH'];
  const isGiven = given !== undefined && given !== '';
  const executablePath = isGiven ? given : await unpackedOnce(folder);
  const env = { ...process.env, ...(isGiven ? {} : { FONTCONFIG_FILE: join(folder, 'fonts.conf') }) };
  const browser = await chromium
    .launch({ executablePath, headless: true, args: flags, env })
    .catch((cause: unknown) => {
      if (own !== null) rmSync(own, { recursive: true, force: true });
      const advice = 'Chromium does not start here; it needs libnss3 (apt-get install libnss3), or set CHROMIUM_PATH.';
      throw new Error(advice, { cause });
    });
  return {
    device: ({ locale = 'en-US', script = true, width = 360, height = 740 } = {}) =>
      browser.newContext({ locale, javaScriptEnabled: script, viewport: { width, height }, deviceScaleFactor: 2 }),
    async close() {
      await browser.close();
      if (own !== null) rmSync(own, { recursive: true, force: true });
    },
  };
}

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/**
 * All of a page that a rule may go by: two pages with one skeleton differ in their words, addresses and secrets alone. What
 * a rule asks of those is whether there are any, so that stays; noscript has elements only where no script runs.
 */
const skeletonOf = `(() => {
  const words = new Set(['href', 'action', 'value', 'content', 'title', 'alt', 'placeholder', 'aria-label', 'src', 'nonce']);
  const told = (text) => (text.trim() === '' ? '' : '…');
  const attribute = ({ name, value }) =>
    name + '=' + (name === 'lang' ? value.replace(/^e[ns]$/, '…') : words.has(name) ? value.slice(0, value[0] === '#' ? 40 : 0) + told(value) : value);
  const walk = (node) =>
    node.nodeType === 3
      ? told(node.data)
      : node.nodeType !== 1
        ? ''
        : node === document.activeElement
          ? '<*' + inside(node)
          : '<' + inside(node);
  const inside = (node) =>
    node.localName + [...node.attributes].map((one) => ' ' + attribute(one)).join('') + '>' + [...node.childNodes].map(walk).join('') + '/';
  return [innerWidth, document.querySelectorAll('noscript *').length, walk(document.documentElement)].join(' ');
})()`;

/** Skeletons in which this suite found nothing. */
const clean = new Set<string>();

/**
 * What stands between the page shown and WCAG 2.2 AA, a line for each place; empty when axe-core finds nothing. A page that
 * differs in nothing but its words from one that was clean is not searched again.
 */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const skeleton = await page.evaluate<string>(skeletonOf);
  if (clean.has(skeleton)) return [];
  const { violations } = await new AxeBuilder({ page })
    .options({ runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'] })
    // Our pages have no frames: without this a second page is opened for each, to put frames together.
    .setLegacyMode()
    .analyze();
  if (violations.length === 0) clean.add(skeleton);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help} — ${node.html} — ${node.failureSummary?.replaceAll(/\s+/g, ' ') ?? ''}`),
  );
}
