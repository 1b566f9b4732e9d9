import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { ruledDatabases } from '../support/database.js';
import { now, row } from './extract.js';
import type { District, Row } from './extract.js';
import { useDistrict } from './use-district.js';

const later = new Date(now.getTime() + 86_400_000);
const hundred = Array.from({ length: 100 }, (_, index) => row(`Kid${index}`, `Mum${index}`));

/** The first of the rows with these cells too. */
function some(count: number, cells: (before: Row, index: number) => Row): Row[] {
  return hundred.map((each, index) => (index < count ? { ...each, ...cells(each, index) } : each));
}

/** A file that lost a column's meaning on its way, with every row and column there. */
describe.each(ruledDatabases)('a file that says something else of many at once, on %s', (kind) => {
  let db: Database;
  let town: District;
  useDistrict(kind, (made) => ({ db, town } = made));

  it.each<[what: string, before: Row[], few: Row[], many: Row[], message: string]>([
    [
      'lifts restrictions',
      some(8, () => ({ restricted: 'yes' })),
      some(8, (_, index) => ({ restricted: index < 2 ? 'no' : 'yes' })),
      some(8, () => ({ restricted: 'no' })),
      "6 of the feed's 6 restrictions would be lifted",
    ],
    [
      'grants rights that were refused',
      some(8, () => ({ ed_rights: 'no' })),
      some(8, (_, index) => ({ ed_rights: index < 2 ? '' : 'no' })),
      some(8, () => ({ ed_rights: 'yes' })),
      "6 of the feed's 6 refused rights would be granted",
    ],
    [
      'gives rights back that passed to students',
      some(8, () => ({ birth_date: '2008-01-01' })),
      some(8, (_, index) => ({ birth_date: index < 2 ? '' : '2008-01-01' })),
      some(8, () => ({ birth_date: '' })),
      "6 of the feed's 6 rights that passed to students would come back",
    ],
    [
      'makes parents of others',
      some(8, () => ({ relation: 'grandmother' })),
      some(8, (_, index) => ({ relation: index < 2 ? 'mother' : 'grandmother' })),
      hundred,
      "6 of the feed's 6 contacts without a right would have one",
    ],
    [
      'ends the protection of families',
      some(8, () => ({ confidential: 'yes' })),
      some(8, (_, index) => ({ confidential: index < 2 ? 'no' : 'yes' })),
      some(8, () => ({ confidential: 'no' })),
      "6 of the feed's 6 protected students would be so no more",
    ],
    [
      'moves addresses',
      hundred,
      some(12, (_, index) => ({ email: `new${index}@example.org` })),
      some(99, (_, index) => ({ email: hundred[index + 1]?.email ?? '' })),
      "99 of the feed's 100 addresses would be other ones or gone",
    ],
    [
      'brings back what ended by its date',
      some(8, () => ({ end_date: '2026-06-30' })),
      some(8, (_, index) => ({ end_date: index < 2 ? '' : '2026-06-30' })),
      hundred,
      "6 of the feed's 6 relationships that ended by their date would stand again",
    ],
    [
      'lets people pick up whom the school refused',
      some(8, () => ({ pickup_ok: 'no' })),
      some(8, (_, index) => ({ pickup_ok: index < 2 ? 'yes' : 'no' })),
      some(8, () => ({ pickup_ok: 'yes' })),
      "6 of the feed's 6 refused pickups would be granted",
    ],
    [
      'takes rights from many',
      hundred,
      some(12, () => ({ ed_rights: 'no' })),
      some(60, () => ({ ed_rights: 'no' })),
      "48 of the feed's 88 rights would be gone",
    ],
    [
      'ends many by a date',
      hundred,
      some(12, () => ({ end_date: '2026-06-30' })),
      some(60, () => ({ end_date: '2026-06-30' })),
      "48 of the feed's 88 rights would be gone",
    ],
    [
      'makes many students adults',
      hundred,
      some(12, () => ({ birth_date: '2007-05-01' })),
      some(60, () => ({ birth_date: '2007-05-01' })),
      "48 of the feed's 88 students under 18 would be so no more",
    ],
    [
      'ends many by a date that is today’s or near, before anybody has seen it',
      hundred,
      some(12, () => ({ end_date: '2026-11-21' })),
      some(60, () => ({ end_date: '2026-11-21' })),
      "48 of the feed's 100 rights would be gone",
    ],
    [
      'makes many students adults in the days that come',
      hundred,
      some(12, () => ({ birth_date: '2008-11-22' })),
      some(60, () => ({ birth_date: '2008-11-22' })),
      "48 of the feed's 100 students under 18 would be so no more",
    ],
    [
      'lets many begin before their date',
      some(8, () => ({ start_date: '2027-08-01' })),
      some(8, (_, index) => ({ start_date: index < 2 ? '' : '2027-08-01' })),
      hundred,
      "6 of the feed's 6 relationships that begin on a later date would stand already",
    ],
    [
      'restricts many, whom no roll back would let in again',
      hundred,
      some(6, () => ({ restricted: 'yes' })),
      some(60, () => ({ restricted: 'yes' })),
      "54 of the feed's 100 relationships would be restricted",
    ],
    [
      'restricts many by a word that is none',
      hundred,
      some(6, () => ({ restricted: 'yes' })),
      some(100, (_, index) => ({ restricted: index < 6 ? 'yes' : 'none' })),
      "94 of the feed's 100 relationships would be restricted",
    ],
    [
      'says a date in a way that is none, so that rights are refused in rows that are not taken',
      hundred,
      some(12, () => ({ ed_rights: 'no', end_date: '20.11.26' })),
      some(60, () => ({ ed_rights: 'no', end_date: '20.11.26' })),
      '60 of its 100 rows cannot be taken, and 12 of the 100 before, more than 20.0 %',
    ],
    [
      'forgets addresses of parents',
      hundred,
      some(12, () => ({ email: '' })),
      some(60, () => ({ email: '' })),
      "48 of the feed's 88 addresses would be other ones or gone",
    ],
    [
      'has parents’ addresses as the students’ own, by which nobody registers or recovers',
      hundred,
      some(12, ({ email = '' }) => ({ student_email: email })),
      some(60, ({ email = '' }) => ({ student_email: email })),
      "48 of the feed's 100 addresses of contacts would be students' own too",
    ],
    [
      'forgets addresses of students',
      some(8, (_, index) => ({ student_email: `kid${index}@mail.example` })),
      some(8, (_, index) => ({ student_email: index < 2 ? '' : `kid${index}@mail.example` })),
      hundred,
      "6 of the feed's 6 addresses of students would be other ones or gone",
    ],
  ])('is held where it %s, and not for a few', async (_, before, few, many, message) => {
    await town.load(before);
    expect(await town.load(few, 'elementary', later)).toMatchObject({ state: 'applied' });
    const report = await town.load(many, 'elementary', later);
    expect(report).toMatchObject({ state: 'held', message: expect.stringContaining(message) });
    const { rows } = await sql`select 1 from restrictions where lifted_at is null`.execute(db);
    expect(rows).toHaveLength(few.filter(({ restricted }) => restricted === 'yes').length);
  });
});
