import { createHmac, timingSafeEqual } from 'node:crypto';
import { newSecret } from '../database/secrets.js';

/** As many people as share a family's computer are remembered on it. */
const most = 5;

/** The mark of one person on one device: only this deployment can make it, and it does not tell who it is. */
function mark(key: Uint8Array, device: string, identifier: string): string {
  return createHmac('sha256', key).update(`known device ${device}\n${identifier}`).digest('base64url').slice(0, 22);
}

/**
 * Recognises a browser from which its owner signed in before, by its cookie alone: the limits of strangers need not stop
 * it, and nothing is looked up to know it. Whoever steals such cookies, or once knew the password and collected them, gains
 * ten tries in fifteen minutes over all of them.
 *
 * @param key SECRETS_KEY
 * @param cookie what `rememberDevice` gave
 * @param identifier the normalised e-mail or sign-in name
 * @returns the device's own random name, or null when this person never signed in there
 */
export function knownDevice(key: Uint8Array, cookie: string | undefined, identifier: string): string | null {
  const [device = '', ...marks] = (cookie ?? '').split('.');
  if (device === '' || marks.length > most) return null;
  const own = Buffer.from(mark(key, device, identifier));
  return marks.some((each) => each.length === own.length && timingSafeEqual(Buffer.from(each), own)) ? device : null;
}

/** The cookie of a browser after a sign-in: its earlier people stay known, the oldest gives way. */
export function rememberDevice(key: Uint8Array, cookie: string | undefined, identifier: string): string {
  const [before = '', ...marks] = (cookie ?? '').split('.');
  const device = before === '' ? newSecret() : before;
  const own = mark(key, device, identifier);
  return [device, own, ...marks.filter((each) => each !== own)].slice(0, most + 1).join('.');
}
