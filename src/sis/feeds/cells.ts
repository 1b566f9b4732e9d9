/** Characters that a cell may hold at most; no real name, address or note comes near. */
export const longest = 500;

/** A flag of a feed: `yes` or `no` in any case; undefined for anything else. The caller keeps empty as unknown. */
export function flag(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === 'yes' ? true : word === 'no' ? false : undefined;
}

/** A calendar day, ISO (`2011-09-09`) or US (`9/9/2011`), as ISO; undefined when there is no such day. */
export function day(text: string): string | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (iso !== null) return realDay(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const us = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text);
  return us === null ? undefined : realDay(Number(us[3]), Number(us[1]), Number(us[2]));
}

const daysOf = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function realDay(year: number, month: number, date: number): string | undefined {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  if (year < 1800 || date < 1 || date > (daysOf[month - 1] ?? 0) + leap) return undefined;
  return `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`;
}

/**
 * A moment, or a day alone (its midnight), as ISO 8601; without an offset it is taken as UTC, which is enough for ordering
 * rows of one SIS. Undefined when there is no such moment.
 */
export function moment(text: string): string | undefined {
  const [, date, time = '00:00', zone = 'Z'] =
    /^(\S+?)(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?(Z|[+-]\d{2}:?\d{2})?$/i.exec(text) ?? [];
  const iso = date === undefined ? undefined : day(date);
  if (iso === undefined) return undefined;
  const offset = /^z$/i.test(zone) ? 'Z' : zone.replace(/^(.\d{2}):?(\d{2})$/, '$1:$2');
  const parsed = new Date(`${iso}T${time}${offset}`);
  return Number.isNaN(parsed.getTime()) ? undefined : parsed.toISOString();
}

// Spaces that are not one plain space between two words: a test that most cells pass costs less than a replacement.
const untidy = /\s\s|[^\S ]|^ | $/;

/** A cell without stray spaces. */
export function tidy(cell: string): string {
  return untidy.test(cell) ? cell.replace(/\s+/g, ' ').trim() : cell;
}
