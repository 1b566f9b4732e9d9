import { ForeignForm } from '../../src/http/form-guard.js';
import { Throttled } from '../../src/http/throttle.js';

/** What an error is to the person who meets it. */
export interface Problem {
  kind: 'busy' | 'too-many' | 'forbidden-origin' | 'bad-request' | 'not-found' | 'server';
  status: number;
  /** Seconds, where it is known when to come again. */
  retryAfter: number | null;
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('status' in error)) return 500;
  return typeof error.status === 'number' ? error.status : 500;
}

// These come without a code, or with one (55000) that statements have too.
const connectionMessages =
  /timeout exceeded when trying to connect|Connection terminated|not currently accepting connections/i;
const connectionCodes = /^(08|57P0|53)|^E(CONN|PIPE|TIMEDOUT|AI_AGAIN)/;

/** The database is away or full: the person should come again, the operator is told by `/readyz` and the log. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return connectionCodes.test(code) || connectionMessages.test(error.message);
}

/** Turns whatever was thrown into what a person is told; what is not known is the server's own fault. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Throttled) return { kind: 'too-many', status: 429, retryAfter: error.retryAfter };
  if (error instanceof ForeignForm) return { kind: 'forbidden-origin', status: 403, retryAfter: null };
  if (isOutage(error)) return { kind: 'busy', status: 503, retryAfter: 10 };
  const status = statusOf(error);
  if (status === 503) {
    const wait = typeof error === 'object' && error !== null && 'retryAfter' in error ? Number(error.retryAfter) : 10;
    return { kind: 'busy', status, retryAfter: wait };
  }
  if (status === 404) return { kind: 'not-found', status, retryAfter: null };
  if (status >= 400 && status < 500) return { kind: 'bad-request', status, retryAfter: null };
  return { kind: 'server', status: 500, retryAfter: null };
}
