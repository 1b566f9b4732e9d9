/**
 * Where a text stops being JSON, as far as the parser says it. Its own words are not passed on: they quote the text around
 * the fault, which may be a secret that was pasted into the wrong file.
 *
 * @param error what `JSON.parse` threw
 * @returns ` (line 3 column 7)`, or nothing
 */
export function jsonFault(error: unknown): string {
  const place = error instanceof Error ? /\(line \d+ column \d+\)/.exec(error.message)?.[0] : undefined;
  return place === undefined ? '' : ` ${place}`;
}
