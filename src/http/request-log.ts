import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Logger } from 'pino';

/** Gives each request an id (also the `X-Request-Id` of the answer) and one log line: the route, never its query or body. */
export function requestLog(logger: Logger): Middleware {
  return async (ctx, next) => {
    const id = randomUUID();
    ctx.state['requestId'] = id;
    ctx.set('X-Request-Id', id);
    const start = performance.now();
    try {
      await next();
    } finally {
      // A path that nobody has is somebody's typing, which may hold anything.
      const known = ctx.path.replaceAll(/[A-Za-z0-9_-]{20,}/g, ':id').slice(0, 120);
      const route = ctx.status === 404 || /[^a-z/.:_-]/i.test(known) ? '(other)' : known;
      logger.info(
        { id, method: ctx.method, route, status: ctx.status, ms: Math.round(performance.now() - start) },
        'request',
      );
    }
  };
}
