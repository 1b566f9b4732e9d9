import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { mailboxSharers } from '../../src/families/candidates.js';
import { feedsFile, now, row } from '../sis/extract.js';
import type { District, Row } from '../sis/extract.js';
import { useDistrict } from '../sis/use-district.js';

const base = feedsFile();
const checks = { feed_share: 1, school_share: 1, row_share: 1 };
const later = new Date(now.getTime() + 86_400_000);
const known = Array.from({ length: 10 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const order = [{ ...known[0], restricted: 'yes', restriction_type: 'custody' }, ...known.slice(1)];

function many(count: number, of: (index: number) => Row): Row[] {
  return Array.from({ length: count }, (_, index) => of(index));
}

/** A letter for each digit: names have no numbers that count. */
const spelt = (index: number): string => [...String(index)].map((digit) => 'abcdefghij'[Number(digit)]).join('');

/**
 * What stands in all records that lack it, as an export writes a zero for ids or a school its own office: each held against each, thousands
 * keep an import busy for hours, and the other SIS's with it. Here a statement of any connection is given up after a quarter of a minute.
 */
describe('one thing on thousands of rows keeps nobody waiting', () => {
  let db: Database;
  let town: District;
  const file = { ...base, feeds: base.feeds.map((feed) => ({ ...feed, checks: { ...feed.checks, ...checks } })) };
  const prepare = async (fresh: Database): Promise<void> => {
    await sql`select set_config('statement_timeout', '15s', false)`.execute(fresh);
    await sql`do $$ begin execute format('alter database %I set statement_timeout = ''15s''', current_database()); end $$`.execute(
      fresh,
    );
  };
  useDistrict('postgres', (made) => ({ db, town } = made), { file, prepare });

  it('one id of a child', async () => {
    await town.load(known);
    const day = (index: number): string => `${2010 + (index % 8)}-0${1 + (index % 9)}-11`;
    const zeros = many(4_000, (n) => row('0', `C${n}`, { student_given_name: spelt(n), birth_date: day(n) }));
    const report = await town.load([...order, ...zeros], 'elementary', later);
    expect(report).toMatchObject({ state: 'applied', counts: { restricted: 1, skipped: 4_000 } });
  });

  it('one id of a contact', async () => {
    await town.load(known);
    const cells = (n: number): Row => ({ given_name: spelt(n), email: `${spelt(n)}@example.org`, phone1: '' });
    const zeros = many(12_000, (n) => row(`K${n}`, '0', cells(n)));
    const report = await town.load([...order, ...zeros], 'elementary', later);
    expect(report).toMatchObject({ state: 'applied', counts: { restricted: 1, skipped: 12_000 } });
  });

  it('one name, mailbox and phone, in a year in which all ids are new', async () => {
    const office = { given_name: 'Office', family_name: 'School', email: 'office@example.org' };
    const by = (letter: string): Row[] => many(3_500, (n) => row(`K${n}`, `${letter}${n}`, office));
    await town.load([...known, ...by('A')]);
    const report = await town.load([...order, ...by('B')], 'elementary', later);
    expect(report).toMatchObject({ state: 'applied', counts: { restricted: 1, ended: 0, applied: 0 } });
    expect(await mailboxSharers(db, 'office@example.org')).toMatchObject([{ nameKey: 'office school' }]);
  });

  it('one mailbox of whom it is asked who they are', async () => {
    const { rows } = await sql<{ id: string }>`
      insert into contacts (sis, sis_id, given_name, family_name, name_key, email, current, facts_loaded_at, email_loaded_at, phones_stated)
      select 'elementary', 'C' || n, 'Office', 'School', 'office school', 'office@example.org', true, ${now}, ${now}, ''
      from generate_series(1, 40000) n returning id`.execute(db);
    await sql`
      insert into contact_phones (contact_id, position, raw, e164, type, loaded_at)
      select id, 1, '', '+1213' || (5550000 + n), 'mobile', ${now}
      from unnest(${rows.map(({ id }) => id)}::uuid[]) with ordinality as c (id, n)`.execute(db);
    // As after an import of so many.
    await sql`analyze contacts, contact_phones`.execute(db);
    expect(await mailboxSharers(db, 'office@example.org')).toHaveLength(40_000);
  });
});
