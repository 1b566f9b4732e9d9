import type { Defence } from './defence.js';

/** What a command does of what an operator meant, and what a stranger's report makes of the reader. */
export const operators: readonly Defence[] = [
  {
    row: 15,
    what: 'no command takes the other account on a mailbox of two',
    file: 'src/accounts/standing.ts',
    find: 'if (accounts.length < 2) return;',
    replacement: 'if (accounts.length < 3) return;',
    test: 'test/command-line/contacts.test.ts',
    named: 'two accounts have',
  },
  {
    row: 17,
    what: 'a decision on a run that is asked for as a plan is not carried out',
    file: 'src/desk/imports.ts',
    find: 'if (more.length > 0 || Object.keys(others).length > 0)',
    replacement: 'if (more.length > 9)',
    test: 'test/command-line/import-decisions.test.ts',
    named: 'in words',
  },
  {
    row: 17,
    what: 'a contact that is spelt wrong is not one whom nothing holds',
    file: 'src/desk/holds.ts',
    find: 'if (values.contact !== undefined) await',
    replacement: "if (values.contact === 'nobody') await",
    test: 'test/command-line/holds.test.ts',
    named: 'lists what an order',
  },
  {
    row: 21,
    what: 'a forged report with an id that no database takes breaks nothing',
    file: 'src/sis/invitations/bounce-report.ts',
    find: '/^<[\\x21-\\x7e]{1,320}>$/',
    replacement: '/^[^]*$/',
    test: 'test/sis/bounce-report.test.ts',
    named: 'an id',
  },
];
