/** How far a zone's clock is ahead of UTC at a moment, in ms. */
function ahead(moment: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const part = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
}

/**
 * Reads a date (the beginning of that day in the zone) or a moment with its offset, as ISO 8601 writes them.
 *
 * @param timeZone IANA name of the district's zone (`TIME_ZONE`)
 * @returns null where it is neither, or a day that no calendar has
 */
export function parseMoment(text: string, timeZone: string): Date | null {
  const [, day] = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text) ?? [];
  if (day === undefined) return null;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return null;
  if (text !== day) {
    const moment = Date.parse(text);
    return Number.isNaN(moment) ? null : new Date(moment);
  }
  // Twice, because the clocks may change between midnight there and midnight in Greenwich.
  const close = midnight - ahead(midnight, timeZone);
  return new Date(midnight - ahead(close, timeZone));
}
