import type { Context } from 'koa';
import { values } from '../src/values.js';
import type { InteractionParts } from './entry.js';
import { markComputer } from './shared-computer.js';

/**
 * Where this browser goes on to when it has shown whose it is: back into the app's interaction, which accepts the proof
 * at its login prompt or, in another browser, leads to the app's own address; without an app to the portal.
 *
 * @param browser `proof`: the secret of a fresh proof, left as a cookie for five minutes; `shared`: a shared computer
 */
export function goOn(
  ctx: Context,
  { cookies }: InteractionParts,
  { proof, shared }: { proof: string; shared: boolean },
  interactionUid: string | null,
): string {
  cookies.clear(ctx, 'claim');
  markComputer(ctx, cookies, shared);
  cookies.set(ctx, 'proof', proof, values.freshProof);
  return interactionUid === null ? '/sign-in' : `/interaction/${encodeURIComponent(interactionUid)}`;
}
