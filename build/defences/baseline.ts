import type { Defence } from './defence.js';

const baseline = 'test/sis/baseline.test.ts';
const sequences = 'test/sis/baseline-sequences.test.ts';

/** What keeps a file of which only the changed rows are read from missing one that counts. */
export const baselineDefences: readonly Defence[] = [
  {
    row: 17,
    what: 'a family of which a row differs is read whole',
    file: 'src/sis/sift.ts',
    find: 'students.has(now.student(row)) || contacts.has(now.contact(row))',
    replacement: 'false',
    test: sequences,
    named: 'as if all were',
  },
  {
    row: 17,
    what: 'of a row that is gone the family is looked at',
    file: 'src/sis/sift.ts',
    find: 'if (found[row] === 0) touch(before, row);',
    replacement: 'continue;',
    test: sequences,
    named: 'as if all were',
  },
  {
    row: 17,
    what: 'rows in another order are read again',
    file: 'src/sis/sift.ts',
    find: ' || at < last',
    replacement: '',
    test: 'test/sis/sift.test.ts',
    named: 'another order',
  },
  {
    row: 17,
    what: 'rows that restrict somebody are read every time',
    file: 'src/sis/baseline.ts',
    find: ' or restricted)',
    replacement: ')',
    test: baseline,
    named: 'every time',
  },
  {
    row: 17,
    what: 'after a roll back everything is compared',
    file: 'src/sis/roll-back.ts',
    find: '      await dropBaseline(trx, sisOf(run.feed));\n',
    replacement: '',
    test: baseline,
    named: 'a roll back, a week',
  },
  {
    row: 17,
    what: 'everything is compared once a week',
    file: 'src/sis/baseline.ts',
    find: 'now.getTime() - before.comparedAt.getTime() < wholeAfter',
    replacement: 'true',
    test: baseline,
    named: 'a roll back, a week',
  },
];
