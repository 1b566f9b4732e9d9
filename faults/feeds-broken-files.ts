import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { layFeed } from './feed-house.js';
import type { FeedStage } from './feed-house.js';
import { planned } from './house.js';
import type { Finding } from './house.js';

const contacts = 4_000;

/** A way to spoil the bytes of a file. */
interface Spoilt {
  name: string;
  times: number;
  spoil(whole: Buffer): Buffer;
}

function lines(whole: Buffer): string[] {
  return whole.toString('utf8').trimEnd().split('\r\n');
}

const text = (all: readonly string[]): Buffer => Buffer.from(all.map((line) => `${line}\r\n`).join(''));

const ways: Spoilt[] = [
  {
    // At the end of a line it is what a day's file may be, until too many rows are missing: the next way.
    name: 'cut off at a random byte inside a line',
    times: planned(200),
    spoil(whole) {
      const at = randomInt(1, whole.length - 1);
      return whole.subarray(0, whole[at - 1] === 10 ? at + 1 : at);
    },
  },
  {
    name: 'cut off at the end of a random line, more than 5 % of the rows missing',
    times: planned(50),
    spoil(whole) {
      const all = lines(whole);
      return text(all.slice(0, 1 + randomInt(Math.floor(all.length * 0.93))));
    },
  },
  {
    name: '40 % of the rows missing, at random',
    times: planned(30),
    spoil(whole) {
      const [header = '', ...rows] = lines(whole);
      return text([header, ...rows.filter(() => randomInt(100) >= 40)]);
    },
  },
  {
    name: 'two columns changed places, one is renamed, or one is new',
    times: planned(30),
    spoil(whole) {
      const [header = '', ...rows] = lines(whole);
      const names = header.split(',');
      const at = randomInt(names.length - 1);
      const [one = '', other = ''] = names.slice(at, at + 2);
      const kinds = [
        [other, one],
        [`${one}_2`, other],
        [one, 'extra', other],
      ];
      names.splice(at, 2, ...(kinds[randomInt(3)] ?? []));
      return text([names.join(','), ...rows]);
    },
  },
  {
    name: 'the header alone, or nothing',
    times: planned(10),
    spoil: (whole) => whole.subarray(0, randomInt(2) * (whole.indexOf(10) + 1)),
  },
  {
    name: 'a random byte that is not UTF-8',
    times: planned(30),
    spoil(whole) {
      const bytes = Buffer.from(whole);
      bytes[randomInt(bytes.length - 2)] = 0xff;
      return bytes;
    },
  },
];

async function wrongFiles(scene: FeedStage, { name, times, spoil }: Spoilt): Promise<Finding> {
  const before = await scene.digest();
  const whole = readFileSync(scene.tomorrow);
  const states: Record<string, number> = {};
  let changed = 0;
  for (let each = 0; each < times; each += 1) {
    const path = scene.file('spoilt.csv', spoil(whole));
    const { state } = await scene.load(path, { again: true });
    states[state] = (states[state] ?? 0) + 1;
    if ((await scene.digest()) !== before) changed += 1;
  }
  const outcome = Object.entries(states).map(([state, count]) => `${count} ${state}`);
  return {
    name: `a file ${name} × ${times}`,
    bar: 'refused or held; no row changed',
    measured: `${outcome.join(', ')}; ${changed} times something changed`,
    holds: changed === 0,
  };
}

/** Files that arrive broken: each leaves what stands, and the whole one goes through after it. */
export async function feedsBrokenFiles(): Promise<Finding[]> {
  const scene = await layFeed(contacts);
  try {
    const found: Finding[] = [];
    for (const way of ways) found.push(await wrongFiles(scene, way));
    const first = await scene.load(scene.tomorrow, { again: true });
    const after = await scene.digest();
    const twice = await scene.load(scene.tomorrow);
    found.push({
      name: 'the whole file after all of these, and once more',
      bar: 'applied, then unchanged',
      measured: `${first.state} (${first.counts.applied} rows), then ${twice.state}`,
      holds: first.state === 'applied' && twice.state === 'unchanged' && (await scene.digest()) === after,
    });
    return found;
  } finally {
    await scene.close();
  }
}
