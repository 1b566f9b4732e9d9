import { raw } from '../test/attacks/raw.js';
import { send } from '../test/http/desk.js';
import { elementary } from '../test/provider/family.js';
import { everyCase, fuzzKinds, fuzzScene } from '../test/support/fuzz-cases.js';
import { startTestHouse, twoApps } from '../test/support/house.js';
import { share } from './house.js';
import type { Finding } from './house.js';

const bodies: ReadonlyArray<readonly [string, Record<string, string> | Buffer]> = [
  ['a field of 1 MB', { identifier: 'a'.repeat(2 ** 20), password: 'b', email: 'c', phone: 'd' }],
  ['a body of 10 MB', Buffer.alloc(10 * 2 ** 20, 'a=1&')],
  ['10,000 parameters', Buffer.from(Array.from({ length: 10_000 }, (_, index) => `p${index}=1`).join('&'))],
  [
    '15 KB of combining marks',
    { email: `a${'\u0301'.repeat(4_000)}@example.org`, phone: '1', identifier: '\u0301'.repeat(4_000) },
  ],
  ['15 KB that look like a phone', { email: 'a@example.org', phone: '(213) 555-'.repeat(1_400) }],
  ['15 KB that look like an address', { email: `${'a.'.repeat(7_000)}@${'b.'.repeat(500)}`, phone: '213 555 0100' }],
];
const paths = [
  '/register',
  '/recover',
  '/activate',
  '/register/code',
  '/interaction/x/login',
  '/token',
  '/par',
  '/nowhere',
];

/** Bad input: no answer over one second, whatever is sent where. */
export async function answerTimes(): Promise<Finding[]> {
  return [...(await largeInputs()), await fuzzCases()];
}

/** The seeded cases of `attacks/fuzz`, each request timed by itself. */
async function fuzzCases(): Promise<Finding> {
  const scene = await fuzzScene();
  try {
    const answers: Array<{ milliseconds: number; status: number; which: string }> = [];
    for (const kind of fuzzKinds) {
      await everyCase(kind, scene, async (request, number) => {
        const start = performance.now();
        const { status } = await raw(scene.house.issuer, request);
        const path = request.target.replace(/\?.*/s, '').replace(/(?<=interaction\/)[\w-]{20,}/, ':uid');
        const which = `case ${number} ${kind}: ${request.body === undefined ? 'GET' : 'POST'} ${path}`;
        answers.push({ milliseconds: performance.now() - start, status, which });
      });
    }
    const times = answers.map(({ milliseconds }) => milliseconds);
    const faults = answers.filter(({ status }) => status >= 500).length;
    const worst = answers.find(({ milliseconds }) => milliseconds === share(times, 1));
    return {
      name: `bad input: the seeded cases of \`attacks/fuzz\`, ${answers.length} requests`,
      bar: 'no 5xx, no answer over 1 s',
      measured: `${faults} 5xx; median ${share(times, 0.5).toFixed(1)} ms, p99 ${share(times, 0.99).toFixed(1)} ms, slowest ${share(times, 1).toFixed(1)} ms (${worst?.which})`,
      holds: answers.length > 0 && faults === 0 && share(times, 1) <= 1_000,
    };
  } finally {
    await scene.house.close();
  }
}

async function largeInputs(): Promise<Finding[]> {
  const house = await startTestHouse({ elementary, apps: twoApps });
  try {
    const findings: Finding[] = [];
    for (const [what, body] of bodies) {
      const times: number[] = [];
      let faults = 0;
      for (const path of paths) {
        for (let round = 0; round < 5; round += 1) {
          const start = performance.now();
          // Who is refused in the middle of sending may find the connection closed.
          const answer = await send(`${house.issuer}${path}`, body).catch(() => ({ status: 413 }));
          times.push(performance.now() - start);
          if (answer.status >= 500) faults += 1;
        }
      }
      findings.push({
        name: `bad input: ${what}, to ${paths.length} routes`,
        bar: 'no 5xx, no answer over 1 s',
        measured: `${faults} 5xx; median ${share(times, 0.5).toFixed(0)} ms, slowest ${share(times, 1).toFixed(0)} ms`,
        holds: faults === 0 && share(times, 1) <= 1_000,
      });
    }
    return findings;
  } finally {
    await house.close();
  }
}
