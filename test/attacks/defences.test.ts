import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { allDefences as all } from '../../build/defences/all.js';

const root = new URL('../../', import.meta.url);
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
