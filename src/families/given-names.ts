import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';

// Combining marks, characters that nobody sees, and signs within a name.
const dropped =
  '[\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe00-\\ufe0f\\ufe20-\\ufe2f' +
  '\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff' +
  "''’‘ʼ`.]";
const spaces = String.raw`[\s_,\u2010-\u2015-]+`;

/**
 * One form of a given name for comparing, as `nameKey` has it of whole names: what two schools write as "José" and "JOSE" is equal.
 *
 * @param column such as `s.given_name`
 */
export function givenNameKey(column: string): RawBuilder<string> {
  // Taken apart first, so that small letters are found whatever the database's locale is.
  const apart = `translate(normalize(${column}, NFKD), 'øØđĐłŁı', 'ooddlli')`;
  return sql.raw<string>(
    `btrim(regexp_replace(lower(regexp_replace(${apart}, '${dropped}', '', 'g')), '${spaces}', ' ', 'g'))`,
  );
}
