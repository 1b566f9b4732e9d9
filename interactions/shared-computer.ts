import type { RouterInstance } from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { CookieJar } from '../src/http/cookies.js';
import { parameter } from '../src/http/form.js';
import type { Reply } from '../src/ui/reply.js';
import { values } from '../src/values.js';
import { DonePage } from './done/page.js';
import { forgetUnfinished } from './left-unfinished.js';
import { countSignOut } from './sign-out/last-sign-out.js';
import type { LastSignOutParts } from './sign-out/last-sign-out.js';

/** Remembers in this browser, for as long as a session there can live, what its person said of the computer. */
export function markComputer(ctx: Context, cookies: CookieJar, shared: boolean): void {
  if (shared) cookies.set(ctx, 'shared', '1', values.sharedSession);
  else if (cookies.get(ctx, 'shared') !== undefined) cookies.clear(ctx, 'shared');
  ctx.state['shared'] = shared;
}

/** Lets every page of a shared computer carry "I am done". */
export function knowComputer(cookies: CookieJar): Middleware {
  return async (ctx, next) => {
    ctx.state['shared'] = cookies.get(ctx, 'shared') !== undefined;
    await next();
  };
}

/**
 * `POST /done`: one press ends the session with all it opened, tells the apps, and wipes what this site keeps in the
 * browser (Clear-Site-Data). It asks nothing: who leaves a library computer is in a hurry.
 */
export function doneRoutes(router: RouterInstance, parts: LastSignOutParts & { reply: Reply }): void {
  const { interactions, reply } = parts;
  router.post('/done', async (ctx) => {
    // First of all, so that the browser is wiped also where the database fails.
    for (const line of (ctx.get('Cookie') || '').split(';')) {
      const name = line.split('=')[0]?.trim() ?? '';
      // Also where Clear-Site-Data is not known; what has a path of its own is of no use any more.
      if (/^(__(Host|Secure)-)?pa-[\w.-]+$/.test(name)) ctx.cookies.set(name, null, { path: '/', signed: false });
    }
    ctx.set('Clear-Site-Data', '"cache", "cookies", "storage"');
    await forgetUnfinished(ctx, parts);
    const revocation = await interactions.end(ctx, 'done');
    // By its address: a cookie of this answer would be wiped with the others.
    ctx.redirect(revocation === null ? '/done' : `/done?end=${revocation}`);
  });

  router.get('/done', async (ctx) => {
    // Whoever leads a person here by a link has not signed them out: they must not read it, and walk away.
    if ((await interactions.session(ctx)) !== null) return ctx.redirect('/');
    const end = parameter(ctx, 'end');
    const again = `/done?${new URLSearchParams({ end })}`;
    reply(ctx, DonePage, { apps: await countSignOut(ctx, parts, end), again }, { path: again });
  });
}
