import type { Context, Middleware } from 'koa';
import { secretHash } from '../src/database/secrets.js';
import type { CookieJar } from '../src/http/cookies.js';
import type { Interactions } from '../src/provider/interactions.js';
import type { Finished } from '../src/provider/opened-here.js';
import { values } from '../src/values.js';

/** How many interactions of one browser are on their way back at once: one a tab. */
const most = 5;

/** The interactions that this browser finished a page of, with the mark of each. */
function finishedHere(ctx: Context, cookies: CookieJar): Array<[uid: string, mark: string]> {
  return (cookies.get(ctx, 'finished') ?? '').split('.').flatMap((entry) => {
    const [uid = '', mark = ''] = entry.split('~');
    return uid === '' || mark === '' ? [] : [[uid, mark]];
  });
}

/** The same with the digest of each mark. */
export function finishedIn(ctx: Context, cookies: CookieJar): Finished[] {
  return finishedHere(ctx, cookies).map(([uid, mark]) => ({ uid, finishedAs: secretHash(mark) }));
}

/** Remembers that this browser finished a page of an interaction, and may go on from it. */
export function noteFinished(ctx: Context, cookies: CookieJar, uid: string, mark: string): void {
  const before = finishedHere(ctx, cookies).filter(([each]) => each !== uid);
  const kept = [[uid, mark], ...before].slice(0, most).map((entry) => entry.join('~'));
  cookies.set(ctx, 'finished', kept.join('.'), values.interaction);
}

/**
 * Lets an interaction go on only where its page was finished, and finished last. The provider's own cookies for this have a path of their
 * own and therefore not the prefix `__Host-`: a sibling domain could put them, with a sign-in of its own, into anybody's browser, which
 * would then be signed in as somebody else, or could have somebody sign in for a stranger elsewhere. Everybody else is led back.
 */
export function guardResume(cookies: CookieJar, interactions: Interactions): Middleware {
  return async (ctx, next) => {
    // The provider's router takes capitals, a slash at the end, and characters written as numbers.
    const uid = /^\/authorize\/([^/]+)\/?$/i.exec(ctx.path)?.[1];
    if (uid === undefined) return next();
    const mark = finishedHere(ctx, cookies).find(([each]) => each === uid)?.[1];
    const last = mark === undefined ? null : await interactions.finishedAs(uid);
    if (mark !== undefined && (last === null || last === secretHash(mark))) return next();
    ctx.redirect(`/interaction/${uid}`);
  };
}
