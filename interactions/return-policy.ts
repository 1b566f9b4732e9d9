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
  const addresses = [...app.redirect_uris, ...(app.initiate_login_uri === undefined ? [] : [app.initiate_login_uri])];
  const origins = new Set(addresses.map((address) => new URL(address).origin));
  ctx.set('Content-Security-Policy', [...origins].reduce(allowFormAction, policy));
}
