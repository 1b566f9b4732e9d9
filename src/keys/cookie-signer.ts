import { createHmac, timingSafeEqual } from 'node:crypto';

/** What Koa and the provider sign cookies with (the interface of Keygrip). */
export interface CookieSigner {
  sign(data: string): string;
  verify(data: string, digest: string): boolean;
  index(data: string, digest: string): number;
}

function signature(data: string, key: string): string {
  return createHmac('sha1', key).update(data).digest('base64url');
}

/**
 * Signs cookies with the first key and takes the signatures of all. Unlike Keygrip it does not say by which key a cookie
 * was signed: told of an older one, the library writes the signature anew at once, without the lifetime, path and flags of its cookie,
 * and who asked to be kept signed in would be signed out when the browser closes. The session's cookie is
 * written anew at every sign-in to an app, by the key of then.
 *
 * @param keys at least one; the signatures are Keygrip's (HMAC-SHA1, base64url), so that those of earlier versions are good
 */
export function cookieSigner(keys: readonly string[]): CookieSigner {
  const [first] = keys;
  if (first === undefined) throw new Error('There is no key for cookies.');
  const verify = (data: string, digest: string): boolean => {
    const given = Buffer.from(digest);
    let found = false;
    for (const key of keys) {
      const own = Buffer.from(signature(data, key));
      if (own.length === given.length && timingSafeEqual(own, given)) found = true;
    }
    return found;
  };
  return { sign: (data) => signature(data, first), verify, index: (data, digest) => (verify(data, digest) ? 0 : -1) };
}
