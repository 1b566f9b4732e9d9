import { parsePhoneNumberFromString } from 'libphonenumber-js/core';
import type { CountryCode } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/min/metadata';

const extension = /\s*(?:,|;)?\s*(?:x|ext\.?|extension|#)\s*\.?:?\s*\d{1,7}\s*$/i;
const northAmerican = /^(?:\+?1)?([2-9]\d{2}[2-9]\d{6})$/;
const oneDigitOnly = /^\+?1?(\d)\1{6,}$/;

/** A phone number as people write it: `(213) 241-5200`; one of another country with its code. */
export function readablePhone(e164: string): string {
  const parsed = parsePhoneNumberFromString(e164, metadata);
  if (parsed === undefined) return e164;
  return parsed.countryCallingCode === '1' ? parsed.formatNational() : parsed.formatInternational();
}

/**
 * A phone number as a SIS or a parent writes it, as E.164 (`+12132415200`); an extension is dropped.
 * A number counts when its length is possible in its country: which ranges are assigned changes faster than any table.
 *
 * @param defaultCountry ISO 3166 code of a number without a country code
 * @returns null when there is no number in it that could be dialled, or more than one
 */
export function normalisePhone(raw: string, defaultCountry: CountryCode = 'US'): string | null {
  const text = raw
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim()
    .replace(extension, '');
  if (text === '' || text.length > 40) return null;
  const digits = text.replace(/[\s().\-\p{Pd}/]/gu, '');
  if (oneDigitOnly.test(digits)) return null;
  const plain = defaultCountry === 'US' ? northAmerican.exec(digits) : null;
  if (plain !== null) return `+1${plain[1]}`;
  // Until 2019 Mexican mobiles were dialled with a 1 after the country code, and many are still written so.
  const parsed = parsePhoneNumberFromString(
    text.replace(/^(\+|011)\s*52\s*1\s*(?=(?:\D*\d){10}$)/, '+52'),
    { defaultCountry, extract: false },
    metadata,
  );
  return parsed?.isPossible() === true ? parsed.number : null;
}
