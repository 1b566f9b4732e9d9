import type { Defence } from './defence.js';

/** Who would be kept out of their own account by somebody who knows its address: row 13. */
export const keptOut: readonly Defence[] = [
  {
    row: 13,
    what: 'one known device that is tried again and again takes from the others no more than its own',
    file: 'src/accounts/sign-in.ts',
    find: 'if (known !== null) await perDevice.spend(atDevice);',
    replacement: 'if (known !== null && (await isWithin(perOwner, who))) await perDevice.spend(atDevice);',
    test: 'test/http/known-device.test.ts',
    named: 'however often another',
  },
  {
    row: 13,
    what: 'a known device recovers whatever others in the same home asked for',
    file: 'interactions/recover/routes.ts',
    find: 'if (device !== null) {',
    replacement: 'if (device !== null) {\n    await perSource.spend(source);',
    test: 'test/http/request-throttles.test.ts',
    named: 'in the same home',
  },
  {
    row: 13,
    what: 'a device is known for recoveries when the keys that signed its cookie are gone',
    file: 'interactions/recover/routes.ts',
    find: "cookies.getUnsigned(ctx, 'device')",
    replacement: "cookies.get(ctx, 'device')",
    test: 'test/http/request-throttles.test.ts',
    named: 'used long ago',
  },
];

/** Who would stay in, or keep somebody in who wanted out. */
export const keptIn: readonly Defence[] = [
  {
    row: 2,
    what: 'who answers the question about signing out after another page asked it is not kept in',
    file: 'interactions/problem/provider-problem.ts',
    find: '(\\/confirm)?',
    replacement: '',
    test: 'test/attacks/row-02-sign-out.test.ts',
    named: 'another page meanwhile',
  },
  {
    row: 18,
    what: 'a copy of the cookie does not go on with the session that a change of the password keeps',
    file: 'src/portal/password/routes.ts',
    find: 'await parts.interactions.renew(ctx);',
    replacement: '',
    test: 'test/attacks/row-18-revocation.test.ts',
    named: 'no copy of a cookie',
  },
  {
    row: 18,
    what: 'a copy of the cookie is one of all others that end',
    file: 'src/portal/devices/routes.ts',
    find: "if (which === 'others') await interactions.renew(ctx);",
    replacement: '',
    test: 'test/attacks/row-18-revocation.test.ts',
    named: 'no copy of a cookie',
  },
  {
    row: 18,
    what: 'a request in flight makes no copy of a cookie good again',
    file: 'src/sessions/session-store.ts',
    find: 'where ${shown !== idHash} or exists (select from good)',
    replacement: 'where ${shown !== idHash} or true',
    test: 'test/sessions/session-store.test.ts',
    named: 'last cookie alone',
  },
  {
    row: 21,
    what: 'whoever asks to sign out and is nobody leaves nothing for a month',
    file: 'src/sessions/cleaning.ts',
    find: 'where account_id is null and',
    replacement: 'where account_id is null and false and',
    test: 'test/sessions/session-jobs.test.ts',
    named: 'was nobody',
  },
];
