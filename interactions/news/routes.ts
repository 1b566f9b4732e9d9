import type { RouterInstance } from '@koa/router';
import { tellNews } from '../../src/accounts/pending.js';
import { currentInteraction } from '../entry.js';
import type { InteractionParts, ShowPrompt } from '../entry.js';
import { allowReturn } from '../return-policy.js';
import { NewsPage } from './page.js';

/** Draws what happened to the account by itself since the last sign-in. */
export function showNews(parts: InteractionParts): ShowPrompt {
  return async (ctx, { uid, app, uiLocales }) => {
    parts.reply(ctx, NewsPage, { action: `/interaction/${uid}/news` }, { path: `/interaction/${uid}`, uiLocales });
    allowReturn(ctx, app);
  };
}

export function newsRoutes(router: RouterInstance, parts: InteractionParts): void {
  router.post('/interaction/:uid/news', async (ctx) => {
    const details = await currentInteraction(ctx, parts, 'news');
    if (details === null) return;
    if (details.accountId !== null) await tellNews(parts.db, parts.clock, details.accountId);
    ctx.redirect(await parts.interactions.passed(ctx, 'news'));
  });
}
