import type { RouterInstance } from '@koa/router';
import { field } from '../../src/http/form.js';
import { consentFacts } from '../../src/provider/consent-facts.js';
import { localeOf } from '../../src/ui/reply.js';
import { currentInteraction } from '../entry.js';
import type { InteractionParts, ShowPrompt } from '../entry.js';
import { allowReturn } from '../return-policy.js';
import { appName } from '../way-back.js';
import { ConsentPage } from './page.js';

/** Draws what a vendor's app would receive; the district's own apps have no such page. */
export function showConsent(parts: InteractionParts): ShowPrompt {
  return async (ctx, details) => {
    const { uid, app, uiLocales } = details;
    if (app === null) throw new Error('A consent without an app.');
    // An app of the district is asked for by nobody but itself (prompt=consent): there is nothing to decide.
    if (app.party !== 'vendor') return ctx.redirect(await parts.interactions.consent(ctx));
    parts.reply(
      ctx,
      ConsentPage,
      {
        action: `/interaction/${uid}/consent`,
        cancelAction: `/interaction/${uid}/cancel`,
        appName: appName(app, localeOf(ctx, uiLocales)),
        vendorUri: app.client_uri ?? null,
        facts: consentFacts(app),
      },
      { path: `/interaction/${uid}`, uiLocales },
    );
    allowReturn(ctx, app);
  };
}

export function consentRoutes(router: RouterInstance, parts: InteractionParts): void {
  const show = showConsent(parts);
  router.post('/interaction/:uid/consent', async (ctx) => {
    const details = await currentInteraction(ctx, parts, 'consent');
    if (details === null) return;
    // What was read is what is allowed: a registration that grew meanwhile is shown again.
    const read = field(ctx, 'facts');
    if (details.app?.party === 'vendor' && read !== consentFacts(details.app).join(' ')) return show(ctx, details);
    ctx.redirect(await parts.interactions.consent(ctx));
  });
}
