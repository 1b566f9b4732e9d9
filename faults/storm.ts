import { openBrowser } from '../test/support/browser.js';
import type { Browser } from '../test/support/browser.js';
import { peakMemory, share } from './house.js';
import type { Finding } from './house.js';
import { parents, password } from './parents.js';
import { layStage } from './program.js';

/** MB that one process may hold at the height of a storm. */
const memoryCap = 512;

async function wave(issuer: string, identifier: string, size: number, pid: number): Promise<Finding> {
  const browsers: Browser[] = [];
  for (let index = 0; index < size; index += 1) {
    const browser = openBrowser();
    await browser.get(`${issuer}/sign-in`);
    browsers.push(browser);
  }
  const answers = await Promise.all(
    browsers.map(async (browser) => {
      const start = performance.now();
      const { status, headers } = await browser.submit({ identifier, password }, { follow: false });
      return { status, retry: headers['retry-after'], milliseconds: performance.now() - start };
    }),
  );
  const done = answers.filter(({ status }) => status === 302 || status === 303);
  const later = answers.filter(({ status, retry }) => status === 503 && retry !== undefined);
  const memory = peakMemory(pid);
  return {
    name: `row 22: ${size} sign-ins at the same instant`,
    bar: `each is signed in, or told 503 with Retry-After; memory ≤ ${memoryCap} MB`,
    measured: `${done.length} signed in (median ${Math.round(
      share(
        done.map(({ milliseconds }) => milliseconds),
        0.5,
      ),
    )} ms, last ${Math.round(
      share(
        done.map(({ milliseconds }) => milliseconds),
        1,
      ),
    )} ms), ${later.length} told 503, ${size - done.length - later.length} else; peak ${memory} MB`,
    holds: done.length + later.length === size && done.length > 0 && memory <= memoryCap,
  };
}

/** Row 22: the real program on PostgreSQL, and more people at the same instant than it can serve. */
export async function storm(): Promise<Finding[]> {
  const stage = await layStage([], { THROTTLE_SCALE: '100000' });
  try {
    const [email = ''] = await parents(stage.database.db, 1);
    const { pid } = await stage.start();
    return [await wave(stage.issuer, email, 200, pid), await wave(stage.issuer, email, 600, pid)];
  } finally {
    await stage.close();
  }
}
