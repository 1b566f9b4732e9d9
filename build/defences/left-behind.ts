import type { Defence } from './defence.js';

const history = 'test/browser/history.test.ts';
const unfinished = 'test/attacks/row-18-unfinished.test.ts';
const requests = 'test/http/request-throttles.test.ts';

/** What is left behind: in a browser, in a mailbox, in a folder. */
export const leftBehind: readonly Defence[] = [
  {
    row: 7,
    what: 'a proof goes on as whose it is',
    file: 'interactions/finish.ts',
    find: 'if (session !== null && session.accountId !== accountId) await interactions.end(ctx);',
    replacement: '',
    test: 'test/attacks/row-07-interactions.test.ts',
    named: 'a recovery where',
  },
  {
    row: 8,
    what: 'the language of an account is chosen on our own pages',
    file: 'src/portal/routes.ts',
    find: "if (ctx.get('Sec-Fetch-Site') === 'same-origin') ",
    replacement: '',
    test: 'test/http/language.test.ts',
    named: 'from elsewhere',
  },
  {
    row: 13,
    what: 'the history keeps no form that was sent',
    file: 'src/ui/reply.ts',
    find: "answersForm: ctx.method === 'POST',",
    replacement: 'answersForm: false,',
    test: history,
    named: 'password again',
  },
  {
    row: 13,
    what: 'other tabs hear that somebody is done',
    file: 'interactions/done/page.tsx',
    find: ' isDone>',
    replacement: '>',
    test: history,
    named: 'other tabs',
  },
  {
    row: 13,
    what: 'a known device has recoveries of its own',
    file: 'interactions/recover/routes.ts',
    find: 'return await address.spend(`${who} known`);',
    replacement: 'return await address.spend(who);',
    test: requests,
    named: 'to recover are left',
  },
  {
    row: 14,
    what: 'of requests at once one is good',
    file: 'src/accounts/requests.ts',
    find: '0))`.execute(',
    replacement: '0)) where false`.execute(',
    test: requests,
    named: 'of one browser',
  },
  {
    row: 18,
    what: 'a recovery that waits ends with a change',
    file: 'src/accounts/change-password.ts',
    find: 'await endRecoveries(trx, clock, accountId);',
    replacement: '',
    test: unfinished,
    named: 'over after a change of the password$',
  },
  {
    row: 18,
    what: 'a recovery that waits ends with another',
    file: 'src/accounts/recover.ts',
    find: 'await endRecoveries(trx, clock, accountId);',
    replacement: '',
    test: unfinished,
    named: 'over after another recovery',
  },
  {
    row: 20,
    what: 'the control socket is its owner’s',
    file: 'src/control.ts',
    find: 'process.umask(0o177)',
    replacement: 'process.umask(0)',
    test: 'test/command-line/control-socket.test.ts',
  },
  {
    row: 20,
    what: 'the embedded database is its owner’s',
    file: 'src/database/pglite.ts',
    find: 'chmodSync(place, 0o700);',
    replacement: '',
    test: 'test/database/pglite.test.ts',
  },
];
