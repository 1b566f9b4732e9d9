import type { Context } from 'koa';
import { values } from '../src/values.js';
import type { InteractionParts } from './entry.js';
import { markComputer } from './shared-computer.js';

/** Back into the app's interaction; without an app to the portal. */
export function wayOn(interactionUid: string | null): string {
  return interactionUid === null ? '/sign-in' : `/interaction/${encodeURIComponent(interactionUid)}`;
}

/**
 * Where this browser goes on to when it has shown whose it is: back into the app's interaction, which accepts the proof
 * at its login prompt or, in another browser, leads to the app's own address; without an app to the portal. Somebody
 * else's session in this browser ends.
 *
 * @param browser `accountId`: whose it is; `proof`: the secret of a fresh proof, left as a cookie for five minutes;
 *   `shared`: a shared computer
 */
export async function goOn(
  ctx: Context,
  { cookies, interactions }: InteractionParts,
  { accountId, proof, shared }: { accountId: string; proof: string; shared: boolean },
  interactionUid: string | null,
): Promise<string> {
  // With somebody else's session nobody would ask for the proof: it would wait for whoever signs in next.
  const session = await interactions.session(ctx);
  if (session !== null && session.accountId !== accountId) await interactions.end(ctx, 'switched');
  markComputer(ctx, cookies, shared);
  cookies.set(ctx, 'proof', proof, values.freshProof);
  return wayOn(interactionUid);
}
