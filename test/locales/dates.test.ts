import { describe, expect, it } from '@jest/globals';
import { formatDate, formatDateTime } from '../../src/locales/dates.js';

const zone = 'America/Los_Angeles';

/** ICU sets narrow no-break spaces into times; for these tests a space is a space. */
function plain(text: string): string {
  return text.replaceAll(/\s/gu, ' ');
}

describe('dates', () => {
  it('says the day in the district, whatever the clock in Greenwich says', () => {
    const night = new Date('2026-11-23T05:00:00Z');
    expect(formatDate(night, 'en', zone)).toBe('22 November');
    expect(formatDate(night, 'es', zone)).toBe('22 de noviembre');
  });

  it('adds the year to a day of another year', () => {
    const now = new Date('2026-11-23T20:00:00Z');
    expect(formatDate(new Date('2025-11-22T20:00:00Z'), 'en', zone, now)).toBe('22 November 2025');
    expect(formatDate(new Date('2025-11-22T20:00:00Z'), 'es', zone, now)).toBe('22 de noviembre de 2025');
    expect(formatDate(new Date('2026-01-02T20:00:00Z'), 'en', zone, now)).toBe('2 January');
  });

  it('says the time in the district', () => {
    const morning = new Date('2026-11-22T14:30:00Z');
    expect(plain(formatDateTime(morning, 'en', zone))).toBe('22 November, 6:30 AM');
    expect(plain(formatDateTime(morning, 'es', zone))).toMatch(/^22 de noviembre, 6:30 a\. ?m\.$/);
  });
});
