import Router from '@koa/router';
import Koa from 'koa';
import type { Context, Middleware } from 'koa';
import compress from 'koa-compress';
import type { Logger } from 'pino';
import { activateRoutes } from '../interactions/activate/routes.js';
import type { ActivateParts } from '../interactions/activate/routes.js';
import { addressRoutes, showAddress } from '../interactions/address/routes.js';
import type { AddressPageParts } from '../interactions/address/routes.js';
import { consentRoutes, showConsent } from '../interactions/consent/routes.js';
import { entryRoutes } from '../interactions/entry.js';
import { loginRoutes, showLogin } from '../interactions/login/routes.js';
import type { LoginParts } from '../interactions/login/routes.js';
import { ProblemPage } from '../interactions/problem/page.js';
import { problemOf } from '../interactions/problem/problem-of.js';
import { recoverRoutes } from '../interactions/recover/routes.js';
import type { RecoverParts } from '../interactions/recover/routes.js';
import { registerRoutes } from '../interactions/register/routes.js';
import type { RegisterParts } from '../interactions/register/routes.js';
import { newsRoutes, showNews } from '../interactions/news/routes.js';
import { guardResume } from '../interactions/resume-guard.js';
import { allowReturn } from '../interactions/return-policy.js';
import { doneRoutes, knowComputer } from '../interactions/shared-computer.js';
import { signOutRoutes } from '../interactions/sign-out/routes.js';
import { showTerms, termsRoutes } from '../interactions/terms/routes.js';
import { serveAssets } from './http/assets.js';
import { parseForm } from './http/form.js';
import { guardForms } from './http/form-guard.js';
import { guardHost, proxyList } from './http/host.js';
import { takePostedRequests } from './http/posted-request.js';
import { probes } from './http/probes.js';
import type { Readiness } from './http/probes.js';
import { requestLog } from './http/request-log.js';
import { permissionsPolicy, securityHeaders } from './http/security-headers.js';
import { cutOffUnread } from './http/unread.js';
import { deviceRoutes } from './portal/devices/routes.js';
import type { DeviceParts } from './portal/devices/routes.js';
import type { CookieSigner } from './keys/cookie-signer.js';
import { passwordRoutes } from './portal/password/routes.js';
import type { PasswordParts } from './portal/password/routes.js';
import { permissionRoutes } from './portal/permissions/routes.js';
import type { PermissionParts } from './portal/permissions/routes.js';
import { portalRoutes } from './portal/routes.js';
import type { PortalParts } from './portal/routes.js';
import type { AppRegistration } from './provider/app-registration.js';
import { assets } from './ui/assets.js';
import type { Reply } from './ui/reply.js';
import { values } from './values.js';

/** What the outer Koa is made of. */
export interface ServerParts {
  issuer: string;
  trustedProxies: readonly string[];
  cookieSigner: CookieSigner;
  logger: Logger;
  readiness: Readiness;
  reply: Reply;
  /** The library's provider, behind our pages. */
  provider: Middleware;
  /** Looks whether the keys changed, so that none is published after it was revoked. */
  lookAtKeys: () => Promise<void>;
  apps: ReadonlyMap<string, AppRegistration>;
  pages: LoginParts &
    Omit<RegisterParts, 'throttles'> &
    Omit<RecoverParts, 'throttles'> &
    ActivateParts &
    PortalParts &
    PasswordParts &
    PermissionParts &
    DeviceParts &
    AddressPageParts;
  registerThrottles: RegisterParts['throttles'];
  recoverThrottles: RecoverParts['throttles'];
  /** `/dev/mail` of development. */
  development: Middleware | null;
}

/** Shows whatever a page threw as a page with a next step; the log has the reason under the request's id. */
function problemPages(reply: Reply, logger: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined)
        showProblem(ctx, reply, Object.assign(new Error('no such page'), { status: 404 }));
    } catch (error) {
      const { status } = showProblem(ctx, reply, error);
      if (status >= 500) logger.error({ err: error, id: ctx.state['requestId'] }, 'request failed');
    }
  };
}

function showProblem(ctx: Context, reply: Reply, error: unknown): { status: number } {
  const { kind, status, retryAfter } = problemOf(error);
  if (retryAfter !== null) ctx.set('Retry-After', String(retryAfter));
  const retry = kind === 'busy' || kind === 'server' ? (ctx.method === 'GET' ? ctx.url : '/') : null;
  reply(
    ctx,
    ProblemPage,
    {
      kind,
      requestId: String(ctx.state['requestId']),
      wayBack: null,
      retryHref: retry,
      ...(retryAfter === null ? {} : { retryAfterMinutes: Math.max(1, Math.ceil(retryAfter / 60)) }),
    },
    { status, path: ctx.method === 'GET' ? ctx.url : '/' },
  );
  return { status };
}

/**
 * The outer Koa, in the order a request meets it: how long its answer may wait, host and forwarding headers, probes, log,
 * headers, our pages, and the provider behind them.
 */
export function server(parts: ServerParts): Koa {
  const { issuer, reply, logger, pages } = parts;
  const app = new Koa({ proxy: false });
  app.keys = parts.cookieSigner;
  app.on('error', (error: Error) => logger.error({ err: error }, 'http: a request failed'));
  const trusted = proxyList(parts.trustedProxies);
  const secure = issuer.startsWith('https:');
  app.use(cutOffUnread(values.unreadAnswer));
  app.use(guardHost(issuer, trusted));
  app.use(async (ctx, next) => {
    // What a browser reached us by is the issuer's scheme: behind a proxy the socket itself is plain.
    if (secure) Object.defineProperty(ctx.request, 'protocol', { value: 'https' });
    ctx.cookies.secure = secure;
    await next();
  });
  app.use(probes(parts.readiness));
  app.use(requestLog(logger));
  app.use(securityHeaders(issuer));
  app.use(permissionsPolicy);
  app.use(compress({ threshold: 1024, br: false }));
  app.use(serveAssets(assets));
  app.use(knowComputer(pages.cookies));
  app.use(problemPages(reply, logger));
  app.use(refuseNulls);
  if (parts.development !== null) app.use(parts.development);

  const router = new Router();
  router.use(guardForms(issuer), parseForm);
  entryRoutes(router, pages, {
    login: showLogin(pages),
    terms: showTerms(pages),
    news: showNews(pages),
    address: showAddress(pages),
    consent: showConsent(pages),
  });
  loginRoutes(router, pages);
  termsRoutes(router, pages);
  newsRoutes(router, pages);
  addressRoutes(router, pages);
  consentRoutes(router, pages);
  registerRoutes(router, { ...pages, throttles: parts.registerThrottles });
  activateRoutes(router, pages);
  recoverRoutes(router, { ...pages, throttles: parts.recoverThrottles });
  portalRoutes(router, pages);
  passwordRoutes(router, pages);
  permissionRoutes(router, pages);
  deviceRoutes(router, pages);
  signOutRoutes(router, pages);
  doneRoutes(router, pages);
  app.use(router.routes());
  app.use(takePostedRequests);
  app.use(cacheKeys(parts.lookAtKeys));
  app.use(guardConfirm(issuer));
  app.use(guardResume(pages.cookies, pages.interactions));
  app.use(openForms(parts.apps));
  app.use(parts.provider);
  return app;
}

/** Key set and discovery may be kept by apps, no longer than a new key is published before it signs. */
function cacheKeys(look: () => Promise<void>): Middleware {
  return async (ctx, next) => {
    // Apps go on with the keys at hand where the database does not answer.
    if (/^\/jwks\/?$/i.test(ctx.path)) await look().catch(() => {});
    await next();
    const kept = ctx.path === '/jwks' || ctx.path === '/.well-known/openid-configuration';
    if (kept && ctx.status === 200) ctx.set('Cache-Control', `public, max-age=${values.jwksCache}`);
  };
}

/** The database keeps no null character, and no address of ours has one. */
const refuseNulls: Middleware = async (ctx, next) => {
  if (ctx.url.includes('%00')) throw Object.assign(new Error('a null character in the address'), { status: 400 });
  await next();
};

/**
 * The provider's own form of ours, which asks whether to sign out, is guarded like every other, in every spelling of its path:
 * the provider's router takes capitals and a slash at the end.
 */
function guardConfirm(issuer: string): Middleware {
  const guard = guardForms(issuer);
  return async (ctx, next) => (/^\/sign-out\/./i.test(ctx.path) ? guard(ctx, next) : next());
}

/** Pages of the provider (sign-out, `form_post`) may lead to the app they are for, and to no other. */
function openForms(apps: ReadonlyMap<string, AppRegistration>): Middleware {
  return async (ctx, next) => {
    await next();
    const { oidc } = ctx as { oidc?: { client?: { clientId: string } } };
    const app = apps.get(oidc?.client?.clientId ?? '');
    if (app === undefined || !ctx.response.is('html')) return;
    allowReturn(ctx, { ...app, redirect_uris: [...app.redirect_uris, ...(app.post_logout_redirect_uris ?? [])] });
  };
}
