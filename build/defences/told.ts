import type { Defence } from './defence.js';

/** What a letter or a date would tell by being there. */
export const told: readonly Defence[] = [
  {
    row: 17,
    what: 'no letter about rights goes to a mailbox by which somebody restricted has an account',
    file: 'src/sis/tell-rights-end.ts',
    find: 'where b.email = a.email',
    replacement: 'where false',
    test: 'test/sis/rights-end.test.ts',
    named: 'of two accounts',
  },
  {
    row: 17,
    what: 'no date says that a child of a protected family changed the school',
    file: 'src/families/entitlement.ts',
    find: 'case when s.confidential is not true then s.facts_loaded_at end',
    replacement: 's.facts_loaded_at',
    test: 'test/families/entitlement.test.ts',
    named: 'by a date',
  },
];
