import type { Context, Middleware } from 'koa';
import helmet from 'koa-helmet';

/**
 * The headers of every answer. No script at all is allowed but our own files; `form-action` is opened per page, to the
 * app of that interaction, because browsers apply it to the redirect that leads back to the app.
 */
export function securityHeaders(issuer: string): Middleware {
  const https = issuer.startsWith('https:');
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // Only the origin, so that no link's token leaves in a Referer, and `Origin` still comes with our own forms.
    referrerPolicy: { policy: 'strict-origin' },
    xFrameOptions: { action: 'deny' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
    crossOriginResourcePolicy: false,
  });
}

/** Denies every powerful browser feature: these pages use none. */
export const permissionsPolicy: Middleware = async (ctx, next) => {
  ctx.set(
    'Permissions-Policy',
    'accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()',
  );
  await next();
};

/** Lets the script of this answer's page ask this site whether more has arrived. */
export function askAgain(ctx: Context): void {
  ctx.set('Content-Security-Policy', `${ctx.response.get('Content-Security-Policy')};connect-src 'self'`);
}

/** Lets the forms of this answer, and the redirects behind them, lead to one more origin. */
export function allowFormAction(policy: string, origin: string): string {
  return policy.replace(/form-action ([^;]*)/, (_, sources: string) => `form-action ${sources} ${origin}`);
}
