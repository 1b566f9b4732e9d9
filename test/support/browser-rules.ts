import type { IncomingHttpHeaders } from 'node:http';

/** What the rules need to know of the page from which a person goes on. */
interface Initiator {
  url: string;
  headers: IncomingHttpHeaders;
}

/** The site of an address: scheme and host without port (HTML; our hosts are single labels and IP addresses). */
function siteOf(url: string): string {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}`;
}

/**
 * The value of `Sec-Fetch-Site`: how the initiator stands to the *worst* address of the redirect chain (Fetch Metadata §2.3).
 */
export function fetchSite(
  initiator: string | null,
  chain: string[],
): 'none' | 'same-origin' | 'same-site' | 'cross-site' {
  if (initiator === null) return 'none';
  const { origin } = new URL(initiator);
  if (chain.every((url) => new URL(url).origin === origin)) return 'same-origin';
  return chain.every((url) => siteOf(url) === siteOf(initiator)) ? 'same-site' : 'cross-site';
}

function referrerPolicy({ headers }: Initiator): string {
  const named = [headers['referrer-policy'] ?? []].flat().join(',');
  return named.split(',').at(-1)?.trim() || 'strict-origin-when-cross-origin';
}

function downgrades(from: string, to: string): boolean {
  return from.startsWith('https:') && !to.startsWith('https:');
}

/** The value of `Referer` by the policy of the initiating page (Referrer Policy §8.3). */
export function refererHeader(initiator: Initiator | null, url: string): string | undefined {
  if (initiator === null) return undefined;
  const from = new URL(initiator.url);
  from.hash = '';
  const origin = `${from.origin}/`;
  const same = new URL(url).origin === from.origin;
  const down = downgrades(initiator.url, url);
  switch (referrerPolicy(initiator)) {
    case 'no-referrer':
      return undefined;
    case 'same-origin':
      return same ? from.href : undefined;
    case 'origin':
      return origin;
    case 'strict-origin':
      return down ? undefined : origin;
    case 'origin-when-cross-origin':
      return same ? from.href : origin;
    case 'no-referrer-when-downgrade':
      return down ? undefined : from.href;
    case 'unsafe-url':
      return from.href;
    default:
      return same ? from.href : down ? undefined : origin;
  }
}

/**
 * The value of `Origin` of a form (Fetch, "append a request Origin header"): a page with `no-referrer` sends `null` even to
 * itself, and so does a form that a redirect took through another origin.
 */
export function originHeader(initiator: Initiator | null, chain: string[]): string {
  if (initiator === null) return 'null';
  const { origin } = new URL(initiator.url);
  const url = chain.at(-1) ?? initiator.url;
  const origins = chain.map((hop) => new URL(hop).origin);
  if (origins.some((hop, at) => at > 0 && hop !== origins[at - 1] && origins[at - 1] !== origin)) return 'null';
  switch (referrerPolicy(initiator)) {
    case 'no-referrer':
      return 'null';
    case 'same-origin':
      return new URL(url).origin === origin ? origin : 'null';
    case 'unsafe-url':
    case 'origin':
    case 'origin-when-cross-origin':
      return origin;
    default:
      return downgrades(initiator.url, url) ? 'null' : origin;
  }
}

function matches(source: string, url: URL, own: string): boolean {
  if (source === "'self'") return url.origin === own;
  if (source === "'none'") return false;
  if (source === '*') return true;
  if (source.endsWith(':')) return url.protocol === source;
  const [, scheme, host, port, path] = /^(?:([a-z]+):\/\/)?([^/:]+)(?::(\d+|\*))?(\/.*)?$/i.exec(source) ?? [];
  if (host === undefined) return false;
  const hostFits = host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : host === url.hostname;
  const schemeFits = scheme === undefined || `${scheme}:` === url.protocol;
  const portFits = port === '*' || (port ?? '') === url.port;
  return hostFits && schemeFits && portFits && (path === undefined || url.pathname.startsWith(path));
}

/** Whether the page's Content-Security-Policy lets a form of it go to an address; browsers ask this of redirects too. */
export function allowsFormAction(initiator: Initiator, url: string): boolean {
  const policies = [initiator.headers['content-security-policy'] ?? []].flat().join(',').split(',');
  return policies.every((policy) => {
    const directive = policy
      .split(';')
      .map((part) => part.trim().split(/\s+/))
      .find(([name]) => name?.toLowerCase() === 'form-action');
    if (directive === undefined) return true;
    return directive.slice(1).some((source) => matches(source, new URL(url), new URL(initiator.url).origin));
  });
}
