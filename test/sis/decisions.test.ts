import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { decideRun } from '../../src/imports.js';
import type { DecisionVerb } from '../../src/imports.js';
import { columns } from '../../src/sis/feeds/columns.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { RunReport } from '../../src/sis/runs.js';
import { ruledDatabases } from '../support/database.js';
import { useDistrict } from './use-district.js';
import { extract, feedsFile, now, row, timeZone } from './extract.js';
import type { District } from './extract.js';

const later = new Date(now.getTime() + 86_400_000);
const forty = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const few = forty.slice(0, 30);

describe.each(ruledDatabases)('people decide on a run, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;

  useDistrict(kind, (made) => ({ db, opened, town } = made));

  function decide(verb: DecisionVerb, report: RunReport, at = later): Promise<RunReport> {
    const parts = {
      db,
      clock: () => at,
      timeZone,
      dataDir: '/nowhere',
      feeds: feedsFile(),
      load: bulkLoader(opened),
      audit: async (_trx: unknown, event: (typeof town.events)[number]) => void town.events.push(event),
    };
    return decideRun(parts, verb, { runId: report.runId, actor: 'operator', reason: 'checked with the SIS office' });
  }

  /** What stands, as parents and staff would see it. */
  async function standing(): Promise<unknown> {
    const { rows } = await sql`
      select c.sis_id as contact, c.given_name, c.email, c.current, s.sis_id as student, s.grade, h.name as school, r.relation, r.ed_rights,
        array(select n.e164 from contact_phones n where n.contact_id = c.id order by n.position) as phones
      from relationships r join contacts c on c.id = r.contact_id join students s on s.id = r.student_id join schools h on h.id = s.school_id
      where r.ended_at is null order by 1, 5`.execute(db);
    return rows;
  }

  async function count(query: string): Promise<number> {
    const { rows } = await sql.raw<{ count: number }>(`select count(*)::int as count from ${query}`).execute(db);
    return rows[0]?.count ?? -1;
  }

  it('approves what was held, as it was seen, and the audit says who and why', async () => {
    await town.load(forty);
    const held = await town.load(few, 'elementary', later);
    expect(held).toMatchObject({ state: 'held', plan: { relationships: { added: 0, changed: 0, ended: 10 } } });
    expect(await count('relationships where ended_at is null')).toBe(40);
    const applied = await decide('approve', held);
    expect(applied).toMatchObject({
      state: 'applied',
      planDigest: held.planDigest,
      counts: { read: 30, unchanged: 30, ended: 10 },
    });
    expect(await count('relationships where ended_at is null')).toBe(30);
    expect(await count('held_rows')).toBe(0);
    expect(await count('staged_rows')).toBe(0);
    expect(town.events.at(-1)).toMatchObject({
      kind: 'feed.applied',
      actor: 'operator',
      details: { runId: held.runId, planDigest: held.planDigest, reason: 'checked with the SIS office' },
    });
    await expect(decide('approve', held)).rejects.toThrow('That run is not held; it is applied.');
    expect(await town.load(few, 'elementary', later)).toMatchObject({ state: 'unchanged' });
  });

  it('discards what was held, and does not take the same file again unless told to', async () => {
    await town.load(forty);
    const held = await town.load(few, 'elementary', later);
    expect(await town.load(few, 'elementary', later)).toMatchObject({
      state: 'refused',
      message: expect.stringContaining(`waits for a decision (run ${held.runId})`),
    });
    expect(await decide('discard', held)).toMatchObject({ state: 'discarded' });
    expect(await count('held_rows')).toBe(0);
    expect(town.events.at(-1)).toMatchObject({
      kind: 'feed.discarded',
      details: { reason: 'checked with the SIS office' },
    });
    expect(await town.load(few, 'elementary', later)).toMatchObject({
      state: 'refused',
      message: expect.stringContaining('--again'),
    });
    expect(await town.load(few, 'elementary', later, { again: true })).toMatchObject({ state: 'held' });
    await expect(decide('discard', { ...held, runId: 'nothing' })).rejects.toThrow('There is no run "nothing".');
  });

  it('puts a held run aside when another is applied, and keeps one whose approval breaks off', async () => {
    await town.load(forty);
    const held = await town.load(few, 'elementary', later);
    const broken = decideRun(
      {
        db,
        clock: () => later,
        timeZone,
        dataDir: '/nowhere',
        feeds: feedsFile(),
        load: bulkLoader(opened),
        audit: () => Promise.reject(new Error('no trail')),
      },
      'approve',
      { runId: held.runId, actor: 'operator', reason: 'why' },
    );
    await expect(broken).rejects.toThrow('no trail');
    expect(await count(`feed_runs where state = 'held' and id = '${held.runId}'`)).toBe(1);
    expect(await count('relationships where ended_at is null')).toBe(40);
    await town.load([...forty, row('New', 'Mum0')], 'elementary', later);
    await expect(decide('approve', held)).rejects.toThrow('That run is not held; it is superseded.');
    expect(await count('held_rows')).toBe(0);
  });

  it('holds an empty file, a shrunken one and a new layout, which is known once approved', async () => {
    await town.load(forty);
    expect((await town.load([], 'elementary', later)).message).toContain('the file has a header and no rows');
    const shrunken = await town.load(forty.slice(0, 31), 'elementary', later);
    expect(shrunken.message).toContain('it has 31 rows, 22.5 % fewer than the 40 of the last, more than 20.0 %');
    const moved = [...columns.slice(1), 'sis', 'homeroom'];
    const text = extract(forty)
      .split('\r\n')
      .filter((line) => line !== '');
    const other = [
      moved.join(','),
      ...text.slice(1).map((line) => `${line.slice(line.indexOf(',') + 1)},elementary,12`),
    ];
    const held = await town.load(`${other.join('\r\n')}\r\n`, 'elementary', later);
    expect(held).toMatchObject({
      state: 'held',
      message: 'Nothing was changed: the columns are not those of before: "homeroom" new.',
    });
    expect(await decide('approve', held)).toMatchObject({ state: 'applied', counts: { read: 40, unchanged: 40 } });
    expect(await town.load(`${other.slice(0, 40).join('\r\n')}\r\n`, 'elementary', later)).toMatchObject({
      state: 'applied',
      counts: { read: 39, ended: 1 },
    });
  });

  it('does not approve what would do something else by now', async () => {
    await town.load(forty);
    const held = await town.load(few, 'elementary', later);
    await sql`
      update relationships set ended_at = ${later} where student_id = (select id from students where sis_id = 'Kid39')`.execute(
      db,
    );
    await expect(decide('approve', held)).rejects.toThrow(
      'What stands has changed since the run was held; discard it and import the file again.',
    );
    expect(await count(`feed_runs where state = 'held' and id = '${held.runId}'`)).toBe(1);
    expect(await count('relationships where ended_at is null')).toBe(39);
  });

  it('plans without leaving a trace', async () => {
    await town.load(forty);
    const before = await standing();
    const plan = await town.load([...few, row('New', 'Mum0')], 'elementary', later, { dryRun: true });
    expect(plan).toMatchObject({
      state: 'planned',
      plan: {
        relationships: { added: 1, changed: 0, ended: 10 },
        students: { added: 1 },
        largest: [{ code: '1001', standing: 40, added: 1, changed: 0, ended: 10 }],
      },
    });
    expect(await standing()).toEqual(before);
    expect(await town.load(forty, 'elementary', later, { dryRun: true })).toMatchObject({ state: 'unchanged' });
    expect(await town.load('no extract\r\n', 'elementary', later, { dryRun: true })).toMatchObject({
      state: 'refused',
    });
    expect(await count('feed_runs')).toBe(1);
    expect(await count('staged_rows')).toBe(0);
    expect(town.events).toHaveLength(1);
  });

  it('plans by school, and names the ten largest changes, the largest first', async () => {
    const code = (school: number): string => `10${10 + school}`;
    const rows = Array.from({ length: 12 }, (_, school) =>
      Array.from({ length: school + 1 }, (_each, index) =>
        row(`Kid${school}-${index}`, `Mum${school}-${index}`, { school_code: code(school), school_name: `S${school}` }),
      ),
    ).flat();
    const { plan } = await town.load(rows, 'elementary', now, { dryRun: true });
    expect(plan?.schools.map((school) => [school.code, school.added])).toEqual(
      Array.from({ length: 12 }, (_, school) => [code(school), school + 1]),
    );
    expect(plan?.largest.map((school) => [school.code, school.added])).toEqual(
      Array.from({ length: 10 }, (_, place) => [code(11 - place), 12 - place]),
    );
  });

  it('rolls a run back, and applying it again leads to the same', async () => {
    await town.load(forty);
    const before = await standing();
    const changed = [
      { ...forty[0], email: 'other@example.org', phone2: '(213) 555-0142' },
      { ...forty[1], grade: '4', school_name: 'Lincoln Academy' },
      { ...forty[2], relation: 'aunt', ed_rights: 'no' },
      ...forty.slice(3, 39),
      row('New', 'Newcomer'),
    ];
    const run = await town.load(changed, 'elementary', later);
    const after = await standing();
    expect(run.state).toBe('applied');
    expect(await decide('rollback', run)).toMatchObject({ state: 'rolled_back' });
    expect(await standing()).toEqual(before);
    expect(await count('contacts where current')).toBe(40);
    expect(town.events.at(-1)).toMatchObject({ kind: 'feed.rolled_back', details: { runId: run.runId } });
    expect(await town.load(changed, 'elementary', later)).toMatchObject({ state: 'refused' });
    expect(await town.load(changed, 'elementary', later, { again: true })).toMatchObject({ state: 'applied' });
    expect(await standing()).toEqual(after);
  });

  it('says what stands in the way of a roll back, and takes the first run back too', async () => {
    const first = await town.load(forty);
    const second = await town.load([{ ...forty[0], email: 'two@example.org' }, ...forty.slice(1)], 'elementary', later);
    await expect(decide('rollback', first)).rejects.toThrow(`roll back run ${second.runId}`);
    await decide('rollback', second);
    await decide('rollback', first);
    expect(await standing()).toEqual([]);
    expect(await count('contacts where current')).toBe(0);
    await expect(decide('rollback', first)).rejects.toThrow('this one is rolled back');
    expect(await town.load(forty, 'elementary', later, { again: true })).toMatchObject({ state: 'applied' });
    expect(await count('relationships where ended_at is null')).toBe(40);
  });

  it('compares a file anew that was rolled back after it came again', async () => {
    const first = await town.load(forty);
    expect(await town.load(forty, 'elementary', later)).toMatchObject({ state: 'unchanged' });
    await decide('rollback', first);
    expect(await standing()).toEqual([]);
    expect(await town.load(forty, 'elementary', later)).toMatchObject({ state: 'refused' });
    expect(await town.load(forty, 'elementary', later, { again: true })).toMatchObject({ state: 'applied' });
    expect(await count('relationships where ended_at is null')).toBe(40);
  });

  it('never re-opens by a roll back what a restriction closed, and closes again what the run opened', async () => {
    const order = { restricted: 'yes', restriction_type: 'protection order' };
    await town.load([{ ...forty[0], ...order }, ...forty.slice(1)]);
    const run = await town.load(
      [{ ...forty[0], restricted: 'no' }, { ...forty[1], ...order }, ...forty.slice(2)],
      'elementary',
      later,
    );
    expect(run.counts).toMatchObject({ restricted: 1, lifted: 1 });
    await decide('rollback', run);
    const { rows } = await sql<{ sis_id: string }>`
      select c.sis_id from restrictions x join relationships r on r.id = x.relationship_id join contacts c on c.id = r.contact_id
      where x.lifted_at is null order by 1`.execute(db);
    expect(rows.map(({ sis_id }) => sis_id)).toEqual(['Mum0', 'Mum1']);
  });

  it('takes a delta: what is missing says nothing', async () => {
    await town.load(forty);
    const correction = [{ ...forty[0], email: 'corrected@example.org' }, row('New', 'Mum1')];
    expect(await town.load(correction, 'elementary', later, { delta: true })).toMatchObject({
      state: 'applied',
      kind: 'delta',
      counts: { read: 2, applied: 2, ended: 0 },
    });
    expect(await count('relationships where ended_at is null')).toBe(41);
    expect(await count(`contacts where email = 'corrected@example.org'`)).toBe(1);
  });
});
