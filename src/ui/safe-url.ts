/**
 * The address if a link may lead there, else `undefined`: `http(s)` addresses and paths of this site. Everything else
 * (`javascript:`, `data:`, `//elsewhere`, `/\elsewhere`) could run in, or leave, our pages. Control characters are refused
 * because browsers drop them before they read an address.
 *
 * @param address what should become an `href`
 */
export function safeUrl(address: string | null | undefined): string | undefined {
  if (address === null || address === undefined || address === '' || hasControls(address)) return undefined;
  if (address.startsWith('#')) return address;
  if (address.startsWith('/')) return safePath(address);
  try {
    const { protocol } = new URL(address);
    return protocol === 'https:' || protocol === 'http:' ? address : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The path if it stays on this site, else `undefined`. For `return` parameters, where another site is never right.
 *
 * @param path `/…` with an optional query
 */
export function safePath(path: string | null | undefined): string | undefined {
  if (path === null || path === undefined || hasControls(path)) return undefined;
  // Browsers read "\" as "/", so "/\host" is another site as much as "//host".
  return /^\/(?![/\\])/.test(path) ? path : undefined;
}

function hasControls(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
