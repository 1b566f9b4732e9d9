import type { Defence } from './defence.js';

const file = 'src/sis/checks.ts';
const test = 'test/sis/mass-changes.test.ts';

/** What has a file wait for people that says something else of many at once: row 17, and of students' addresses row 15. */
export const massChanges: readonly Defence[] = [
  {
    row: 17,
    what: 'many restrictions lifted, rights granted or given back, protections ended or addresses moved at once wait for people',
    file,
    find: '    ...(await turnedFindings(trx, scope, checks)),\n',
    replacement: '',
    test,
  },
  {
    row: 17,
    what: 'many end dates lost at once wait for people',
    file,
    find: 'and coalesce(w.end_date >= ${today}::date, true))::int',
    replacement: 'and false)::int',
    test,
    named: 'ended by its date',
  },
  {
    row: 17,
    what: 'many refused pickups granted at once wait for people',
    file,
    find: 'not w.gone and w.pickup_ok)',
    replacement: 'false)',
    test,
    named: 'pick up whom',
  },
  {
    row: 17,
    what: 'many rights that are gone at once wait for people',
    file,
    find: '(not ${right(comes)}',
    replacement: '(false',
    test,
    named: 'takes rights from many',
  },
  {
    row: 17,
    what: 'many children who are adults at once wait for people',
    file,
    find: 'f.eligible_students) < ${today}::date)::int',
    replacement: 'f.eligible_students) is null)::int',
    test,
    named: 'many students adults',
  },
  {
    row: 15,
    what: 'many addresses of students forgotten at once wait for people',
    file,
    find: 'w.student_email is distinct from s.email_normal',
    replacement: 'false',
    test,
    named: 'addresses of students',
  },
];
