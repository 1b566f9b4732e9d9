import type { Context } from 'koa';
import type { Clock } from '../../src/database/clock.js';
import type { Database } from '../../src/database/database.js';
import type { CookieJar } from '../../src/http/cookies.js';
import { askAgain } from '../../src/http/security-headers.js';
import type { Interactions } from '../../src/provider/interactions.js';
import { confirmationsOf } from '../../src/sessions/deliveries.js';
import type { AppConfirmation } from '../../src/ui/confirmations.js';
import { localeOf } from '../../src/ui/reply.js';
import { after, values } from '../../src/values.js';
import { appName } from '../way-back.js';

export interface LastSignOutParts {
  db: Database;
  clock: Clock;
  cookies: CookieJar;
  interactions: Interactions;
}

const uuid = /^[0-9a-f-]{36}$/;

/** Remembers in this browser which end it was, as long as a person may stand before the page that tells of it. */
export function noteSignOut(ctx: Context, cookies: CookieJar, revocation: string | null): void {
  if (revocation === null) cookies.clear(ctx, 'signed-out');
  else cookies.set(ctx, 'signed-out', revocation, values.signedOutPage);
}

/** What the apps have said to the sign-out that this browser saw last, for a page that nobody sees who is signed in. */
export async function lastSignOut(ctx: Context, parts: LastSignOutParts): Promise<AppConfirmation[]> {
  const revocation = parts.cookies.get(ctx, 'signed-out') ?? '';
  const { accountId, apps } = await youngConfirmations(parts, revocation);
  if (accountId === null) return [];
  askAgain(ctx);
  return apps.map(({ clientId, name, state }) => {
    const app = parts.interactions.app(clientId);
    return { name: app === null ? name : appName(app, localeOf(ctx)), state };
  });
}

/** The same by the name of the end alone, for a computer that others use next: how many apps, and not which. */
export async function countSignOut(ctx: Context, parts: LastSignOutParts, named: string): Promise<AppConfirmation[]> {
  const { apps } = await youngConfirmations(parts, named);
  if (apps.length > 0) askAgain(ctx);
  return apps.map(({ state }) => ({ name: null, state }));
}

async function youngConfirmations({ db, clock }: LastSignOutParts, named: string) {
  if (!uuid.test(named)) return { accountId: null, apps: [] };
  return confirmationsOf(db, named, after(clock(), -values.signedOutPage));
}
