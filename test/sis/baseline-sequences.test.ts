import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { RunReport } from '../../src/sis/runs.js';
import { counted } from './counted.js';
import { district, everything, extract, feedsFile, now, row } from './extract.js';
import type { District, Row } from './extract.js';
import { useDistrict } from './use-district.js';

const cells = fc.constantFrom<Row>(
  { grade: '4' },
  { grade: '5', last_modified: '2026-10-01T08:00:00Z' },
  { email: 'office@example.org' },
  { email: 'none', phone1: '' },
  { given_name: 'Another', email: 'another@example.org', phone1: '(213) 555-0199' },
  { given_name: 'Another' },
  { contact_id: 'C1' },
  { contact_id: 'C7', email: 'c1@example.org', given_name: 'C1' },
  { student_id: 'S2', student_given_name: 'S2' },
  { student_given_name: 'Renamed' },
  { student_given_name: 'Another', birth_date: '2016-02-03' },
  { student_id: 'S2', student_given_name: 'Third', birth_date: '2015-02-03' },
  { restricted: 'yes', restriction_type: 'no_contact' },
  { restricted: 'no' },
  { restricted: 'yes', birth_date: 'soon' },
  { confidential: 'yes' },
  { confidential: 'no' },
  { birth_date: 'soon' },
  { student_id: '' },
  { ed_rights: 'no' },
  { school_code: '1002', school_name: 'Other' },
  { last_modified: '' },
);
const at = fc.nat(40);
const change = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('cells' as const), at, cells }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('drop' as const), at }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('twice' as const), at, to: at }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('move' as const), at, to: at }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('add' as const), at, student: fc.nat(7), contact: fc.nat(7) }),
  },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
const days = fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });

/** Eight families of which some share a child or a parent. */
const first = Array.from({ length: 8 }, (_, index) => [
  row(`S${index}`, `C${index}`),
  ...(index % 3 === 0 ? [row(`S${index}`, `C${(index + 1) % 8}`)] : []),
]).flat();

function changed(rows: readonly Row[], each: Change): Row[] {
  const place = each.at % Math.max(1, rows.length);
  const found = rows[place] ?? row('S0', 'C0');
  if (each.what === 'cells') return rows.with(place, { ...found, ...each.cells });
  if (each.what === 'drop') return rows.length === 1 ? [...rows] : rows.toSpliced(place, 1);
  if (each.what === 'add') return rows.toSpliced(place, 0, row(`S${each.student}`, `C${each.contact}`));
  const rest = each.what === 'move' ? rows.toSpliced(place, 1) : [...rows];
  return rest.toSpliced(each.to % (rest.length + 1), 0, found);
}

/** All that a plan says. */
function said({ counts, reasons, plan, planDigest, message }: RunReport): unknown {
  return { counts, reasons, plan, planDigest, message };
}

// Bounded and seeded, so that a finding can be repeated.
const bounds = { numRuns: 10, seed: 20_261_129 };

describe('a day of which only the changed rows are read', () => {
  let db: Database;
  let fresh: () => Promise<District>;
  const feeds = feedsFile();
  for (const feed of feeds.feeds) feed.checks = { feed_share: 1, school_share: 1, row_share: 1 };
  useDistrict('postgres', ({ db: taken, opened }) => {
    db = taken;
    fresh = async () => {
      for (const table of everything) await sql`delete from ${sql.table(table)}`.execute(db);
      return await district(opened, feeds);
    };
  });

  it('is planned as if all were, and leaves nothing that reading all of them would do', async () => {
    let partly = 0;
    await fc.assert(
      fc.asyncProperty(days, async (sequence) => {
        const town = await fresh();
        await town.load(first);
        let rows = first;
        for (const changes of sequence) {
          rows = changes.reduce(changed, rows);
          const text = extract(rows);
          const asked = (how: { whole?: boolean; dryRun?: boolean }): Promise<RunReport> =>
            town.load(text, 'elementary', now, { again: true, ...how });
          const whole = await asked({ whole: true, dryRun: true });
          const planned = await asked({ dryRun: true });
          if (planned.state === 'unchanged') continue;
          expect(said(planned)).toEqual(said(whole));
          const report = counted(await asked({}));
          expect(report.state).toBe('applied');
          expect(said(report)).toMatchObject({ planDigest: whole.planDigest, reasons: whole.reasons });
          partly += 1;
          // A blank line makes it another file.
          const left = counted(await town.load(`${text}\r\n`, 'elementary', now, { whole: true, again: true }));
          expect(left).toMatchObject({
            state: 'applied',
            counts: { applied: 0, ended: 0, restricted: 0, lifted: 0, held: 0 },
            reasons: report.reasons,
            plan: {
              students: { added: 0, changed: 0, vacated: 0 },
              contacts: { changed: 0, followed: 0, vacated: 0 },
              newRestrictions: 0,
            },
          });
        }
      }),
      bounds,
    );
    expect(partly).toBeGreaterThan(10);
  }, 180_000);
});
