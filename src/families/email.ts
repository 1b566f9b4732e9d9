import { domainToASCII } from 'node:url';

export type EmailProblem = 'missing' | 'invalid' | 'placeholder' | 'several';
export type NormalEmail = { email: string } | { problem: EmailProblem };

const plainAddress =
  /^[a-z0-9][a-z0-9_+-]*(?:\.[a-z0-9_+-]+)*@[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)*\.[a-z]{2,24}$/;
const localPart = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const domainPart = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59})$/;

const words = new Set([
  'none',
  'no',
  'na',
  'n/a',
  'n.a.',
  'n.a',
  'nil',
  'null',
  '-',
  '--',
  '.',
  'x',
  'xx',
  'xxx',
  'unknown',
  'declined',
  'refused',
  'no email',
  'no e-mail',
  'noemail',
  'no tiene',
  'ninguno',
  'pending',
  'tbd',
  '0',
]);
const locals = new Set([
  'none',
  'noemail',
  'no-email',
  'no.email',
  'no_email',
  'nomail',
  'no-mail',
  'noone',
  'nobody',
  'unknown',
  'refused',
  'declined',
  'noreply',
  'no-reply',
  'donotreply',
  'notprovided',
]);
const domains = new Set([
  'none',
  'noemail',
  'no-email',
  'nomail',
  'no-mail',
  'noone',
  'nowhere',
  'na',
  'unknown',
  'fake',
]);

/**
 * An e-mail address in the one form in which we store, compare and use it, whoever typed it: without case, stray spaces,
 * invisible characters and trailing punctuation; full-width letters and dots as ASCII; an international domain in its ASCII form (UTS 46).
 * A local part with letters beyond ASCII is refused: a look-alike letter must not make a second form of somebody's mailbox.
 * Mail goes to this form only, so that a look-alike that folds into it reaches the mailbox's owner.
 */
export function normaliseEmail(raw: string): NormalEmail {
  const quick = raw.trim().toLowerCase();
  // Only ASCII passes the plain form; lower-casing alone would let the Kelvin sign in as "k", so the raw text is tested too.
  const ascii = /^[\x20-\x7e]*$/.test(raw);
  if (ascii && quick.length <= 254 && plainAddress.test(quick)) return judged(quick);
  const text = (
    ascii
      ? quick
      : raw
          .normalize('NFKC')
          .replace(/\p{Cf}/gu, '')
          .replace(/[。｡]/g, '.')
          .toLowerCase()
          .trim()
  )
    .replace(/^mailto:/, '')
    .replace(/\s*@\s*/g, '@');
  if (text === '') return { problem: 'missing' };
  if (text.length > 1_000) return { problem: 'invalid' };
  if (words.has(text)) return { problem: 'placeholder' };
  const pieces = text.split(/[\s,;|<>()"]+|(?<=\.[a-z]{2,6})\/(?=\S*@)/).filter((piece) => piece.includes('@'));
  const addresses = new Set(pieces.map((piece) => piece.replace(/^[.:']+|[.:']+$/g, '')));
  if (addresses.size > 1) return { problem: 'several' };
  const [address] = addresses;
  // What stands beside the address must be a name or nothing: "maria lopez@example.org" could be anybody's.
  if (address === undefined || !isAlone(text, address)) return { problem: 'invalid' };
  return checked(address);
}

function isAlone(text: string, address: string): boolean {
  const rest = text
    .split(address)
    .join('')
    .replace(/[.,;:'"]/g, '')
    .trim();
  return rest === '' || /<[^<>]*>$/.test(text);
}

function checked(address: string): NormalEmail {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = domainToASCII(address.slice(at + 1).replace(/\.$/, ''));
  if (local.length > 64 || !localPart.test(local) || !domainPart.test(domain)) return { problem: 'invalid' };
  return judged(`${local}@${domain}`);
}

function judged(address: string): NormalEmail {
  const at = address.lastIndexOf('@');
  const name =
    address
      .slice(at + 1)
      .split('.')
      .at(-2) ?? '';
  if (at > 64) return { problem: 'invalid' };
  return locals.has(address.slice(0, at)) || domains.has(name) ? { problem: 'placeholder' } : { email: address };
}
