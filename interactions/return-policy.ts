import type { Context } from 'koa';
import { allowFormAction } from '../src/http/security-headers.js';
import type { AppRegistration } from '../src/provider/app-registration.js';

/**
 * Opens `form-action` of this answer to the app of this interaction alone: browsers apply it to the redirects behind a
 * form, and the last of them leads to the app.
 */
export function allowReturn(ctx: Context, app: AppRegistration | null): void {
  const policy = ctx.response.get('Content-Security-Policy');
  if (app === null || policy === '') return;
  const origins = new Set(app.redirect_uris.map((uri) => new URL(uri).origin));
  ctx.set('Content-Security-Policy', [...origins].reduce(allowFormAction, policy));
}
