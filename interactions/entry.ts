import type { RouterInstance } from '@koa/router';
import type { Context } from 'koa';
import { takeFreshProof } from '../src/accounts/fresh-proof.js';
import type { FreshProof } from '../src/accounts/fresh-proof.js';
import type { Clock } from '../src/database/clock.js';
import type { Database } from '../src/database/database.js';
import type { CookieJar } from '../src/http/cookies.js';
import { pathPart } from '../src/http/form.js';
import type { InteractionDetails, Interactions } from '../src/provider/interactions.js';
import type { Reply } from '../src/ui/reply.js';
import { localeOf } from '../src/ui/reply.js';
import { forgetUnfinished } from './left-unfinished.js';
import { ProblemPage } from './problem/page.js';
import { isPortal, wayTo } from './way-back.js';

/** What the pages between "Sign in" in an app and the way back work with. */
export interface InteractionParts {
  db: Database;
  clock: Clock;
  issuer: string;
  interactions: Interactions;
  cookies: CookieJar;
  reply: Reply;
}

/** Draws the page of one prompt. */
export type ShowPrompt = (ctx: Context, details: InteractionDetails) => Promise<void>;

/** The interaction of this request's address, for this browser; otherwise the person is led back and null is given. */
export async function currentInteraction(
  ctx: Context,
  parts: InteractionParts,
  prompt: string,
): Promise<InteractionDetails | null> {
  const uid = pathPart(ctx, 'uid');
  const details = await parts.interactions.details(ctx);
  if (details !== null && details.uid === uid && details.prompt === prompt) return details;
  if (details !== null && details.uid === uid) ctx.redirect(`/interaction/${uid}`);
  else await leadBack(ctx, parts, uid);
  return null;
}

/**
 * Where somebody goes whose interaction is over, expired, or another browser's (decision 18). A browser that held it
 * starts over from the stored parameters. One that has just registered goes on to the app by the app's own address.
 * Everybody else reads one sentence, with a link to the app.
 */
async function leadBack(ctx: Context, parts: InteractionParts, uid: string): Promise<void> {
  const { interactions, cookies, reply, issuer } = parts;
  const held = interactions.holds(ctx, uid);
  if (held) {
    const restart = await interactions.restart(uid);
    if (restart !== null) return ctx.redirect(restart);
  }
  const app = await interactions.appOf(uid);
  // A sign-in that began a moment ago, and a browser that brings nothing back: it keeps no cookies.
  const kind =
    ctx.get('Cookie') === '' && (await interactions.isNew(uid)) ? ('no-cookies' as const) : ('expired' as const);
  const locale = localeOf(ctx);
  const way = isPortal(app) || app === null ? { href: '/sign-in', label: 'Parent Access' } : wayTo(app, issuer, locale);
  // A browser that finished here before, or has just registered, is led on without a word.
  if ((held || cookies.get(ctx, 'proof') !== undefined) && way !== null) return ctx.redirect(way.href);
  reply(
    ctx,
    ProblemPage,
    { kind, requestId: String(ctx.state['requestId']), wayBack: way, retryHref: null },
    { status: 400 },
  );
}

/**
 * `GET /interaction/:uid`: the page of the prompt at hand. A browser that has just proved whose it is (registered or
 * recovered within five minutes) passes the login prompt without a page.
 */
export function entryRoutes(
  router: RouterInstance,
  parts: InteractionParts,
  prompts: Record<string, ShowPrompt>,
): void {
  router.get('/interaction/:uid', async (ctx) => {
    const uid = pathPart(ctx, 'uid');
    const details = await parts.interactions.details(ctx);
    if (details === null || details.uid !== uid) return leadBack(ctx, parts, uid);
    if (details.prompt === 'login') {
      const proven = await provenJustNow(ctx, parts);
      if (proven !== null) {
        const device = proven.shared ? 'shared' : 'own';
        const { accountId, generation } = proven;
        return ctx.redirect(await parts.interactions.login(ctx, { accountId, amr: ['pwd'], device, generation }));
      }
      // Another tab of this browser signed in meanwhile: this one need not ask again.
      if (details.accountId === null && (await parts.interactions.session(ctx)) !== null) {
        const restart = await parts.interactions.restart(uid);
        if (restart !== null) return ctx.redirect(restart);
      }
    }
    const show = prompts[details.prompt];
    if (show === undefined) throw new Error(`There is no page for the prompt ${details.prompt}.`);
    await show(ctx, details);
  });

  router.post('/interaction/:uid/cancel', async (ctx) => {
    const uid = pathPart(ctx, 'uid');
    const details = await parts.interactions.details(ctx);
    if (details === null || details.uid !== uid) return leadBack(ctx, parts, uid);
    ctx.redirect(await parts.interactions.cancel(ctx));
  });
}

async function provenJustNow(ctx: Context, parts: InteractionParts): Promise<FreshProof | null> {
  const { db, clock, cookies } = parts;
  const proof = cookies.get(ctx, 'proof');
  if (proof === undefined) return null;
  cookies.clear(ctx, 'proof');
  const proven = await takeFreshProof(db, clock, proof);
  // As with a password: whoever signs in leaves nothing here that was begun before.
  if (proven !== null) await forgetUnfinished(ctx, parts);
  return proven;
}
