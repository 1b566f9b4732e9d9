import type { RouterInstance } from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { CookieJar } from '../src/http/cookies.js';
import type { Interactions } from '../src/provider/interactions.js';
import type { Reply } from '../src/ui/reply.js';
import { values } from '../src/values.js';
import { DonePage } from './done/page.js';

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
export function doneRoutes(
  router: RouterInstance,
  { interactions, reply }: { interactions: Interactions; reply: Reply },
): void {
  router.post('/done', async (ctx) => {
    // First of all, so that the browser is wiped also where the database fails.
    for (const line of (ctx.get('Cookie') || '').split(';')) {
      const name = line.split('=')[0]?.trim() ?? '';
      // Also where Clear-Site-Data is not known; what has a path of its own is of no use any more.
      if (/^(__(Host|Secure)-)?pa-[\w.-]+$/.test(name)) ctx.cookies.set(name, null, { path: '/', signed: false });
    }
    ctx.set('Clear-Site-Data', '"cache", "cookies", "storage"');
    await interactions.end(ctx);
    ctx.redirect('/done');
  });

  router.get('/done', async (ctx) => reply(ctx, DonePage, {}));
}
