import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { decideRun } from '../../src/imports.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { RunReport } from '../../src/sis/runs.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { counted } from './counted.js';
import { district, everything, feedsFile, now, row, timeZone } from './extract.js';
import type { District, Row } from './extract.js';

const contacts = ['C0', 'C1', 'C2'];
const students = ['S0', 'S1', 'S2'];

/** What the SIS knows; every value is what its cell says. */
interface Truth {
  emails: Record<string, string>;
  phones: Record<string, string>;
  grades: Record<string, string>;
  schools: Record<string, string>;
  confidential: Record<string, string>;
  /** Whose id it is: another child's, or that of the one who had it before. */
  children: Record<string, string>;
  /** `student<contact` and its flags; it is a relationship while it is here. */
  pairs: Record<string, { ed_rights: string; is_legal_guardian: string; portal_access: string; relation: string }>;
}

const flag = fc.constantFrom('yes', 'no', '');
const change = fc.oneof(
  fc.record({
    what: fc.constant('pair' as const),
    student: fc.constantFrom(...students),
    contact: fc.constantFrom(...contacts),
    flags: fc.record({
      ed_rights: flag,
      is_legal_guardian: flag,
      portal_access: flag,
      relation: fc.constantFrom('mother', 'aunt'),
    }),
  }),
  fc.record({
    what: fc.constant('gone' as const),
    student: fc.constantFrom(...students),
    contact: fc.constantFrom(...contacts),
  }),
  fc.record({
    what: fc.constant('contact' as const),
    contact: fc.constantFrom(...contacts),
    // The second is shared, the last can be nobody's.
    email: fc.constantFrom('a@example.org', 'b@example.org', 'office@example.org', 'none'),
    phone: fc.constantFrom('(213) 555-0150', '(213) 555-0151', ''),
  }),
  fc.record({
    what: fc.constant('student' as const),
    student: fc.constantFrom(...students),
    grade: fc.constantFrom('3', '4', ''),
    school: fc.constantFrom('1001', '1002'),
    confidential: fc.constantFrom('yes', 'no'),
    child: fc.constantFrom('', '', '', 'Another'),
  }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
const step = fc.record({
  kind: fc.constantFrom('bulk' as const, 'delta' as const),
  changes: fc.array(change, { minLength: 1, maxLength: 5 }),
});

/** What is true next. A delta of this format has no word for what is gone, so that nothing goes before one. */
function changed(truth: Truth, kind: 'bulk' | 'delta', changes: readonly Change[]): Truth {
  const next = structuredClone(truth);
  for (const each of changes) {
    if (each.what === 'pair') next.pairs[`${each.student}<${each.contact}`] = each.flags;
    else if (each.what === 'gone' && kind === 'bulk') delete next.pairs[`${each.student}<${each.contact}`];
    else if (each.what === 'contact') {
      next.emails[each.contact] = each.email;
      next.phones[each.contact] = each.phone;
    } else if (each.what === 'student') {
      next.grades[each.student] = each.grade;
      next.schools[each.student] = each.school;
      next.confidential[each.student] = each.confidential;
      next.children[each.student] = each.child;
    }
  }
  return next;
}

function rowsOf(truth: Truth): Row[] {
  return Object.entries(truth.pairs).map(([pair, flags]) => {
    const [student = '', contact = ''] = pair.split('<');
    return row(student, contact, {
      email: truth.emails[contact] ?? '',
      phone1: `(213) 555-010${contact.slice(1)}`,
      phone2: truth.phones[contact] ?? '',
      grade: truth.grades[student] ?? '',
      school_code: truth.schools[student] ?? '1001',
      school_name: `School ${truth.schools[student] ?? '1001'}`,
      confidential: truth.confidential[student] ?? 'no',
      ...(truth.children[student] ? { student_given_name: 'Another', birth_date: '2015-02-03' } : {}),
      ...flags,
    });
  });
}

/** A truth's rows in the words of `standing`. */
function expected(truth: Truth): string[] {
  const word = (text = ''): string => (text === '' ? 'null' : String(text === 'yes'));
  return rowsOf(truth)
    .map((each) =>
      [
        `${each.student_id}<${each.contact_id}`,
        each.email?.includes('@') === true ? each.email : 'null',
        [each.phone1, each.phone2].filter(Boolean).map((phone) => `+1${phone?.replace(/\D/g, '')}`),
        each.grade || 'null',
        each.school_code,
        word(each.confidential),
        word(each.ed_rights),
        word(each.is_legal_guardian),
        word(each.portal_access),
        each.relation,
      ].join(' '),
    )
    .sort();
}

// Bounded and seeded, so that a finding can be repeated.
const seed = 20_261_125;
const first: Truth = {
  emails: {},
  phones: {},
  grades: {},
  schools: {},
  confidential: {},
  children: {},
  pairs: { 'S9<C9': { ed_rights: 'yes', is_legal_guardian: '', portal_access: '', relation: 'mother' } },
};

describe.each(databases)('district extracts on %s', (kind) => {
  const bounds = { numRuns: kind === 'postgres' ? 8 : 3, seed };
  let db: Database;
  let opened: OpenDatabase;
  let town: District;
  const feeds = feedsFile();
  for (const feed of feeds.feeds) feed.checks = { feed_share: 1, school_share: 1, row_share: 1 };

  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });
  beforeEach(empty);

  async function empty(): Promise<void> {
    for (const table of everything) await sql`delete from ${sql.table(table)}`.execute(db);
    town = await district(opened, feeds);
  }

  /** Imports what leads from one truth to the next: all rows, or those that are new or changed. */
  async function load(said: 'bulk' | 'delta', before: Truth, truth: Truth): Promise<RunReport> {
    const known = new Set(rowsOf(before).map((each) => JSON.stringify(each)));
    const rows = rowsOf(truth).filter((each) => said === 'bulk' || !known.has(JSON.stringify(each)));
    const report = counted(await town.load(rows, 'elementary', now, { delta: said === 'delta', again: true }));
    expect(['applied', 'unchanged']).toContain(report.state);
    return report;
  }

  async function standing(): Promise<string[]> {
    const { rows } = await sql<{ line: string }>`
      select concat_ws(' ', s.sis_id || '<' || c.sis_id, coalesce(c.email, 'null'),
        (select string_agg(n.e164, ',' order by n.position) from contact_phones n where n.contact_id = c.id),
        coalesce(s.grade, 'null'), h.code, coalesce(s.confidential::text, 'null'), coalesce(r.ed_rights::text, 'null'),
        coalesce(r.is_legal_guardian::text, 'null'), coalesce(r.portal_access::text, 'null'), r.relation_raw) as line
      from relationships r join contacts c on c.id = r.contact_id join students s on s.id = r.student_id
        join schools h on h.id = s.school_id
      where r.ended_at is null`.execute(db);
    return rows.map(({ line }) => line).sort();
  }

  /** Who is current, as the pairs have it. */
  async function current(): Promise<unknown> {
    const { rows } = await sql`
      select 'contact ' || sis_id as who from contacts where current union all select 'student ' || sis_id from students where current
      order by 1`.execute(db);
    return rows;
  }

  it('lead, in any sequence of bulk and delta, to the state that the last truth says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        await empty();
        let truth = first;
        await load('bulk', first, truth);
        for (const [index, { kind: said, changes }] of steps.entries()) {
          const before = truth;
          truth = changed(truth, said, changes);
          await load(said, before, truth);
          expect({ step: index, said, standing: await standing() }).toEqual({
            step: index,
            said,
            standing: expected(truth),
          });
          const people = Object.keys(truth.pairs).flatMap((pair) => {
            const [student, contact] = pair.split('<');
            return [`contact ${contact}`, `student ${student}`];
          });
          expect(await current()).toEqual([...new Set(people)].sort().map((who) => ({ who })));
        }
      }),
      bounds,
    );
  }, 60_000);

  it('applied, rolled back and applied again leave what was there each time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 4 }), async (steps) => {
        await empty();
        let truth = first;
        await load('bulk', first, truth);
        for (const { kind: said, changes } of steps) {
          const before = truth;
          truth = changed(truth, said, changes);
          const stood = [await standing(), await current()];
          const report = await load(said, before, truth);
          if (report.state === 'unchanged') continue;
          const stands = [await standing(), await current()];
          const parts = { db, clock: () => now, timeZone, dataDir: '/nowhere', feeds, load: bulkLoader(opened) };
          const how = { runId: report.runId, actor: 'operator', reason: 'why' };
          await decideRun({ ...parts, audit: async () => {} }, 'rollback', how);
          expect([await standing(), await current()]).toEqual(stood);
          expect((await load(said, before, truth)).counts).toEqual(report.counts);
          expect([await standing(), await current()]).toEqual(stands);
        }
      }),
      bounds,
    );
  }, 60_000);

  it('takes a whole file whose bytes were applied as a delta: what is missing in it is gone', async () => {
    await town.load([row('Ana', 'Rosa'), row('Leo', 'Tom')]);
    const rows = [row('Leo', 'Tom', { grade: '4' })];
    expect(await town.load(rows, 'elementary', now, { delta: true })).toMatchObject({
      counts: { applied: 1, ended: 0 },
    });
    expect(await town.load(rows)).toMatchObject({ state: 'applied', kind: 'bulk', counts: { unchanged: 1, ended: 1 } });
    expect(await town.load(rows)).toMatchObject({ state: 'unchanged' });
  });
});
