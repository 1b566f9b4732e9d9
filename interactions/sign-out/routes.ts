import type { RouterInstance } from '@koa/router';
import type { Reply } from '../../src/ui/reply.js';
import { forgetUnfinished } from '../left-unfinished.js';
import { lastSignOut, noteSignOut } from './last-sign-out.js';
import type { LastSignOutParts } from './last-sign-out.js';
import { SignedOutPage } from './page.js';

export interface SignOutParts extends LastSignOutParts {
  reply: Reply;
}

/**
 * `POST /leave`: one button, which ends the session and answers at once; what the apps confirm arrives on the page that follows.
 * It asks nothing more: the form comes from one of our own pages.
 */
export function signOutRoutes(router: RouterInstance, parts: SignOutParts): void {
  router.post('/leave', async (ctx) => {
    await forgetUnfinished(ctx, parts);
    await noteSignOut(ctx, parts, await parts.interactions.end(ctx, 'signed-out'));
    ctx.redirect('/signed-out');
  });

  router.get('/signed-out', async (ctx) => {
    // Who is signed in has not left, or came back.
    if ((await parts.interactions.session(ctx)) !== null) return ctx.redirect('/');
    const apps = await lastSignOut(ctx, parts);
    parts.reply(ctx, SignedOutPage, { app: null, apps, again: '/signed-out' }, { path: '/signed-out' });
  });
}
