import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { coverage } from '../../src/sis/coverage.js';
import type { CoverageQuestion } from '../../src/sis/coverage.js';
import { account, contactId, emptyAll } from '../accounts/people.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { district, row } from './extract.js';

const question: CoverageQuestion = { feed: null, by: 'school', today: '2026-11-20', studentDomains: [] };

describe.each(databases)('coverage, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });
  beforeEach(async () => {
    await emptyAll(db);
    const town = await district(opened);
    const north = { school_code: '1002', school_name: 'North' };
    await town.load([
      row('Ana', 'Rosa', { phone1: '(213) 555-0101' }),
      row('Leo', 'Rosa', { ...north, phone1: '(213) 555-0101' }),
      row('Mia', 'Rosa', { phone1: '(213) 555-0101' }),
      row('Eva', 'Luis', { ...north, language: 'en', phone1: '(213) 555-0102' }),
      row('Kim', 'Pat', { ...north, language: '', email: '' }),
    ]);
    await town.load([row('Max', 'Sam', { sis: 'secondary', phone1: '(213) 555-0103' })], 'secondary');
    await account(db, { email: 'luis@example.org' }, await contactId(db, 'Luis'));
  });

  /** The states that are not zero. */
  const present = (counts: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  const shown = async (asked: Partial<CoverageQuestion>) => {
    const { rows, total } = await coverage(db, { ...question, ...asked });
    return [...rows.map(({ counts, ...place }) => [Object.values(place).join(' '), present(counts)]), present(total)];
  };

  it('counts a contact at each school of its children, and once in the total', async () => {
    expect(await shown({})).toEqual([
      ['elementary 1001 Lincoln Elementary', { registrable: 1, contacts: 1 }],
      ['elementary 1002 North', { registrable: 1, registered: 1, no_email: 1, contacts: 3 }],
      ['secondary 1001 Lincoln Elementary', { registrable: 1, contacts: 1 }],
      { registrable: 2, registered: 1, no_email: 1, contacts: 4 },
    ]);
  });

  it('counts by language, where each contact is one, and by both', async () => {
    expect(await shown({ by: 'language' })).toEqual([
      ['en', { registered: 1, contacts: 1 }],
      ['es', { registrable: 2, contacts: 2 }],
      ['', { no_email: 1, contacts: 1 }],
      { registrable: 2, registered: 1, no_email: 1, contacts: 4 },
    ]);
    const both = await shown({ by: 'both', feed: 'elementary' });
    expect(both).toEqual([
      ['elementary 1001 Lincoln Elementary es', { registrable: 1, contacts: 1 }],
      ['elementary 1002 North en', { registered: 1, contacts: 1 }],
      ['elementary 1002 North es', { registrable: 1, contacts: 1 }],
      ['elementary 1002 North ', { no_email: 1, contacts: 1 }],
      { registrable: 1, registered: 1, no_email: 1, contacts: 3 },
    ]);
  });
});
