import type { Context } from 'koa';
import type { AppRegistration } from '../../src/provider/app-registration.js';
import type { Reply } from '../../src/ui/reply.js';
import { localeOf } from '../../src/ui/reply.js';
import { appName, isPortal, wayTo } from '../way-back.js';
import { lastSignOut } from './last-sign-out.js';
import type { LastSignOutParts } from './last-sign-out.js';
import { SignOutPage, SignedOutPage } from './page.js';

/** Asks whether to sign out everywhere, with the way back to the app that asked. */
export function showSignOut(
  ctx: Context,
  reply: Reply,
  app: AppRegistration | null,
  form: { action: string; xsrf: string },
): void {
  const named = app === null || isPortal(app) ? null : appName(app, localeOf(ctx));
  reply(ctx, SignOutPage, { action: form.action, xsrf: form.xsrf, appName: named }, { path: '/' });
}

/** Says that the person is signed out and what the apps confirm, where no app takes them further. */
export async function showSignedOut(
  ctx: Context,
  reply: Reply,
  app: AppRegistration | null,
  issuer: string,
  parts: LastSignOutParts,
): Promise<void> {
  // Who left one app only, or came here by the address, is signed in still and is not told otherwise.
  if ((await parts.interactions.session(ctx)) !== null) return ctx.redirect('/');
  const way = app === null || isPortal(app) ? null : wayTo(app, issuer, localeOf(ctx));
  reply(ctx, SignedOutPage, { app: way, apps: await lastSignOut(ctx, parts), again: ctx.url }, { path: '/' });
}
