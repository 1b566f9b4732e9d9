import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { columns } from '../../src/sis/feeds/columns.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { OpenLoading } from '../../src/sis/loader.js';
import { stagingTables } from '../../src/sis/staging-tables.js';
import { endAbandonedRuns } from '../../src/sis/lease.js';
import { databases } from '../support/database.js';
import { useDistrict } from './use-district.js';
import { extract, now, row } from './extract.js';
import type { District } from './extract.js';

const later = new Date(now.getTime() + 86_400_000);

/** Forty children of one school, each with one contact. */
const forty = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`));

describe.each(databases)('an import on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;

  useDistrict(kind, (made) => ({ db, opened, town } = made));

  async function all(query: string): Promise<unknown[]> {
    return (await sql.raw(query).execute(db)).rows;
  }

  it('applies every row, normalised, and says so in the audit trail', async () => {
    const report = await town.load([
      row('Ana', 'Rosa', { email: ' Rosa@Example.ORG. ', phone2: '213.241.5200 x12', given_name: 'Rosa\nMaría' }),
      row('Leo', 'Rosa', {
        email: ' Rosa@Example.ORG. ',
        phone2: '213.241.5200 x12',
        given_name: 'Rosa\nMaría',
        birth_date: '9/9/2011',
      }),
    ]);
    expect(report).toMatchObject({ state: 'applied', counts: { read: 2, applied: 2, unchanged: 0, skipped: 0 } });
    expect(await all('select given_name, email, name_key from contacts')).toEqual([
      { given_name: 'Rosa María', email: 'rosa@example.org', name_key: 'rosa maria lopez' },
    ]);
    expect(await all('select e164 from contact_phones order by position')).toEqual([
      { e164: '+12135550100' },
      { e164: '+12132415200' },
    ]);
    expect(await all(`select birth_date::text as day from students where sis_id = 'Leo'`)).toEqual([
      { day: '2011-09-09' },
    ]);
    expect(town.events).toMatchObject([{ kind: 'feed.applied', actor: 'test', subject: 'feed:elementary' }]);
    expect(await all('select count(*)::int as staged from staged_rows')).toEqual([{ staged: 0 }]);
  });

  it('recognises the file that was applied last, and rows that did not change', async () => {
    await town.load(forty);
    const before = await all('select c.*, c.xmin::text as version from contacts c order by id');
    expect(await town.load(forty, 'elementary', later)).toMatchObject({
      state: 'unchanged',
      counts: { read: 40, applied: 0, unchanged: 40 },
    });
    expect(await all('select c.*, c.xmin::text as version from contacts c order by id')).toEqual(before);
    const changed = await town.load(
      [...forty.slice(1), row('Kid0', 'Mum0', { email: 'new@example.org' })],
      'elementary',
      later,
    );
    expect(changed).toMatchObject({ state: 'applied', counts: { read: 40, applied: 1, unchanged: 39, skipped: 0 } });
    expect(await all(`select sis_id from contacts where email_loaded_at > '${now.toISOString()}'`)).toEqual([
      { sis_id: 'Mum0' },
    ]);
    expect(await all("select last_loaded_at from feeds where name = 'elementary'")).toEqual([
      { last_loaded_at: later },
    ]);
  });

  it('skips a bad row with its reason and line, and what stood before stands', async () => {
    await town.load(forty);
    const [first, second, third, fourth, fifth] = forty;
    const report = await town.load(
      [
        { ...first, ed_rights: 'perhaps' },
        { ...second, birth_date: '2017-02-30' },
        { ...third, sis: 'secondary' },
        { ...fourth, priority: 'first' },
        { ...fifth, student_id: '' },
        ...forty.slice(5),
      ],
      'elementary',
      later,
    );
    expect(report.state).toBe('applied');
    expect(report.reasons).toEqual({
      'bad_flag:ed_rights': { count: 1, lines: [2] },
      'bad_date:birth_date': { count: 1, lines: [3] },
      'wrong_sis:sis': { count: 1, lines: [4] },
      'bad_number:priority': { count: 1, lines: [5] },
      'missing:student_id': { count: 1, lines: [6] },
    });
    expect(report.counts).toMatchObject({ read: 40, applied: 0, unchanged: 35, skipped: 5, ended: 2 });
    // Only the two rows whose pair cannot be known count as missing.
    expect(
      await all(
        'select c.sis_id from relationships r join contacts c on c.id = r.contact_id where r.ended_at is not null order by 1',
      ),
    ).toEqual([{ sis_id: 'Mum2' }, { sis_id: 'Mum4' }]);
  });

  it('takes the latest of rows that disagree about one contact or one pair', async () => {
    const report = await town.load([
      row('Ana', 'Rosa', { email: 'newer@example.org', last_modified: '2026-10-02' }),
      row('Leo', 'Rosa', { email: 'older@example.org', last_modified: '2026-10-01T23:00:00Z' }),
      row('Leo', 'Rosa', { email: 'oldest@example.org', relation: 'aunt', last_modified: '2026-09-30' }),
    ]);
    expect(report.counts).toMatchObject({ read: 3, applied: 2, skipped: 1 });
    expect(report.reasons).toEqual({ superseded: { count: 1, lines: [4] } });
    expect(await all('select email from contacts')).toEqual([{ email: 'newer@example.org' }]);
    expect(await all('select distinct relation from relationships')).toEqual([{ relation: 'parent' }]);
  });

  it('ends what is missing, and a contact that returns keeps its id', async () => {
    await town.load(forty);
    const [before] = await all(`select id from contacts where sis_id = 'Mum39'`);
    expect(await town.load(forty.slice(0, 39), 'elementary', later)).toMatchObject({
      state: 'applied',
      counts: { ended: 1 },
    });
    expect(
      await all(
        `select c.current, r.end_reason from contacts c join relationships r on r.contact_id = c.id where c.sis_id = 'Mum39'`,
      ),
    ).toEqual([{ current: false, end_reason: 'missing' }]);
    expect(await town.load(forty, 'elementary', later)).toMatchObject({ counts: { applied: 1, unchanged: 39 } });
    expect(await all(`select id from contacts where sis_id = 'Mum39' and current`)).toEqual([before]);
  });

  it('holds a file in which more than 5 % of the feed or 20 % of a school is missing', async () => {
    const school = Array.from({ length: 5 }, (_, index) =>
      row(`Small${index}`, `Dad${index}`, { school_code: '1002', school_name: 'Bell Street' }),
    );
    await town.load([...forty, ...school]);
    const feedShare = await town.load([...forty.slice(0, 37), ...school], 'elementary', later);
    expect(feedShare).toMatchObject({ state: 'held', counts: { read: 42, applied: 0 } });
    expect(feedShare.message).toContain("3 of the feed's 45 relationships (6.7 %)");
    const schoolShare = await town.load([...forty, ...school.slice(2)], 'elementary', later);
    expect(schoolShare.message).toContain('2 of 5 relationships (40.0 %) at Bell Street (1002)');
    expect(await all('select count(*)::int as ended from relationships where ended_at is not null')).toEqual([
      { ended: 0 },
    ]);
    expect(town.events.map((event) => event.kind)).toEqual(['feed.applied', 'feed.held', 'feed.held']);
  });

  it('refuses a broken file whole, with line and column', async () => {
    await town.load(forty);
    const whole = extract(forty);
    const renamed = extract(
      forty,
      columns.map((column) => (column === 'relation' ? 'relationship' : column)),
    );
    const latin1 = Buffer.from(whole.replace('Mum3,López', 'José,López').replaceAll('López', 'Lopez'), 'latin1');
    const refused: Array<[string | Uint8Array, string]> = [
      [renamed, 'Line 1, column 15: the header lacks "relation"; "relationship" stands there.'],
      [
        extract(
          forty,
          columns.map((column) => (column === 'phone2' ? 'phone1' : column)),
        ),
        'Line 1: the header has the column "phone1" twice.',
      ],
      [latin1, 'Line 5, column given_name: the bytes are not UTF-8. The file must be UTF-8.'],
      [whole.slice(0, -30), 'The file breaks off in line 41: the last line has no line end.'],
      [
        `${whole.slice(0, whole.lastIndexOf(','))}\r\n`,
        'The file breaks off in line 41: its last row has 34 of 35 fields.',
      ],
      [`${whole}elementary,"1001\r\n`, 'Line 42, column school_code: the file breaks off inside a quoted field.'],
      // Rows of the same block stand before it.
      [
        whole.replace('Kid29,López', 'K"id29,López'),
        'Line 31, column student_given_name: the quotes are not as RFC 4180 wants them.',
      ],
      [whole.replace('last_modified', 'last_modi\0fied'), 'Line 1: the header holds a null character.'],
      ['', 'The file is empty: not even its header line is there.'],
    ];
    for (const [content, message] of refused) {
      const report = await town.load(content, 'elementary', later);
      expect(report.state).toBe('refused');
      expect(report.message).toContain(message);
    }
    expect(await all('select count(*)::int as staged from staged_rows')).toEqual([{ staged: 0 }]);
    expect(await all('select count(*)::int as standing from relationships where ended_at is null')).toEqual([
      { standing: 40 },
    ]);
  });

  it('tolerates a byte order mark, mixed line ends and quoted line breaks', async () => {
    const text = `\uFEFF${extract([row('Ana', 'Rosa', { school_name: 'Lincoln\r\nElementary, "East"' }), row('Leo', 'Rosa', { priority: 'x' })])}`;
    const report = await town.load(text.replace(/\r\n$/, '\n'));
    expect(report).toMatchObject({ state: 'applied', reasons: { 'bad_number:priority': { count: 1, lines: [4] } } });
    expect(await all('select name from schools')).toEqual([{ name: 'Lincoln Elementary, "East"' }]);
  });

  it('refuses a second run of the feed while one is under way', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let begun = (): void => {};
    const reading = new Promise<void>((resolve) => (begun = resolve));
    const slowly: OpenLoading = async (target) => {
      begun();
      await gate;
      return bulkLoader(opened)(target);
    };
    const first = town.load(forty, 'elementary', now, { load: slowly });
    await reading;
    expect(await town.load(forty)).toMatchObject({
      state: 'refused',
      message: 'Another import of "elementary" is under way; this one did nothing.',
    });
    release();
    expect(await first).toMatchObject({ state: 'applied', counts: { applied: 40 } });
    const races = await Promise.all(
      Array.from({ length: 6 }, () => town.load([...forty, row('New', 'Mum0')], 'elementary', later)),
    );
    expect(races.filter((report) => report.state === 'applied')).toHaveLength(1);
  });

  it('changes nothing when a run loses its turn or its audit event cannot be written', async () => {
    const stolen: OpenLoading = async (target) => {
      await sql`update feeds set running_run = gen_random_uuid()`.execute(db);
      return bulkLoader(opened)(target);
    };
    expect(await town.load(forty, 'elementary', now, { load: stolen })).toMatchObject({
      state: 'refused',
      message: 'Another import of "elementary" took over; this one did nothing.',
    });
    await endAbandonedRuns(db, () => now);
    const failing = town.load(forty, 'elementary', now, { audit: () => Promise.reject(new Error('no trail')) });
    await expect(failing).rejects.toThrow('no trail');
    expect(await all('select count(*)::int as people from contacts')).toEqual([{ people: 0 }]);
    await endAbandonedRuns(db, () => now);
    expect(await town.load(forty)).toMatchObject({ state: 'applied' });
  });

  it('stages in pieces of 500 rows and outside any transaction, so that others have a turn on one connection', async () => {
    const pieces: number[] = [];
    const between: OpenLoading = async (target) => {
      const loading = await bulkLoader(opened)(target);
      return {
        ...loading,
        write: async (rows) => {
          pieces.push(rows.length);
          await loading.write(rows);
          await sql`select 1`.execute(db);
        },
      };
    };
    const many = Array.from({ length: 1_201 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
    expect(await town.load(many, 'elementary', now, { load: between })).toMatchObject({ counts: { applied: 1_201 } });
    expect(pieces).toEqual([500, 500, 201]);
  });

  it('keeps nothing of what a process that was killed had staged', async () => {
    expect(await all(`select relname from pg_class where relkind = 'r' and relpersistence = 'u' order by 1`)).toEqual(
      stagingTables.toSorted().map((relname) => ({ relname })),
    );
    await sql`insert into staged_rows (run_id, row, line) values (gen_random_uuid(), 1, 2)`.execute(db);
    await sql`insert into oneroster_told (run_id, row) values (gen_random_uuid(), 1)`.execute(db);
    await endAbandonedRuns(db, () => now);
    for (const table of stagingTables) expect(await all(`select * from ${table}`)).toEqual([]);
  });

  it('refuses a file that is not there', async () => {
    const source = { path: '/nowhere/elementary.csv', delta: false };
    expect(await town.load([], 'elementary', now, { source })).toMatchObject({
      state: 'refused',
      message: "The feed's file is not there or cannot be read (ENOENT).",
    });
  });
});
