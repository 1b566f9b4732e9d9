import type { Context } from 'koa';
import { endClaims } from '../src/accounts/claims.js';
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

/** The browser's own random cookie, for as long as a mailed link is good: what is asked or pressed in it is known by that. */
export function nameBrowser(ctx: Context, cookies: CookieJar): string {
  const browser = cookies.get(ctx, 'browser') ?? newSecret();
  cookies.set(ctx, 'browser', browser, values.activationLink);
  return browser;
}

/**
 * Lets this browser forget whose mailed link was pressed in it and not followed to its end, and who has shown whose it is and did not go
 * on. Who signs in or out here goes on to something else; what they leave would let the next person choose a password for them, and so
 * would the answer to the press, where the network brings it only now.
 */
export async function forgetUnfinished(ctx: Context, { db, clock, cookies }: UnfinishedParts): Promise<void> {
  for (const name of ['claim', 'proof']) {
    if (cookies.getUnsigned(ctx, name) !== undefined) cookies.clear(ctx, name);
  }
  const browser = cookies.get(ctx, 'browser');
  if (browser === undefined) return;
  // First what a password is chosen by: one that is chosen in this moment leaves a proof after.
  await endClaims(db, clock, browser);
  await endProofsIn(db, clock, browser);
}
