import type { Defence } from './defence.js';

const corrected = 'test/attacks/row-15-corrected.test.ts';
const addresses = 'test/accounts/change-address.test.ts';
const activation = 'src/accounts/activate.ts';

/** What the schools' word changes while something waits for a person, and what no file, however it is written, takes from it. */
export const schoolWord: readonly Defence[] = [
  {
    row: 15,
    what: 'a letter proves the address that it went to, and no other',
    file: activation,
    find: "    .where('email', '=', email)\n    .executeTakeFirst();\n  if (contact",
    replacement: '    .executeTakeFirst();\n  if (contact',
    test: corrected,
    named: 'not the contact’s any more',
  },
  {
    row: 15,
    what: 'an address that is a student’s by now makes no account',
    file: activation,
    find: 'if (await isStudentAddress(trx, contact.email, studentDomains)) return false;',
    replacement: 'if (studentDomains.includes(timeZone)) return false;',
    test: corrected,
    named: 'a student’s',
  },
  {
    row: 15,
    what: 'an address that is of two people by now makes no account',
    file: activation,
    find: ' && nameKey === own?.nameKey',
    replacement: '',
    test: corrected,
    named: 'of two people',
  },
  {
    row: 18,
    what: 'a recovery that is decided while the address changes leaves no link in the earlier mailbox',
    file: 'src/accounts/decide-recovery.ts',
    find: ".where('id', '=', found.id).forShare()",
    replacement: ".where('id', '=', found.id)",
    test: addresses,
    named: 'decided at this moment',
  },
  {
    row: 7,
    what: 'one question that two tabs answer at once is answered once',
    file: 'src/accounts/change-address.ts',
    find: "    await trx.selectFrom('accounts').select('id').where('id', '=', accountId).forNoKeyUpdate().execute();\n",
    replacement: '',
    test: addresses,
    named: 'two tabs at once',
  },
];
