import type { Middleware } from 'koa';

/** One thing that must work before this instance may serve; throws when it does not. */
export type Readiness = Record<string, () => Promise<void>>;

/**
 * `/healthz`: the process answers. `/readyz`: it can serve; else 503 with the names of what is missing, no reasons.
 */
export function probes(checks: Readiness): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/healthz') {
      ctx.body = { status: 'ok' };
      return;
    }
    if (ctx.path !== '/readyz') return next();
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('timeout')), 3_000).unref());
        return Promise.race([check(), late]).then(
          () => null,
          () => name,
        );
      }),
    );
    const missing = results.filter((name) => name !== null);
    ctx.status = missing.length === 0 ? 200 : 503;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = missing.length === 0 ? { status: 'ready' } : { status: 'not ready', missing };
  };
}
