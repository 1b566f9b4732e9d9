import type { Defence } from './defence.js';

const rule = 'test/sis/joins-after-import.test.ts';
const evidence = 'src/families/join-evidence.ts';

/** What keeps a contact from coming to the wrong account: rows 15 and 17. */
export const joins: readonly Defence[] = [
  {
    row: 15,
    what: 'an import joins nobody where somebody is restricted',
    file: evidence,
    find: "    [facts.restricted, 'somebody_restricted'],\n",
    replacement: '',
    test: rule,
    named: 'nor by staff',
  },
  {
    row: 15,
    what: 'a restriction follows the person to what the new contact alone has',
    file: evidence,
    find: 'union select id from (${sameAs(sql`mine`)}) kin',
    replacement: '',
    test: rule,
    named: 'only the new contact has',
  },
  {
    row: 15,
    what: 'a registration joins nothing to an account that is suspended or closed',
    file: 'src/accounts/decide-registration.ts',
    find: '(await accountExists(trx, accountId))\n',
    replacement: 'true\n',
    test: 'test/accounts/decide-registration.test.ts',
    named: 'nothing joins',
  },
  {
    row: 15,
    what: 'an import joins nobody without an explicit right, or with a pair that others have',
    file: evidence,
    find: '.filter(([stands]) => stands)',
    replacement: '.filter(([stands, obstacle]) => stands && !/^(rights|pair)/.test(obstacle))',
    test: rule,
    named: 'unknown rights|moves off',
  },
  {
    row: 15,
    what: 'an import joins nobody within one SIS',
    file: evidence,
    find: "    [facts.same_sis, 'same_sis'],\n",
    replacement: '',
    test: rule,
    named: 'never within one SIS',
  },
  {
    row: 15,
    what: 'staff accept nobody who is restricted',
    file: 'src/accounts/join-proposals.ts',
    find: "  if (evidence.personRestricted) return 'restricted';\n",
    replacement: '',
    test: rule,
    named: 'nor by staff',
  },
  {
    row: 15,
    what: 'what staff undid does not join again',
    file: 'src/families/joins.ts',
    find: 'if (refused.has(contactId) || ',
    replacement: 'if (',
    test: rule,
    named: 'keeps what was undone',
  },
  {
    row: 15,
    what: 'what joined by a run is taken back with it',
    file: 'src/sis/roll-back.ts',
    find: '      await takeBackJoins(trx, audit, { ...run, id: runId });\n',
    replacement: '',
    test: rule,
    named: 'takes back with a run',
  },
  {
    row: 15,
    what: 'what joined by a right, a lifted restriction or a loss of a run is taken back with it',
    file: 'src/sis/join-after.ts',
    find: 'where ${near ?? sql`true`}\n    )\n    delete',
    replacement:
      "where q.contact_id in (select row_id from feed_run_images where run_no = ${run.no} and kind = 'contact')\n    )\n    delete",
    test: rule,
    named: 'a right that it gave|that it lifted|whom it lost',
  },
  {
    row: 17,
    what: 'an undone contact ends the tokens that could fetch its children',
    file: 'src/accounts/join-decisions.ts',
    find: '    await endChildTokens(trx, [pair.accountId]);\n',
    replacement: '',
    test: 'test/journeys/joined/journey.test.ts',
    named: 'both children|undone by staff',
  },
];
