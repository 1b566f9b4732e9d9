import type { Defence } from './defence.js';

const heldBack = 'test/attacks/row-18-held-back.test.ts';

const revocation = 'test/attacks/row-18-revocation.test.ts';

/** What a bad network brings after its person is gone. */
export const heldBackDefences: readonly Defence[] = [
  {
    row: 18,
    what: 'a session whose cookie is on its way yet ends with the browser’s own, or with “I am done” in none',
    file: 'src/provider/opened-here.ts',
    find: "if (this.accountId === undefined && typeof finishedAs === 'string')",
    replacement: "if (this.uid === '' && typeof finishedAs === 'string')",
    test: heldBack,
    named: 'opens nothing',
  },
  {
    row: 18,
    what: 'a sign-in that did not go on yet ends where its person is done in the browser, and in no session there',
    file: 'src/provider/opened-here.ts',
    find: "waiting?.result?.['finishedAs'] === each.finishedAs",
    replacement: "waiting?.result?.['finishedAs'] === ''",
    test: heldBack,
    named: 'by the request for it',
  },
  {
    row: 18,
    what: 'a proof whose answer is on its way yet ends where its person signs out',
    file: 'src/end-session.ts',
    find: "if (accountId !== undefined && !('app' in target || 'grant' in target))",
    replacement: "if (accountId === '')",
    test: heldBack,
    named: 'of a recovery',
  },
  {
    row: 18,
    what: 'a link or code whose answer is on its way yet ends where somebody signs in or out in that browser',
    file: 'interactions/left-unfinished.ts',
    find: 'await endClaims(db, clock, browser);',
    replacement: '',
    test: heldBack,
    named: 'choose a password|nor by a code',
  },
  {
    row: 18,
    what: 'a link whose answer is on its way yet ends with “I am done” in no session too',
    file: 'interactions/shared-computer.ts',
    find: 'await forgetUnfinished(ctx, parts);',
    replacement: '',
    test: heldBack,
    named: 'done in no session',
  },
  {
    row: 18,
    what: 'a proof whose answer is on its way yet ends where somebody signs in, or is done in no session, in that browser',
    file: 'interactions/left-unfinished.ts',
    find: 'await endProofsIn(db, clock, browser);',
    replacement: '',
    test: heldBack,
    named: 'in no session$|somebody else who signed in',
  },
  {
    row: 18,
    what: 'a link that was pressed ends with a sign-out that an app asks for in no session too',
    file: 'interactions/sign-out/last-sign-out.ts',
    find: 'if (revocation === null) forgetSignOut(ctx, parts.cookies);',
    replacement: 'if (revocation === null) return forgetSignOut(ctx, parts.cookies);',
    test: heldBack,
    named: 'that an app asks for',
  },
  {
    row: 18,
    what: 'a copy of a session’s cookie gets no lasting one in the moment after a new password',
    file: 'src/sessions/session-store.ts',
    find: '(proven || !row.outdated)',
    replacement: 'row.id_hash !== String(proven)',
    test: revocation,
    named: 'before the browser shows',
  },
  {
    row: 18,
    what: 'who showed the earlier password in the same session, by a copy of its cookie, changes back no new one',
    file: 'src/accounts/change-password.ts',
    find: ".where('session_generation', '=', generation)",
    replacement: ".where('session_generation', '>=', Math.min(0, generation))",
    test: 'test/sessions/meetings.test.ts',
    named: 'have the last word',
  },
];
