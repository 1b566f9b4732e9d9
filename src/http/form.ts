import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';

/** Reads the body of a form, 16 KB at most; anything else than a form is no form. */
export const parseForm: Middleware = bodyParser({
  enableTypes: ['form'],
  formLimit: '16kb',
  encoding: 'utf-8',
  onError: (error) => {
    // What cannot be unpacked comes without a status; whatever it is, it was sent so.
    throw Object.assign(error, { status: 'status' in error ? error.status : 400, expose: true });
  },
});

/** One field of the form as it was typed; of a repeated field the first, of a missing one nothing. */
export function field(ctx: Context, name: string): string {
  const body: unknown = ctx.request.body;
  if (typeof body !== 'object' || body === null || !(name in body)) return '';
  const value: unknown = (body as Record<string, unknown>)[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first.replaceAll('\0', '') : '';
}

/** One named part of the path, as the router found it. */
export function pathPart(ctx: Context, name: string): string {
  const parts: unknown = ctx['params'];
  if (typeof parts !== 'object' || parts === null || !(name in parts)) return '';
  return String((parts as Record<string, unknown>)[name]);
}

/** One parameter of the query; of a repeated one the first. */
export function parameter(ctx: Context, name: string): string {
  const value = ctx.query[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
