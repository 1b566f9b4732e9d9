import { spawnSync } from 'node:child_process';
import type { Finding } from './house.js';

/** The suite of six kinds of end that meet a code and a refresh in flight, fifty times each: `npm test` runs a few of them. */
export async function endsInFlight(): Promise<Finding[]> {
  const { status } = spawnSync('npm', ['test', '--', 'test/provider/races-in-flight.test.ts'], {
    env: { ...process.env, RACE_ROUNDS: '50' },
    stdio: 'ignore',
  });
  return [
    {
      name: 'six kinds of end meet a code and a refresh in flight',
      bar: 'nothing works afterwards, no 5xx, 50 of 50 each',
      measured: status === 0 ? '50 of 50 each' : 'not so: npm test -- test/provider/races-in-flight tells where',
      holds: status === 0,
    },
  ];
}
