import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { doors } from '../../build/defences/doors.js';
import { endings } from '../../build/defences/endings.js';
import { joins } from '../../build/defences/joins.js';
import { leftBehind } from '../../build/defences/left-behind.js';
import { people } from '../../build/defences/people.js';
import { protocol } from '../../build/defences/protocol.js';
import { baselineDefences } from '../../build/defences/baseline.js';
import { schoolWord } from '../../build/defences/school-word.js';
import { trust } from '../../build/defences/trust.js';

const root = new URL('../../', import.meta.url);
const all = [
  ...protocol,
  ...people,
  ...joins,
  ...doors,
  ...leftBehind,
  ...endings,
  ...trust,
  ...baselineDefences,
  ...schoolWord,
];
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

/** `npm run defences` takes minutes, so code moves away under it: here is seen at every change that it can still be run. */
describe('what `npm run defences` takes out', () => {
  it('stands where it is said to stand, once', () => {
    const astray = all.filter(({ file, find }) => read(file).split(find).length !== 2);
    expect(astray.map(({ row, what, file }) => `${row} ${what}: ${file}`)).toEqual([]);
  });

  it('stands in the table of docs/defences.md, and failed there as it must', () => {
    const table = read('docs/defences.md').split('\n');
    const missing = all.filter(
      ({ row, what }) => !table.some((line) => line.startsWith(`| ${row} | ${what} | `) && line.includes('| yes, ')),
    );
    expect(missing.map(({ row, what }) => `${row} ${what}`)).toEqual([]);
  });
});
