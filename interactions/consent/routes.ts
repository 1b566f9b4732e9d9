import type { RouterInstance } from '@koa/router';
import type { StudentFact } from '../../src/provider/app-registration.js';
import type { InteractionDetails } from '../../src/provider/interactions.js';
import { localeOf } from '../../src/ui/reply.js';
import { currentInteraction } from '../entry.js';
import type { InteractionParts, ShowPrompt } from '../entry.js';
import { allowReturn } from '../return-policy.js';
import { appName } from '../way-back.js';
import { ConsentPage } from './page.js';

type Fact = Parameters<typeof ConsentPage>[0]['facts'][number];

/** Without a fact an app still learns which children there are. */
function studentFactsOf(facts: readonly StudentFact[]): Fact[] {
  return facts.length === 0 ? ['students'] : facts.map((fact) => `students.${fact}` as const);
}

/** Each piece of data that the app would receive, by its registration and this request. */
function factsOf({ app, scopes }: InteractionDetails): Fact[] {
  const asked = new Set(scopes);
  return [
    ...(asked.has('profile') ? (['name'] as const) : []),
    ...(asked.has('email') ? (['email'] as const) : []),
    ...(asked.has('phone') ? (['phone'] as const) : []),
    ...(asked.has('students') ? studentFactsOf(app?.student_facts ?? []) : []),
    ...(app?.grant_types.includes('refresh_token') === true ? (['offline'] as const) : []),
  ];
}

/** Draws what a vendor's app would receive; the district's own apps have no such page. */
export function showConsent(parts: InteractionParts): ShowPrompt {
  return async (ctx, details) => {
    const { uid, app, uiLocales } = details;
    if (app === null) throw new Error('A consent without an app.');
    parts.reply(
      ctx,
      ConsentPage,
      {
        action: `/interaction/${uid}/consent`,
        cancelAction: `/interaction/${uid}/cancel`,
        appName: appName(app, localeOf(ctx, uiLocales)),
        vendorUri: app.client_uri ?? null,
        facts: factsOf(details),
      },
      { path: `/interaction/${uid}`, uiLocales },
    );
    allowReturn(ctx, app);
  };
}

export function consentRoutes(router: RouterInstance, parts: InteractionParts): void {
  router.post('/interaction/:uid/consent', async (ctx) => {
    const details = await currentInteraction(ctx, parts, 'consent');
    if (details === null) return;
    ctx.redirect(await parts.interactions.consent(ctx));
  });
}
