import type { Middleware } from 'koa';

/** A form that another site sent, or that a frame of one did. */
export class ForeignForm extends Error {
  readonly status = 403;

  constructor() {
    super('the form was not sent from this site');
    this.name = 'ForeignForm';
  }
}

/**
 * Refuses a form that was not sent from one of our own pages: by Fetch Metadata (`Sec-Fetch-Site`) where the browser
 * sends it, else by `Origin`. A browser that sends neither with a POST does not exist any more; such a request is refused.
 */
export function guardForms(issuer: string): Middleware {
  return async (ctx, next) => {
    if (ctx.method === 'GET' || ctx.method === 'HEAD' || ctx.method === 'OPTIONS') return next();
    const site = ctx.get('Sec-Fetch-Site');
    const origin = ctx.get('Origin');
    const ours = site === '' ? origin === issuer : site === 'same-origin' && (origin === issuer || origin === '');
    if (!ours) throw new ForeignForm();
    return next();
  };
}
