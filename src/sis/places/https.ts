import { FeedAway, FeedRefused } from '../feeds/format.js';
import type { BringOptions, Brought, Validators } from '../feeds/format.js';
import { spooled } from './spool.js';

export interface FetchOptions extends BringOptions {
  limits?: Partial<FetchLimits>;
}

export interface FetchLimits {
  /** Bytes of the file, unpacked. */
  bytes: number;
  /** For the whole (ms). */
  total: number;
  /** Without a byte (ms). */
  silent: number;
}

const usual: FetchLimits = { bytes: 4 * 2 ** 30, total: 30 * 60_000, silent: 60_000 };

/**
 * Fetches a feed's file by HTTP with a conditional GET (RFC 9110, 13.1). No redirect is followed: the secret goes to the place that the
 * feeds file names and nowhere else.
 *
 * @returns null when the server says that the file is the known one, and was told by what it knows it
 * @throws FeedAway when trying again later may help: no connection, an answer that breaks off or does not come, 408, 429, 5xx
 * @throws FeedRefused when only people can help
 */
export async function fetchFeed({ url, authorization, known, onBytes, limits }: FetchOptions): Promise<Brought | null> {
  const { bytes, total, silent } = { ...usual, ...limits };
  const over = new AbortController();
  const whole = setTimeout(() => over.abort(new FeedAway('The feed’s server did not send its file in time.')), total);
  const quiet = setTimeout(() => over.abort(new FeedAway('The feed’s server fell silent.')), silent);
  try {
    const response = await fetch(url, {
      headers: headersOf(authorization, known),
      redirect: 'manual',
      signal: over.signal,
    });
    if (response.status === 304 && (known?.etag ?? known?.lastModified ?? null) !== null) return null;
    refuseAnswer(response);
    const body = received(response, bytes, (count) => {
      quiet.refresh();
      onBytes?.(count);
    });
    return { ...(await spooled(body)), validators: validatorsOf(response.headers) };
  } catch (error) {
    if (over.signal.aborted) throw over.signal.reason;
    if (error instanceof FeedRefused) throw error;
    throw new FeedAway(`The feed’s server cannot be reached, or broke off (${reasonOf(error)}).`, {}, { cause: error });
  } finally {
    clearTimeout(whole);
    clearTimeout(quiet);
    // Also lets go of an answer whose body was not wanted.
    over.abort();
  }
}

async function* received({ body }: Response, most: number, tell: (count: number) => void): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of body ?? []) {
    count += chunk.length;
    if (count > most) throw new FeedRefused(`The feed’s file has more than ${Math.floor(most / 2 ** 20)} MB.`);
    tell(count);
    yield chunk;
  }
}

function headersOf(authorization: string | null, known: Validators | null): Record<string, string> {
  const { etag, lastModified } = known ?? { etag: null, lastModified: null };
  return {
    'user-agent': 'parent-access',
    accept: 'text/csv, application/zip, application/octet-stream, */*;q=0.5',
    // Packed on its way, what breaks off would be unpacked as far as it goes and taken for the whole.
    'accept-encoding': 'identity',
    ...(authorization === null ? {} : { authorization }),
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(lastModified === null ? {} : { 'if-modified-since': lastModified }),
  };
}

/** Sent back, longer ones (characters) would fill the head of a request, which servers then refuse. */
const longestValidators = 1_024;

/** A file that was written less long ago (ms) may have been written again since, under the same time. */
const settled = 60_000;

/**
 * What may be asked by the next time. Two files that were written one right after the other can have one time, which counts seconds, one tag made
 * of it, or one weak tag (RFC 9110, 8.8.1): the server would keep the later one back until the next export, with the restrictions in it.
 */
function validatorsOf(headers: Headers): Validators {
  const [etag, lastModified] = [headers.get('etag'), headers.get('last-modified')];
  if (`${etag ?? ''}${lastModified ?? ''}`.length > longestValidators) return { etag: null, lastModified: null };
  const isSettled =
    lastModified === null
      ? etag?.startsWith('W/') === false
      : Date.parse(headers.get('date') ?? '') - Date.parse(lastModified) >= settled;
  return isSettled ? { etag, lastModified } : { etag: null, lastModified: null };
}

function refuseAnswer({ status, headers }: Response): void {
  if (status === 401 || status === 403) {
    throw new FeedRefused(`The feed’s server answered ${status}: the feed’s secret is missing, wrong or expired.`);
  }
  if (status >= 300 && status < 400 && status !== 304) {
    throw new FeedRefused(
      `The feed’s server leads elsewhere (${status}): write the final address into the feeds file.`,
    );
  }
  if (status === 408 || status === 429 || status >= 500) throw new FeedAway(`The feed’s server answered ${status}.`);
  if (status !== 200) throw new FeedRefused(`The feed’s server answered ${status} in place of its file.`);
  // A sign-in page answers 200, and would look like a broken file.
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) {
    throw new FeedRefused('The feed’s server answered with a web page in place of its file.');
  }
}

/** The code of a network error, and nothing of the address. */
function reasonOf(error: unknown): string {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = 'cause' in at ? at.cause : null) {
    if ('code' in at && typeof at.code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(at.code)) return at.code;
  }
  return 'unknown';
}
