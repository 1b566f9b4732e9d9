import type { Context } from 'koa';

/** Names and flags of our own cookies: `__Host-` where HTTPS lets us, HttpOnly, SameSite=Lax, signed by the app's keys. */
export interface CookieJar {
  get(ctx: Context, name: string): string | undefined;
  /** Without its signature: for what proves itself, and lives longer than the keys that sign cookies. */
  getUnsigned(ctx: Context, name: string): string | undefined;
  set(ctx: Context, name: string, value: string, seconds: number): void;
  clear(ctx: Context, name: string): void;
}

export function cookieJar(issuer: string): CookieJar {
  const secure = issuer.startsWith('https:');
  const full = (name: string): string => `${secure ? '__Host-' : ''}pa-${name}`;
  const flags = { httpOnly: true, sameSite: 'lax', secure, signed: true, path: '/', overwrite: true } as const;
  return {
    get: (ctx, name) => ctx.cookies.get(full(name), { signed: true }),
    getUnsigned: (ctx, name) => ctx.cookies.get(full(name), { signed: false }),
    set: (ctx, name, value, seconds) => ctx.cookies.set(full(name), value, { ...flags, maxAge: seconds * 1000 }),
    clear: (ctx, name) => ctx.cookies.set(full(name), null, flags),
  };
}
