import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { registrationCandidates } from '../../src/families/candidates.js';
import { statesOfContacts } from '../../src/families/contact-states.js';
import { entitledStudents } from '../../src/families/entitlement.js';
import { joinableContacts } from '../../src/families/joins.js';
import { account, contactId } from '../accounts/people.js';
import { ruledDatabases } from '../support/database.js';
import { feedsFile, row, timeZone } from '../sis/extract.js';
import type { District, Row } from '../sis/extract.js';
import { useDistrict } from '../sis/use-district.js';

/** The elementary SIS ends parents' rights on the 18th birthday, the secondary has them keep them. */
const file = feedsFile();
const policies = {
  ...file,
  feeds: file.feeds.map((feed) => ({ ...feed, eligible_students: feed.sis === 'secondary' ? 'keep' : 'end' }) as const),
};
const noon = (day: string): Date => new Date(`${day}T20:00:00Z`);

describe.each(ruledDatabases)('a student who turns 18, on %s', (kind) => {
  let db: Database;
  let town: District;
  let rosa: string;
  useDistrict(kind, (made) => ({ db, town } = made), { file: policies });
  beforeEach(async () => void (await db.deleteFrom('accounts').execute()));

  async function family(cells: Row, sis = 'elementary'): Promise<void> {
    await town.load([row('Ana', 'Rosa', { sis, ...cells })], sis);
    rosa = await account(db, { email: 'rosa@example.org' }, await contactId(db, 'Rosa', sis));
  }
  const seenAt = async (now: Date): Promise<number> =>
    (await entitledStudents(db, { accountId: rosa, now, timeZone })).length;

  const table: Array<[what: string, cells: Row, last: string | null, sis: string]> = [
    ['until the day before the birthday', { birth_date: '2008-11-28' }, '2026-11-27', 'elementary'],
    ['on New Year’s Day', { birth_date: '2009-01-01' }, '2026-12-31', 'elementary'],
    ['born on 29 February: 18 on 1 March', { birth_date: '2008-02-29' }, '2026-02-28', 'elementary'],
    ['born on 28 February of a leap year', { birth_date: '2008-02-28' }, '2026-02-27', 'elementary'],
    ['born on 1 March of a leap year', { birth_date: '2008-03-01' }, '2026-02-28', 'elementary'],
    ['18 on 1 March of a leap year', { birth_date: '2010-03-01' }, '2028-02-29', 'elementary'],
    [
      'kept by the SIS until a later day',
      { birth_date: '2008-11-28', rights_retained_until: '2027-06-30' },
      '2027-06-30',
      'elementary',
    ],
    [
      'kept by the SIS until a day before the birthday',
      { birth_date: '2008-11-28', rights_retained_until: '2026-01-01' },
      '2026-11-27',
      'elementary',
    ],
    ['without a birth date', { birth_date: '' }, null, 'elementary'],
    ['kept, without a birth date', { birth_date: '', rights_retained_until: '2020-01-01' }, null, 'elementary'],
    ['where the feed’s policy is to keep', { birth_date: '2000-01-01' }, null, 'secondary'],
  ];
  it.each(table)('%s', async (_what, cells, last, sis) => {
    await family(cells, sis);
    const after = (day: string): Date => new Date(noon(day).getTime() + 86_400_000);
    const days = last === null ? [noon('2026-11-28'), noon('2040-01-01')] : [noon(last), after(last)];
    const seen: number[] = [];
    for (const day of days) seen.push(await seenAt(day));
    expect(seen).toEqual([1, last === null ? 1 : 0]);
  });

  it('at midnight in the district', async () => {
    await family({ birth_date: '2008-11-28' });
    const midnight = Date.parse('2026-11-28T00:00:00-08:00');
    expect([await seenAt(new Date(midnight - 1)), await seenAt(new Date(midnight))]).toEqual([1, 0]);
  });

  it('is kept without a gap where the SIS extends the day in time, and gone at once where it takes it back', async () => {
    const born = { birth_date: '2008-11-28' };
    await family({ ...born, rights_retained_until: '2026-12-31' });
    await town.load([row('Ana', 'Rosa', { ...born, rights_retained_until: '2027-12-31' })]);
    expect([
      await seenAt(noon('2026-12-31')),
      await seenAt(noon('2027-01-01')),
      await seenAt(noon('2028-01-01')),
    ]).toEqual([1, 1, 0]);
    await town.load([row('Ana', 'Rosa', born)]);
    expect([await seenAt(noon('2026-11-27')), await seenAt(noon('2026-11-28'))]).toEqual([1, 0]);
  });

  it('leaves the parent like anybody without a right: not registrable, no candidate, not joined; the other child stays', async () => {
    const adult = { birth_date: '2008-11-28', ed_rights: 'yes' };
    const asked = { email: 'rosa@example.org', e164: '+12135550100', timeZone };
    const state = async (today: string): Promise<unknown> =>
      (
        await sql<{
          state: string;
        }>`select state from ${statesOfContacts({ today, studentDomains: [], within: sql`true` })} s
          where sis = 'elementary'`.execute(db)
      ).rows.map((found) => found.state);
    await town.load([row('Ana', 'Rosa', adult)]);
    expect([await state('2026-11-27'), await state('2026-11-28')]).toEqual([['registrable'], ['no_right']]);
    const candidates = async (day: string): Promise<number> =>
      (await registrationCandidates(db, { ...asked, now: noon(day) })).length;
    expect([await candidates('2026-11-27'), await candidates('2026-11-28')]).toEqual([1, 0]);

    await town.load([row('Leo', 'Rosa', { sis: 'secondary', ed_rights: 'yes' })], 'secondary');
    const joins = async (day: string): Promise<string[]> => {
      const question = { contactId: await contactId(db, 'Rosa', 'secondary'), now: noon(day), timeZone };
      return (await joinableContacts(db, question)).join.map(({ sis }) => sis);
    };
    expect([await joins('2026-11-27'), await joins('2026-11-28')]).toEqual([['elementary'], []]);

    // What the SIS says of the rights to a child who has them now stands in nobody's way.
    await town.load([row('Ana', 'Rosa', { ...adult, ed_rights: 'no' }), row('Mia', 'Rosa', { ed_rights: 'yes' })]);
    expect([await joins('2026-11-27'), await joins('2026-11-28')]).toEqual([[], ['elementary']]);
    rosa = await account(db, { email: 'rosa@example.org' }, await contactId(db, 'Rosa'));
    expect(await seenAt(noon('2026-11-28'))).toBe(1);
  });
});
