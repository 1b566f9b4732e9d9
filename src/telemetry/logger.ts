import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

const address = /[^\s@<>"'=:,;()]+@[^\s@<>"'=:,;()]+/g;
const phone = /(?<!\w)(?:\+?1[\s.-]?)?\(?\d{3}\)?[\s.-]?\d{3}[\s.-]?\d{4}\b/g;
/** Long runs of letters and digits mixed: tokens, codes, digests, cookie values. */
const secret = /\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}\b/g;

/**
 * A text of somebody else (a mail server, a driver, an app) without what it may quote: addresses, phones and secrets give
 * way to a word. Line breaks go too, so that one event stays one line for whoever reads it.
 */
export function withoutPersonalData(text: string): string {
  return text
    .replaceAll(address, '[address]')
    .replaceAll(secret, '[secret]')
    .replaceAll(phone, '[phone]')
    .replaceAll(/[\r\n\u2028\u2029]+/g, ' ')
    .slice(0, 500);
}

const toldFields = ['code', 'status', 'statusCode', 'responseCode', 'command', 'constraint', 'table', 'error'] as const;

/**
 * An error as the log tells it: a short list of fields that hold no data of a person. Drivers put rows, statements and
 * recipients into others (`detail`, `parameters`, `response`, `rejected`), which are not written at all.
 */
function toldError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const told: Record<string, unknown> = { type: error.name, message: withoutPersonalData(error.message) };
  for (const field of toldFields) {
    const value: unknown = Reflect.get(error, field);
    if (typeof value === 'number') told[field] = value;
    if (typeof value === 'string') told[field] = withoutPersonalData(value);
  }
  // Only the places: the first lines of a stack repeat the message.
  told['stack'] = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12);
  if (error.cause instanceof Error) told['cause'] = toldError(error.cause);
  return told;
}

/**
 * The log: JSON lines with request ids. What could hold a person's data or a secret is not written in the first place.
 *
 * @param destination standard output unless told otherwise
 */
export function makeLogger(config: { logLevel: string }, destination?: DestinationStream): Logger {
  const options = {
    level: config.logLevel,
    base: null,
    serializers: { err: toldError, error: (value: unknown) => (value instanceof Error ? toldError(value) : value) },
    redact: { paths: ['*.password', '*.token', '*.email', '*.phone', '*.cookie', '*.authorization'], remove: true },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
