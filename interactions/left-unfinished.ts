import type { Context } from 'koa';
import type { CookieJar } from '../src/http/cookies.js';

/**
 * Lets this browser forget whose mailed link was pressed in it and not followed to its end, and who has shown whose it is and did not go
 * on. Who signs in or out here goes on to something else; what they leave would let the next person choose a password for them.
 */
export function forgetUnfinished(ctx: Context, cookies: CookieJar): void {
  for (const name of ['claim', 'proof']) {
    if (cookies.getUnsigned(ctx, name) !== undefined) cookies.clear(ctx, name);
  }
}
