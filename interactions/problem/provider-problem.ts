import type { Context } from 'koa';
import type { AppRegistration } from '../../src/provider/app-registration.js';
import type { Interactions } from '../../src/provider/interactions.js';
import type { Reply } from '../../src/ui/reply.js';
import { localeOf } from '../../src/ui/reply.js';
import { isPortal, wayTo } from '../way-back.js';
import { ProblemPage } from './page.js';
import { problemOf } from './problem-of.js';

type Kind = Parameters<typeof ProblemPage>[0]['kind'];

const kinds: Record<string, Kind> = {
  invalid_client: 'unknown-app',
  invalid_redirect_uri: 'bad-redirect',
  server_error: 'server',
  temporarily_unavailable: 'busy',
};

export interface ProviderProblemParts {
  issuer: string;
  apps: ReadonlyMap<string, AppRegistration>;
  interactions: Interactions;
  reply: Reply;
}

/** The uid in `/authorize/:uid`, where a finished page leads back to the provider. */
function resumedUid(path: string): string | null {
  return /^\/authorize\/([\w-]{10,64})$/.exec(path)?.[1] ?? null;
}

/**
 * Shows what the provider refused, in our own words, and never leads to an address that is not registered. Who comes
 * back to an interaction that this browser held but that fits its session no more starts over; others are led to the app.
 *
 * @param fault the OAuth error code
 * @param error what the library caught
 */
export async function providerProblem(
  ctx: Context,
  { issuer, apps, interactions, reply }: ProviderProblemParts,
  fault: string,
  error: unknown,
  clientId: string | undefined,
): Promise<void> {
  const { kind: cause, status, retryAfter } = problemOf(error);
  if (cause === 'busy') {
    ctx.set('Retry-After', String(retryAfter));
    const again = ctx.method === 'GET' ? ctx.url : '/';
    reply(
      ctx,
      ProblemPage,
      { kind: cause, requestId: String(ctx.state['requestId']), wayBack: null, retryHref: again },
      { status, path: '/' },
    );
    return;
  }
  const uid = resumedUid(ctx.path);
  const lost = uid !== null && ctx.status < 500;
  if (lost && interactions.holds(ctx, uid)) {
    // One that was answered already, whose answer was lost or which came twice, goes to the app, which starts over.
    const answered = await interactions.appOf(uid);
    const way = isPortal(answered) || answered === null ? '/sign-in' : wayTo(answered, issuer, localeOf(ctx))?.href;
    const href = (await interactions.restart(uid)) ?? way;
    if (href !== undefined) return ctx.redirect(href);
  }
  // The app has forgotten this person already, and its mistake must not keep them signed in here.
  const leaves = /^\/sign-out(\/confirm)?\/?$/i.test(ctx.path) && (await interactions.session(ctx)) !== null;
  const app = (lost ? await interactions.appOf(uid) : null) ?? apps.get(clientId ?? '') ?? null;
  reply(
    ctx,
    ProblemPage,
    {
      kind: lost ? 'expired' : (kinds[fault] ?? 'app-mistake'),
      requestId: String(ctx.state['requestId']),
      wayBack: app === null ? null : wayTo(app, issuer, localeOf(ctx)),
      retryHref: null,
      signOutAction: leaves ? '/leave' : undefined,
    },
    { status: ctx.status >= 400 ? ctx.status : 400, path: '/' },
  );
}
