import type { RouterInstance } from '@koa/router';
import { answerAddress, confirmAddress } from '../../src/accounts/change-address.js';
import type { AddressParts } from '../../src/accounts/change-address.js';
import { pendingFor } from '../../src/accounts/pending.js';
import { field, parameter } from '../../src/http/form.js';
import { currentInteraction } from '../entry.js';
import type { InteractionParts, ShowPrompt } from '../entry.js';
import { LinkProblemPage } from '../link-problem.js';
import { allowReturn } from '../return-policy.js';
import { AddressDonePage, AddressLinkPage, AddressPage, AddressSentPage } from './page.js';

export type AddressPageParts = InteractionParts & AddressParts;

/** Draws the question about an e-mail that the school changed. */
export function showAddress(parts: AddressPageParts): ShowPrompt {
  return async (ctx, { uid, app, uiLocales, accountId }) => {
    const { address } = await pendingFor(parts.db, accountId ?? '', parts.studentDomains);
    // Answered already, and the answer was lost, or somebody went back to the question: the way goes on.
    if (address === null) return ctx.redirect(await parts.interactions.passed(ctx, 'address'));
    const account = await parts.db
      .selectFrom('accounts')
      .select('email')
      .where('id', '=', accountId ?? '')
      .executeTakeFirstOrThrow();
    parts.reply(
      ctx,
      AddressPage,
      { action: `/interaction/${uid}/address`, email: address, old: account.email },
      { path: `/interaction/${uid}`, uiLocales },
    );
    allowReturn(ctx, app);
  };
}

/** `/interaction/:uid/address`: the answer. `/confirm-email`: the link in the new mailbox, in the owner's own session. */
export function addressRoutes(router: RouterInstance, parts: AddressPageParts): void {
  const { interactions, reply } = parts;

  router.post('/interaction/:uid/address', async (ctx) => {
    const details = await currentInteraction(ctx, parts, 'address');
    if (details === null) return;
    const session = await interactions.session(ctx);
    if (session === null) return ctx.redirect(`/interaction/${details.uid}`);
    const use = field(ctx, 'decision') === 'use';
    const { t } = reply.view(ctx, { uiLocales: details.uiLocales });
    const email = await answerAddress(parts, t, session, use);
    const next = await interactions.passed(ctx, 'address');
    if (!use || email === null) return ctx.redirect(next);
    reply(ctx, AddressSentPage, { email, continueHref: next }, { path: '/', uiLocales: details.uiLocales });
  });

  router.get('/confirm-email', async (ctx) => {
    const token = parameter(ctx, 'token').slice(0, 100);
    reply(ctx, AddressLinkPage, { action: '/confirm-email', token }, { path: ctx.url });
  });

  router.post('/confirm-email', async (ctx) => {
    const session = await interactions.session(ctx);
    const { t } = reply.view(ctx);
    const change = await confirmAddress(parts, t, field(ctx, 'token').slice(0, 100), session);
    if (change.kind === 'expired' || change.kind === 'used' || change.kind === 'session') {
      const problem = { reason: change.kind, againHref: '/', signInHref: '/sign-in' } as const;
      return reply(ctx, LinkProblemPage, problem, { status: 410, path: '/' });
    }
    reply(ctx, AddressDonePage, { email: change.kind === 'done' ? change.email : null }, { path: '/' });
  });
}
