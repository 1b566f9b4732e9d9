import type { Context, Middleware } from 'koa';
import type { CookieJar } from '../src/http/cookies.js';
import { values } from '../src/values.js';

/** How many interactions of one browser are on their way back at once: one a tab. */
const most = 5;

function finishedHere(ctx: Context, cookies: CookieJar): string[] {
  return (cookies.get(ctx, 'finished') ?? '').split('.').filter((uid) => uid !== '');
}

/** Remembers that this browser finished a page of an interaction, and may go on from it. */
export function noteFinished(ctx: Context, cookies: CookieJar, uid: string): void {
  const before = finishedHere(ctx, cookies).filter((each) => each !== uid);
  cookies.set(ctx, 'finished', [uid, ...before].slice(0, most).join('.'), values.interaction);
}

/**
 * Lets an interaction go on only where its page was finished. The provider's own cookies for this have a path of their own and
 * therefore not the prefix `__Host-`: a sibling domain could put them, with a sign-in of its own, into anybody's browser, which
 * would then be signed in as somebody else. Everybody else is led back.
 */
export function guardResume(cookies: CookieJar): Middleware {
  return async (ctx, next) => {
    // The provider's router takes capitals, a slash at the end, and characters written as numbers.
    const uid = /^\/authorize\/([^/]+)\/?$/i.exec(ctx.path)?.[1];
    if (uid === undefined || finishedHere(ctx, cookies).includes(uid)) return next();
    ctx.redirect(`/interaction/${uid}`);
  };
}
