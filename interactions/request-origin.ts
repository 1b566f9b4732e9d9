import type { Context } from 'koa';
import { parameter } from '../src/http/form.js';
import type { InteractionParts } from './entry.js';

/** The query that carries an interaction from page to page. */
export function query(interaction: string): string {
  return interaction === '' ? '' : `?${new URLSearchParams({ interaction })}`;
}

/** The app's request that a page's `interaction` parameter names, if there is one: it is only an address to go on to. */
export async function knownInteraction(
  ctx: Context,
  { interactions }: InteractionParts,
): Promise<{ clientId: string | null; interactionUid: string | null }> {
  const uid = parameter(ctx, 'interaction').slice(0, 100);
  const app = uid === '' ? null : await interactions.appOf(uid);
  return app === null ? { clientId: null, interactionUid: null } : { clientId: app.client_id, interactionUid: uid };
}
