import type { Context } from 'koa';
import { endClaims, forgetFinished } from '../src/accounts/claims.js';
import { endProofsIn } from '../src/accounts/fresh-proof.js';
import type { Clock } from '../src/database/clock.js';
import type { Database } from '../src/database/database.js';
import { newSecret } from '../src/database/secrets.js';
import type { CookieJar } from '../src/http/cookies.js';
import { values } from '../src/values.js';

export interface UnfinishedParts {
  db: Database;
  clock: Clock;
  cookies: CookieJar;
}

/** How many names for what is pressed a browser has at once: one a tab, and some more. */
const most = 8;

/** The browser's own random cookie, for as long as a mailed link is good: what is asked in it is known by that. */
export function nameBrowser(ctx: Context, cookies: CookieJar): string {
  const browser = cookies.get(ctx, 'browser') ?? newSecret();
  cookies.set(ctx, 'browser', browser, values.activationLink);
  return browser;
}

/** The names for what is pressed in this browser, the last first. */
function pressNames(ctx: Context, cookies: CookieJar): string[] {
  return (cookies.get(ctx, 'presses') ?? '').split('.').filter((name) => name !== '');
}

/**
 * Gives this browser one more name, for the link or code that is pressed in it next. Who copied its cookies before does not know it, and
 * ends nothing by saying elsewhere, again and again, that somebody here is done.
 */
export async function nameNextPress(ctx: Context, { db, clock, cookies }: UnfinishedParts): Promise<void> {
  const names = [newSecret(), ...pressNames(ctx, cookies)];
  // What was pressed under a name that is forgotten would end with nobody.
  await endUnder(db, clock, names.slice(most));
  cookies.set(ctx, 'presses', names.slice(0, most).join('.'), values.activationLink);
}

/** Under which name a link or code is pressed in this browser; undefined where it has none. */
export function pressedAs(ctx: Context, cookies: CookieJar): string | undefined {
  return pressNames(ctx, cookies)[0] ?? cookies.get(ctx, 'browser');
}

async function endUnder(db: Database, clock: Clock, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  // First what a password is chosen by: one that is chosen in this moment leaves a proof after.
  await endClaims(db, clock, names);
  await endProofsIn(db, clock, names);
}

/**
 * Lets this browser forget whose mailed link was pressed in it and not followed to its end, and who has shown whose it is and did not go
 * on. Who signs in or out here goes on to something else; what they leave would let the next person choose a password for them, and so
 * would the answer to the press, where the network brings it only now.
 */
export async function forgetUnfinished(ctx: Context, { db, clock, cookies }: UnfinishedParts): Promise<void> {
  const claim = cookies.getUnsigned(ctx, 'claim');
  if (claim !== undefined) await forgetFinished(db, claim);
  for (const name of ['claim', 'proof']) {
    if (cookies.getUnsigned(ctx, name) !== undefined) cookies.clear(ctx, name);
  }
  // The first name too: pages from before the others were given are pressed under it.
  await endUnder(db, clock, [cookies.get(ctx, 'browser') ?? [], pressNames(ctx, cookies)].flat());
}
