import type { Defence } from './defence.js';

/** An account's own mailbox tells who somebody is, where a SIS has another one by now. */
export const ownMailbox: readonly Defence[] = [
  {
    row: 17,
    what: 'an order reaches an account by its own mailbox, whatever the SIS has in its place by now',
    file: 'src/sis/restrictions.ts',
    find: 'where a.email = o.email and c.name_key',
    replacement: 'where false and c.name_key',
    test: 'test/sis/never-lost.test.ts',
    named: 'the account by its own',
  },
  {
    row: 17,
    what: 'an order reaches from an account to who has its own mailbox in the other SIS',
    file: 'src/sis/restrictions.ts',
    find: 'where p.contact_id = o.contact_id and c.name_key',
    replacement: 'where false and c.name_key',
    test: 'test/sis/never-lost.test.ts',
    named: 'from the account, of whom',
  },
  {
    row: 18,
    what: 'an ended session answers for no owner which mailbox the account uses, where its answer waited for the new password',
    file: 'src/accounts/change-address.ts',
    find: 'if (!(await holdLiveSession(trx, session))) return null;',
    replacement:
      "await trx.selectFrom('accounts').select('id').where('id', '=', accountId).forNoKeyUpdate().execute();",
    test: 'test/accounts/change-address.test.ts',
    named: 'over meanwhile',
  },
];
