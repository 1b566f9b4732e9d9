import type { Context } from 'koa';
import type { CookieJar } from '../../src/http/cookies.js';
import { askAgain } from '../../src/http/security-headers.js';
import type { Interactions } from '../../src/provider/interactions.js';
import { confirmationsOf } from '../../src/sessions/deliveries.js';
import type { Confirmation } from '../../src/sessions/deliveries.js';
import type { AppConfirmation } from '../../src/ui/confirmations.js';
import { localeOf } from '../../src/ui/reply.js';
import { after, values } from '../../src/values.js';
import { forgetUnfinished } from '../left-unfinished.js';
import type { UnfinishedParts } from '../left-unfinished.js';
import { appName } from '../way-back.js';

export interface LastSignOutParts extends UnfinishedParts {
  interactions: Interactions;
}

/** To the letter: what only looks like one is a fault to the database. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Remembers in this browser which end it was, as long as a person may stand before the page that tells of it. */
export async function noteSignOut(ctx: Context, parts: UnfinishedParts, revocation: string | null): Promise<void> {
  if (revocation === null) forgetSignOut(ctx, parts.cookies);
  else parts.cookies.set(ctx, 'signed-out', revocation, values.signedOutPage);
  // Also where nobody is in: the page says “signed out”, and an app may have asked whose person's session here is over.
  await forgetUnfinished(ctx, parts);
}

/** Who signs in next on this browser never reads what the person before had opened. */
export function forgetSignOut(ctx: Context, cookies: CookieJar): void {
  cookies.clear(ctx, 'signed-out');
}

/**
 * What the apps have said to the sign-out that this browser saw last. It is for a browser in which nobody is signed in; a sign-in
 * makes it forget the end before.
 */
export async function lastSignOut(ctx: Context, parts: LastSignOutParts): Promise<AppConfirmation[]> {
  const revocation = parts.cookies.get(ctx, 'signed-out') ?? '';
  const apps = await youngConfirmations(parts, revocation);
  if (apps.length > 0) askAgain(ctx);
  return apps.map(({ clientId, name, state }) => {
    const app = parts.interactions.app(clientId);
    return { name: app === null ? name : appName(app, localeOf(ctx)), state };
  });
}

/** The same by the name of the end alone, for a computer that others use next: how many apps, and not which. */
export async function countSignOut(ctx: Context, parts: LastSignOutParts, named: string): Promise<AppConfirmation[]> {
  const apps = await youngConfirmations(parts, named);
  if (apps.length > 0) askAgain(ctx);
  return apps.map(({ state }) => ({ name: null, state }));
}

async function youngConfirmations({ db, clock }: LastSignOutParts, named: string): Promise<Confirmation[]> {
  if (!uuid.test(named)) return [];
  return confirmationsOf(db, named, after(clock(), -values.signedOutPage));
}
