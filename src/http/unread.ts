import type { Middleware } from 'koa';

/**
 * Ends the connection of whoever does not take an answer that is ready. Node bounds how long a request may take to come, not
 * how long an answer may take to be read: who sends requests on one connection and reads nothing would keep it, and the
 * answers that wait behind each other, for ever.
 *
 * @param seconds from when the answer is made until all of it has left for the network
 */
export function cutOffUnread(seconds: number): Middleware {
  return (ctx, next) =>
    next().finally(() => {
      const { req, res } = ctx;
      if (res.closed) return;
      const late = setTimeout(() => req.socket.destroy(), seconds * 1_000).unref();
      res.once('close', () => clearTimeout(late));
    });
}
