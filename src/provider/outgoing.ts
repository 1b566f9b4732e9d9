/** A request to a place that no app registered. */
class ForbiddenDestination extends Error {
  constructor(origin: string) {
    super(`outgoing requests to ${origin} are not allowed: no app registered it`);
    this.name = 'ForbiddenDestination';
  }
}

/**
 * `fetch` for all the provider asks of apps (key sets, logout): exact registered origins only, the district's private
 * network included; no redirects, five seconds at most. The library caps what it reads of a body.
 *
 * @param origins the origins of the registered addresses
 */
export function guardedFetch(origins: ReadonlySet<string>): typeof fetch {
  return async (input, init) => {
    const { origin } = new URL(input instanceof Request ? input.url : input);
    if (!origins.has(origin)) throw new ForbiddenDestination(origin);
    // The library's own dispatcher refuses every private address; the list above takes its place.
    const options: RequestInit & { dispatcher?: unknown } = { ...init };
    delete options.dispatcher;
    const limit = AbortSignal.timeout(5_000);
    return fetch(input, {
      ...options,
      redirect: 'error',
      signal:
        options.signal === undefined || options.signal === null ? limit : AbortSignal.any([options.signal, limit]),
    });
  };
}
