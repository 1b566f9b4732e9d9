import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { decideRun } from '../../src/imports.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { RunReport } from '../../src/sis/runs.js';
import { ruledDatabases } from '../support/database.js';
import { counted } from './counted.js';
import { feedsFile, now, row, timeZone } from './extract.js';
import type { District, Row } from './extract.js';
import { useDistrict } from './use-district.js';

const families = Array.from({ length: 20 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const siblings = [row('Ana', 'Rosa'), row('Leo', 'Rosa'), row('Leo', 'Tom')];
const town = [...siblings, ...families];

/** The town with these cells in one row. */
function other(at: number, cells: Row): Row[] {
  return town.with(at, { ...town[at], ...cells });
}

/** A day's file costs what changed: rows that the last file had too are counted, and not read. */
describe.each(ruledDatabases)('the file of the next day, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let place: District;
  useDistrict(kind, (made) => ({ db, opened, town: place } = made));

  /** Loads it. @returns the report, and how many of its rows were read */
  async function load(
    rows: readonly Row[],
    how: Parameters<District['load']>[3] = {},
    at = now,
  ): Promise<{ report: RunReport; read: number }> {
    let read = 0;
    const into = bulkLoader(opened);
    const report = await place.load(rows, 'elementary', at, {
      ...how,
      load: async (target) => {
        const loading = await into(target);
        return {
          write: async (written) => {
            read += written.length;
            await loading.write(written);
          },
          end: () => loading.end(),
          abort: () => loading.abort(),
        };
      },
    });
    return { report: counted(report), read };
  }

  async function grade(child: string): Promise<unknown> {
    const { rows } = await sql<{ grade: string }>`select grade from students where sis_id = ${child}`.execute(db);
    return rows[0]?.grade;
  }

  it('is read where it differs, with the family whole, and every row of it counts', async () => {
    expect((await load(town)).read).toBe(town.length);
    const { report, read } = await load(other(0, { grade: '4' }));
    expect(read).toBe(siblings.length);
    expect(report).toMatchObject({ state: 'applied', counts: { read: 23, applied: 1, unchanged: 22, ended: 0 } });
    expect(await grade('Ana')).toBe('4');
    const gone = await load(other(0, { grade: '4' }).slice(0, -1));
    expect(gone).toMatchObject({ read: 0, report: { counts: { read: 22, unchanged: 22, ended: 1 } } });
  });

  it('has rows that were not taken, and restrictions, read every time', async () => {
    const spoilt = other(5, { birth_date: 'soon' }).with(9, { ...town[9], restricted: 'yes' });
    await load(spoilt);
    const { report, read } = await load(spoilt.with(0, { ...spoilt[0], grade: '4' }));
    expect(read).toBe(siblings.length + 2);
    expect(report.counts).toMatchObject({ applied: 1, unchanged: 21, skipped: 1 });
    expect(report.reasons).toEqual({ 'bad_date:birth_date': { count: 1, lines: [7] } });
  });

  it.each<[what: string, between: () => Promise<unknown>]>([
    ['a delta', () => load([row('Ana', 'Rosa', { grade: '6' })], { delta: true })],
    ['another reader', () => sql`update feed_baselines set reader = 'another'`.execute(db)],
    ['a school called by two names', async () => {}],
  ])('is read whole after %s', async (what, between) => {
    await load(town);
    await between();
    const cells = what.startsWith('a school') ? { school_name: 'Lincoln' } : { grade: '4' };
    const { report, read } = await load(other(0, cells));
    expect({ read, state: report.state }).toEqual({ read: town.length, state: 'applied' });
    expect(await grade('Ana')).toBe(what.startsWith('a school') ? '3' : '4');
  });

  it('is compared whole where the operator says so, the very file that stands too', async () => {
    await load(town);
    await sql`update students set grade = '11' where sis_id = 'Ana'`.execute(db);
    expect((await load(town)).report.state).toBe('unchanged');
    const { report, read } = await load(town, { whole: true });
    expect({ read, state: report.state, counts: report.counts }).toMatchObject({
      read: town.length,
      state: 'applied',
      counts: { applied: 1, unchanged: town.length - 1 },
    });
    expect(await grade('Ana')).toBe('3');
  });

  it('is read whole after a roll back, a week, and where the operator says so', async () => {
    await load(town);
    const { report } = await load(other(0, { grade: '4' }));
    // A later run of other families, which stands.
    await load(other(0, { grade: '4' }).with(9, { ...town[9], grade: '4' }));
    const parts = { db, clock: () => now, timeZone, dataDir: '/nowhere', feeds: feedsFile(), load: bulkLoader(opened) };
    const how = { runId: report.runId, actor: 'operator', reason: 'why' };
    await decideRun({ ...parts, audit: async () => {} }, 'rollback', how);
    expect((await load(other(0, { grade: '5' }))).read).toBe(town.length);
    expect((await load(other(0, { grade: '6' }))).read).toBe(siblings.length);
    expect((await load(other(0, { grade: '7' }), { whole: true })).read).toBe(town.length);
    const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);
    expect((await load(other(0, { grade: '8' }), {}, days(6))).read).toBe(siblings.length);
    expect((await load(other(0, { grade: '9' }), {}, days(7))).read).toBe(town.length);
  });

  it('waits for people with all its rows, and is what they approve; the next one is read whole', async () => {
    await load(town);
    const half = other(0, { grade: '4' }).slice(0, 12);
    const { report } = await load(half);
    expect(report.state).toBe('held');
    const { rows } = await sql`select row from held_rows where run_id = ${report.runId}`.execute(db);
    expect(rows).toHaveLength(half.length);
    const parts = { db, clock: () => now, timeZone, dataDir: '/nowhere', feeds: feedsFile(), load: bulkLoader(opened) };
    const how = { runId: report.runId, actor: 'operator', reason: 'why' };
    const approved = await decideRun({ ...parts, audit: async () => {} }, 'approve', how);
    expect(approved).toMatchObject({ state: 'applied', counts: { read: 12, applied: 1, unchanged: 11, ended: 11 } });
    expect((await load(half.with(0, { ...half[0], grade: '5' }))).read).toBe(half.length);
  });
});
