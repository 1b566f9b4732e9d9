import { regions } from './translate.js';
import type { Locale } from './translate.js';

function parts(date: Date, locale: Locale, timeZone: string): Record<'day' | 'month' | 'year', string> {
  const found = new Intl.DateTimeFormat(regions[locale], {
    timeZone,
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  }).formatToParts(date);
  const part = (type: Intl.DateTimeFormatPartTypes) => found.find((candidate) => candidate.type === type)?.value ?? '';
  return { day: part('day'), month: part('month'), year: part('year') };
}

/**
 * A day as people say it: "22 November", "22 de noviembre". The month is always a word, because 5/9 is two different days
 * for two neighbours.
 *
 * @param timeZone IANA name of the district's zone (`TIME_ZONE`)
 * @param now if given, the year is added to a day of another year: "22 November 2025", "22 de noviembre de 2025"
 */
export function formatDate(date: Date, locale: Locale, timeZone: string, now?: Date): string {
  const { day, month, year } = parts(date, locale, timeZone);
  const otherYear = now !== undefined && parts(now, locale, timeZone).year !== year;
  const joint = locale === 'es' ? ' de ' : ' ';
  return otherYear ? `${day}${joint}${month}${joint}${year}` : `${day}${joint}${month}`;
}

/**
 * A calendar day as people say it, as `formatDate`.
 *
 * @param day `YYYY-MM-DD`
 * @param today the same; if given, the year is added to a day of another year
 */
export function formatDay(day: string, locale: Locale, today?: string): string {
  const noon = (date: string): Date => new Date(`${date}T12:00:00Z`);
  return formatDate(noon(day), locale, 'UTC', today === undefined ? undefined : noon(today));
}

/**
 * A day with its time: "22 November, 6:30 AM", "22 de noviembre, 6:30 a. m.".
 *
 * @param timeZone IANA name of the district's zone (`TIME_ZONE`)
 * @param now if given, the year is added to a day of another year
 */
export function formatDateTime(date: Date, locale: Locale, timeZone: string, now?: Date): string {
  const time = new Intl.DateTimeFormat(regions[locale], { timeZone, hour: 'numeric', minute: '2-digit' }).format(date);
  return `${formatDate(date, locale, timeZone, now)}, ${time}`;
}

/** A moment as an operator reads it at a terminal: in UTC, to the minute, "2026-11-22 14:30 UTC". */
export function utcMinute(moment: Date): string {
  return `${moment.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
