import type { RouterInstance } from '@koa/router';
import { acceptTerms, termsVersion } from '../../src/accounts/account.js';
import { field } from '../../src/http/form.js';
import { currentInteraction } from '../entry.js';
import type { InteractionParts, ShowPrompt } from '../entry.js';
import { allowReturn } from '../return-policy.js';
import { TermsPage } from './page.js';

/** Draws the terms that are to be accepted before the way goes on. */
export function showTerms(parts: InteractionParts): ShowPrompt {
  return async (ctx, { uid, app, uiLocales }) => {
    const action = `/interaction/${uid}/terms`;
    parts.reply(ctx, TermsPage, { action, version: termsVersion }, { path: `/interaction/${uid}`, uiLocales });
    allowReturn(ctx, app);
  };
}

export function termsRoutes(router: RouterInstance, parts: InteractionParts): void {
  router.post('/interaction/:uid/terms', async (ctx) => {
    const details = await currentInteraction(ctx, parts, 'terms');
    if (details === null) return;
    if (field(ctx, 'decision') !== 'accept' || details.accountId === null) {
      return ctx.redirect(await parts.interactions.cancel(ctx));
    }
    await acceptTerms(parts.db, details.accountId, parts.clock());
    ctx.redirect(await parts.interactions.passed(ctx, 'terms'));
  });

  router.get('/terms', async (ctx) => parts.reply(ctx, TermsPage, { action: null, version: termsVersion }));
}
