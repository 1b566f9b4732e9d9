import type { Defence } from './defence.js';

const heldDeltas = 'test/sis/held-deltas.test.ts';

/** What waits for people until they decide, or until a row can be taken. */
export const waiting: readonly Defence[] = [
  {
    row: 17,
    what: 'a restriction in a held file waits, whatever delta comes after it',
    file: 'src/sis/runs.ts',
    find: " and r.kind = 'bulk'",
    replacement: '',
    test: heldDeltas,
    named: 'whatever delta',
  },
  {
    row: 17,
    what: 'a whole file puts nothing aside that came after it',
    file: 'src/sis/runs.ts',
    find: ' and h.no < r.no',
    replacement: '',
    test: heldDeltas,
    named: 'none from before',
  },
  {
    row: 17,
    what: 'a held file is not approved over what a later one said',
    file: 'src/sis/decide.ts',
    find: '    await refuseOvertaken(db, run);\n',
    replacement: '',
    test: heldDeltas,
    named: 'whatever delta',
  },
  {
    row: 17,
    what: 'a held file is not approved over one that said again what stands, which would be known ever after',
    file: 'src/sis/decide.ts',
    find: "'applied', 'unchanged', 'rolled_back'",
    replacement: "'applied', 'rolled_back'",
    test: heldDeltas,
    named: 'said again what stands',
  },
  {
    row: 17,
    what: 'a held file is not approved over a roll back, also where the process of an approval was killed after it',
    file: 'src/sis/lease.ts',
    find: 'finished_at = coalesce(finished_at, ${now})',
    replacement: 'finished_at = ${now}',
    test: heldDeltas,
    named: 'approval was killed meanwhile',
  },
  {
    row: 17,
    what: 'administrators are told of a file at which the import breaks off',
    file: 'src/sis/tell-held.ts',
    find: "state = 'refused' or state = 'failed' and",
    replacement: "state = 'refused' or false and",
    test: 'test/sis/tell-held.test.ts',
    named: 'import broke off',
  },
  {
    row: 17,
    what: 'administrators are told each day of a file that is refused each hour',
    file: 'src/sis/tell-held.ts',
    find: 'and told_at > ${since}',
    replacement: '',
    test: 'test/sis/tell-held.test.ts',
    named: 'refused each hour',
  },
  {
    row: 17,
    what: 'a restriction counts in a row that cannot be taken, of whom nothing was known there before',
    file: 'src/sis/restrictions.ts',
    find: '  await placeUnknown(trx, scope);\n',
    replacement: '',
    test: 'test/sis/never-lost.test.ts',
    named: 'was not known there before',
  },
];
