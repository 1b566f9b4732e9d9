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
      "99 of the feed's 100 addresses would be other ones",
    ],
  ])('is held where it %s, and not for a few', async (_, before, few, many, message) => {
    await town.load(before);
    expect(await town.load(few, 'elementary', later)).toMatchObject({ state: 'applied' });
    const report = await town.load(many, 'elementary', later);
    expect(report).toMatchObject({ state: 'held', message: expect.stringContaining(message) });
    const { rows } = await sql`select 1 from restrictions where lifted_at is null`.execute(db);
    expect(rows).toHaveLength(before.filter(({ restricted }) => restricted === 'yes').length === 0 ? 0 : 6);
  });
});
