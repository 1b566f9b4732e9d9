import { setTimeout as pause } from 'node:timers/promises';

/** What the doctor found out about one thing. No sentence holds a secret, a token or a person's data. */
export interface Check {
  name: string;
  state: 'ok' | 'warning' | 'failed';
  /** What is so, in one sentence. */
  found: string;
  /** What to do, in one sentence; null where nothing is to be done. */
  repair: string | null;
}

export const ok = (name: string, found: string): Check => ({ name, state: 'ok', found, repair: null });

export const warning = (name: string, found: string, repair: string): Check => ({
  name,
  state: 'warning',
  found,
  repair,
});

export const failed = (name: string, found: string, repair: string): Check => ({
  name,
  state: 'failed',
  found,
  repair,
});

/** A check that cannot be made as long as another thing is broken; that other one counts as failed. */
export const notChecked = (name: string, because: string): Check =>
  warning(name, `Not checked: ${because}.`, 'Repair that first, then run `parent-access doctor` again.');

/** No check takes longer than this, in ms. */
const limit = 10_000;

/**
 * Makes checks that may hang or break: whatever happens becomes a check, within ten seconds.
 *
 * @param name of the check that says so where they could not be made
 * @param repair what to do then
 */
export async function bounded(
  name: string,
  repair: string,
  make: () => Promise<Check | Check[]>,
  within = limit,
): Promise<Check[]> {
  const over = new AbortController();
  try {
    const made = await Promise.race([
      make(),
      pause(within, null, { signal: over.signal }).then(() =>
        failed(name, `It did not end within ${Math.ceil(within / 1000)} seconds.`, repair),
      ),
    ]);
    return [made].flat();
  } catch (error) {
    return [failed(name, `It could not be checked: ${reasonOf(error)}.`, repair)];
  } finally {
    over.abort();
  }
}

const words: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there (connection refused)',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to that machine',
  ENETUNREACH: 'there is no way to that network',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name cannot be resolved now',
  EDNS: 'the name does not resolve',
  ETIMEDOUT: 'no answer came in time',
  ETLS: 'the TLS connection failed',
  EAUTH: 'the user name and password are refused',
  ENOENT: 'it is not there',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a file stands where a folder is needed',
  EISDIR: 'it is a folder',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes without its chain',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
  '28P01': 'it refuses the password',
  '28000': 'it refuses the user',
  '3D000': 'it has no such database',
  '42501': 'a right is missing',
  '42P01': 'a table is missing',
  '53300': 'it has no connection left',
  '57P03': 'it is starting or stopping',
};

/** What is read of an error. By its shape: errors of the platform are not always of this context's `Error`. */
interface Fault {
  name: string;
  message: string;
  code: string;
  cause: unknown;
}

function faultOf(error: unknown): Fault | null {
  if (typeof error !== 'object' || error === null) return null;
  const { name, message, code, cause } = error as Record<string, unknown>;
  return { name: String(name), message: String(message), code: typeof code === 'string' ? code : '', cause };
}

/** Whether an error has this code. */
export function hasCode(error: unknown, code: string): boolean {
  return faultOf(error)?.code === code;
}

/**
 * The reason of an error in our own words. Messages of libraries and servers may repeat what was sent to them, a password too:
 * none of them is passed on.
 */
export function reasonOf(error: unknown): string {
  const fault = faultOf(error);
  if (fault === null) return 'the reason is unknown';
  // The innermost says most: fetch wraps what the socket said.
  const inner = knownReason(faultOf(fault.cause));
  return inner ?? knownReason(fault) ?? (fault.code === '' ? fault.name : fault.code);
}

function knownReason(fault: Fault | null): string | null {
  if (fault === null) return null;
  const { name, message, code } = fault;
  // nodemailer keeps its own code and the socket's in the message alone.
  const told = code === '' || code === 'ESOCKET' ? Object.keys(words).find((word) => message.includes(word)) : code;
  const known = told === undefined ? undefined : words[told];
  if (known !== undefined) return known;
  if (/unexpected redirect/.test(message)) return 'it redirects, and redirects are not followed';
  return name === 'TimeoutError' || /timeout|timed out/i.test(message) ? 'no answer came in time' : null;
}
