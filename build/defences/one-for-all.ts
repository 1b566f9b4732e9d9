import type { Defence } from './defence.js';

const oneForAll = 'test/attacks/row-21-one-for-all.test.ts';

/** One thing that stands on thousands of rows is held against itself once. */
export const oneForAllDefences: readonly Defence[] = [
  {
    row: 21,
    what: 'one id of a child on thousands of rows keeps no import busy',
    file: 'src/sis/student-ids.ts',
    find: "      select student_id from said where name <> '' and birth_date is not null\n      group by student_id having min(birth_date) <> max(birth_date) and min(name) <> max(name))`",
    replacement:
      "      select a.student_id from said a join said b on b.student_id = a.student_id and a.birth_date <> b.birth_date\n        where regexp_replace(regexp_replace(lower(normalize(a.name, NFKD)), '[x_]', '', 'g'), '(y|z)+$', '', 'g') <> regexp_replace(regexp_replace(lower(normalize(b.name, NFKD)), '[x_]', '', 'g'), '(y|z)+$', '', 'g'))`",
    test: oneForAll,
    named: 'one id of a child',
  },
  {
    row: 21,
    what: 'one id of a contact on thousands of rows keeps no import busy',
    file: 'src/sis/identities.ts',
    find: 'and not v.many',
    replacement: '',
    test: oneForAll,
    named: 'one id of a contact',
  },
  {
    row: 21,
    what: 'one name and mailbox on thousands of contacts keeps no import busy where their ids are new',
    file: 'src/sis/identities.ts',
    find: 'join contacts o on o.id = first.contact_id\n      where o.email',
    replacement: 'cross join contacts o\n      where o.email',
    test: oneForAll,
    named: 'all ids are new',
  },
];
