import { randomInt } from 'node:crypto';
import { account } from '../test/accounts/people.js';
import { row } from '../test/sis/extract.js';
import { openBrowser } from '../test/support/browser.js';
import type { Browser } from '../test/support/browser.js';
import { startTestHouse } from '../test/support/house.js';
import type { TestHouse } from '../test/support/house.js';
import { share } from './house.js';
import type { Finding } from './house.js';

const people = 500;
const phone = '(213) 555-0100';

/** The chance that a known person's answer took longer than an unknown one's: 0.5 tells nothing (Mann–Whitney). */
function areaUnderCurve(known: readonly number[], unknown: readonly number[]): number {
  let above = 0;
  for (const a of known) for (const b of unknown) above += a > b ? 1 : a === b ? 0.5 : 0;
  return above / (known.length * unknown.length);
}

/** Whose address is asked, in random order, so that what the machine does meanwhile falls on both alike. */
function interleaved(): Array<{ address: string; known: boolean }> {
  const all = Array.from({ length: people }, (_, index) => [
    { address: `known${index}@example.org`, known: true },
    { address: `other${index}@example.net`, known: false },
  ]).flat();
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [all[at], all[other]] = [all[other] ?? { address: '', known: false }, all[at] ?? { address: '', known: false }];
  }
  return all;
}

async function accounts(house: TestHouse): Promise<void> {
  const hash = await house.house.hasher.hash('a long way to school');
  for (let index = 0; index < people; index += 1)
    await account(house.db, { email: `known${index}@example.org`, password_hash: hash });
}

type Ask = (browser: Browser, house: TestHouse, address: string) => Promise<{ milliseconds: number; answer: string }>;

async function timed(send: () => Promise<{ status: number; body: string }>) {
  const start = performance.now();
  const { status, body } = await send();
  return {
    milliseconds: performance.now() - start,
    answer: `${status} ${body.replaceAll(/\S+@\S+|value="[^"]*"/g, '')}`,
  };
}

const signIn: Ask = async (browser, _house, identifier) =>
  timed(() => browser.submit({ identifier, password: 'not the way to school' }));
const register: Ask = async (browser, house, email) => {
  await browser.get(`${house.issuer}/register`);
  return timed(() => browser.submit({ email, phone }, { follow: false }));
};
const recover: Ask = async (browser, house, identifier) => {
  await browser.get(`${house.issuer}/recover`);
  return timed(() => browser.submit({ identifier }, { follow: false }));
};
const enterCode: Ask = async (browser, house) => {
  await browser.get(`${house.issuer}/register/sent`);
  return timed(() => browser.submit({ code: '000000' }, { form: 'form[action^="/register/code"]', follow: false }));
};
/** The next answer of a browser whose request is decided meanwhile. */
const after =
  (first: Ask, next: Ask): Ask =>
  async (...asked) => {
    await first(...asked);
    return next(...asked);
  };

async function measure(house: TestHouse, name: string, ask: Ask): Promise<Finding> {
  const browser = openBrowser();
  await browser.get(`${house.issuer}/sign-in`);
  const times = { known: [] as number[], unknown: [] as number[] };
  const answers = { known: new Set<string>(), unknown: new Set<string>() };
  for (const { address, known } of interleaved()) {
    const { milliseconds, answer } = await ask(browser, house, address);
    times[known ? 'known' : 'unknown'].push(milliseconds);
    answers[known ? 'known' : 'unknown'].add(answer);
  }
  const area = areaUnderCurve(times.known, times.unknown);
  const separable = Math.max(area, 1 - area);
  const same = [...answers.known].every((answer) => answers.unknown.has(answer));
  return {
    name: `row 11: ${name}, ${people} known and ${people} unknown`,
    bar: 'same answer; AUC < 0.55',
    measured: `${same ? 'same answers' : 'answers differ'}; AUC ${separable.toFixed(3)}; median ${share(times.known, 0.5).toFixed(1)} ms known, ${share(times.unknown, 0.5).toFixed(1)} ms unknown`,
    holds: same && separable < 0.55,
  };
}

/** Row 11: whether the time or the words of an answer tell who has an account, or whom a school knows. */
export async function enumeration(): Promise<Finding[]> {
  const house = await startTestHouse({
    environment: { THROTTLE_SCALE: '100000' },
    elementary: Array.from({ length: people }, (_, index) =>
      row(`Child${index}`, `Known${index}`, { ed_rights: 'yes', contact_id: `K${index}`, phone1: phone }),
    ),
  });
  try {
    const found = [
      await measure(house, 'registration', register),
      await measure(house, 'a code tried right after a registration', after(register, enterCode)),
      await measure(house, 'a registration right after another', after(register, register)),
    ];
    await accounts(house);
    return [
      await measure(house, 'sign-in', signIn),
      ...found,
      await measure(house, 'recovery', recover),
      await measure(house, 'a recovery right after another', after(recover, recover)),
    ];
  } finally {
    await house.close();
  }
}
