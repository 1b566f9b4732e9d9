import type { Middleware } from 'koa';
import { parseForm } from './form.js';

/** The longest query that is made of a form, in characters: with its cookies a browser's head stays below 16 KB. */
const longest = 8_192;
const paths = new Set(['/authorize', '/sign-out']);

/**
 * An app may also send a browser to `/authorize` and `/sign-out` by a form that posts (OpenID Connect Core §3.1.2.1, RP-Initiated
 * Logout 1.0 §2). Our cookies are SameSite=Lax and do not come along with a form of another site, so the browser is led to the same
 * request as a GET, with which they do.
 */
export const takePostedRequests: Middleware = async (ctx, next) => {
  if (ctx.method !== 'POST' || !paths.has(ctx.path)) return next();
  await parseForm(ctx, async () => {});
  const query = new URLSearchParams(ctx.request.rawBody).toString();
  if (query.length > longest) throw Object.assign(new Error('the request is too long'), { status: 413, expose: true });
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(`${ctx.path}?${query}`);
};
