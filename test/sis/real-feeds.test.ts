import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { statesOfContacts } from '../../src/families/contact-states.js';
import { columns } from '../../src/sis/feeds/columns.js';
import type { RunReport } from '../../src/sis/runs.js';
import { databases } from '../support/database.js';
import { useDistrict } from './use-district.js';
import { counted } from './counted.js';
import { decide } from './decide.js';
import { extract, now, row } from './extract.js';
import type { District, Row } from './extract.js';

/*
 * What real feeds get wrong, in the district extract. Elsewhere: a byte order mark, mixed line ends, quoted line breaks, Windows-1252, a
 * truncated end, a renamed column and a file without a header in import.test.ts; a header without rows and a column that came in
 * decisions.test.ts; one id for two people in identities.test.ts. The same in OneRoster: oneroster-real-feeds.test.ts.
 */

const later = new Date(now.getTime() + 86_400_000);
const sixty = Array.from({ length: 60 }, (_, index) =>
  row(`00${100 + index}`, `00${500 + index}`, { school_code: '0101', email: `m${index}@example.org` }),
);

describe.each(databases)('what real feeds get wrong, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;

  useDistrict(kind, (made) => ({ db, opened, town } = made));

  async function all(query: string): Promise<unknown[]> {
    return (await sql.raw(query).execute(db)).rows;
  }

  async function load(content: string | readonly Row[], feed = 'elementary', at = now): Promise<RunReport> {
    return counted(await town.load(content, feed, at));
  }

  /** Who stands with whom, as one text a pair. */
  async function standing(): Promise<string[]> {
    const { rows } = await sql<{ pair: string }>`
      select s.sis || ' ' || s.sis_id || '<' || c.sis_id as pair
      from relationships r join contacts c on c.id = r.contact_id join students s on s.id = r.student_id
      where r.ended_at is null order by 1`.execute(db);
    return rows.map(({ pair }) => pair);
  }

  /** How many contacts are in which state. */
  async function states(): Promise<Record<string, number>> {
    const question = { today: '2026-11-20', studentDomains: ['students.example.org'], within: sql`true` };
    const { rows } = await sql<{ state: string; count: number }>`
      select state, count(*)::int as count from ${statesOfContacts(question)} t group by state order by state`.execute(
      db,
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  it('phones in every form are one number, the extension is dropped, and what is none is kept as it was written', async () => {
    const written: ReadonlyArray<readonly [string, string | null]> = [
      ['(213) 241-5200', '+12132415200'],
      ['213.241.5200 x12', '+12132415200'],
      ['+1 213 241 5200', '+12132415200'],
      ['2132415200', '+12132415200'],
      ['1-213-241-5200', '+12132415200'],
      ['213 241 5200 ext. 4', '+12132415200'],
      ['241-5200', null],
      ['000-000-0000', null],
      ['call school', null],
      ['213-241-5200 / 213-241-5201', null],
    ];
    const report = await load(
      written.map(([phone], index) => row(`Kid${index}`, `Mum${index}`, { phone1: phone, phone1_type: '' })),
    );
    expect(report).toMatchObject({
      state: 'applied',
      reasons: {},
      counts: { read: 10, applied: 10, unchanged: 0, skipped: 0 },
    });
    expect(
      await all('select n.raw, n.e164 from contact_phones n join contacts c on c.id = n.contact_id order by c.sis_id'),
    ).toEqual(written.map(([raw, e164]) => ({ raw, e164 })));
    expect(await states()).toEqual({ invalid_phone: 4, registrable: 6 });
  });

  it('e-mails are cleaned where one mailbox is meant, and none is guessed where it is not', async () => {
    const written: ReadonlyArray<readonly [string, string | null, string | null]> = [
      [' Rosa@Example.ORG ', 'rosa@example.org', null],
      ['rosa1@example.org.', 'rosa1@example.org', null],
      ['rosa2@example.org,', 'rosa2@example.org', null],
      ['rosa3 @ example.org', 'rosa3@example.org', null],
      ['ROSA4@EXAMPLE.ORG;', 'rosa4@example.org', null],
      ['rosa@example.org, tom@example.org', null, 'several'],
      ['rosa@example.org/tom@example.org', null, 'several'],
      ['none@none.com', null, 'placeholder'],
      ['N/A', null, 'placeholder'],
      ['rosa@example', null, 'invalid'],
      ['', null, 'missing'],
      ['kid@students.example.org', 'kid@students.example.org', null],
    ];
    const report = await load(
      written.map(([email], index) =>
        row(`Kid${index}`, `Mum${String(index).padStart(2, '0')}`, { email, phone1: `(213) 555-01${10 + index}` }),
      ),
    );
    expect(report).toMatchObject({
      state: 'applied',
      reasons: {},
      counts: { read: 12, applied: 12, unchanged: 0, skipped: 0 },
    });
    expect(await all('select email, email_problem as problem from contacts order by sis_id')).toEqual(
      written.map(([, email, problem]) => ({ email, problem })),
    );
    expect(await all(`select email_raw from contacts where email_problem = 'several' order by 1`)).toEqual([
      { email_raw: 'rosa@example.org, tom@example.org' },
      { email_raw: 'rosa@example.org/tom@example.org' },
    ]);
    expect(await states()).toEqual({ invalid_email: 4, no_email: 3, registrable: 5 });
  });

  it("the school's own address and number on hundreds of contacts are loaded, and nobody can register with them", async () => {
    const office = { email: 'office@lincoln.example.org', phone1: '(213) 555-0199' };
    const report = await load([
      ...Array.from({ length: 300 }, (_, index) => row(`Kid${index}`, `Mum${index}`, office)),
      row('Ana', 'Rosa'),
    ]);
    expect(report).toMatchObject({ state: 'applied', reasons: {}, counts: { read: 301, applied: 301, skipped: 0 } });
    expect(await states()).toEqual({ registrable: 1, shared_address: 300 });
  });

  it('leading zeros lost by a spreadsheet make other people of everybody: the file is held, and the good one changes nothing', async () => {
    await load(sixty);
    const before = await standing();
    const bare = sixty.map((each) => ({
      ...each,
      student_id: String(Number(each.student_id)),
      contact_id: String(Number(each.contact_id)),
    }));
    const held = await load(bare, 'elementary', later);
    expect(held).toMatchObject({
      state: 'held',
      reasons: {},
      counts: { read: 60 },
      plan: { relationships: { added: 60, changed: 0, ended: 60 }, students: { added: 60 }, contacts: { added: 60 } },
    });
    expect(held.message).toContain("60 of the feed's 60 relationships (100.0 %) are missing");
    expect(await standing()).toEqual(before);
    await decide(opened, 'discard', held, later);
    expect(await load(sixty, 'elementary', later)).toMatchObject({ state: 'unchanged', counts: { unchanged: 60 } });
  });

  it('dates as a spreadsheet writes them are read, and an impossible one skips its row and ends nothing', async () => {
    await load(sixty);
    const [first, second, third] = sixty;
    const report = await load(
      [
        { ...first, birth_date: '9/9/2011' },
        { ...second, birth_date: '31/12/2011' },
        { ...third, start_date: '45210' },
        ...sixty.slice(3),
      ],
      'elementary',
      later,
    );
    expect(report).toMatchObject({
      state: 'applied',
      counts: { read: 60, applied: 1, unchanged: 57, skipped: 2, ended: 0 },
    });
    expect(report.reasons).toEqual({
      'bad_date:birth_date': { count: 1, lines: [3] },
      'bad_date:start_date': { count: 1, lines: [4] },
    });
    expect(
      await all(`select birth_date::text as day from students where sis_id in ('00100', '00101') order by sis_id`),
    ).toEqual([{ day: '2011-09-09' }, { day: '2017-05-01' }]);
  });

  it('lines that end with a bare LF among CRLF, and a name with a quoted line break, change nothing', async () => {
    await load(sixty);
    const lines = extract(sixty).split('\r\n');
    const mixed = lines.map((line, index) => (index % 2 === 0 ? `${line}\n` : `${line}\r\n`)).slice(0, -1);
    const text = mixed
      .join('')

      .replace(',Lincoln Elementary,', ',"Lincoln\nElementary",');
    expect(await load(`\uFEFF${text}`, 'elementary', later)).toMatchObject({
      state: 'applied',
      reasons: {},
      counts: { read: 60, applied: 0, unchanged: 60, skipped: 0, ended: 0 },
    });
  });

  it('columns that only moved are held for a look, and read by their names', async () => {
    await load(sixty);
    const moved = [...columns.slice(5), ...columns.slice(0, 5)];
    const lines = sixty.map((each) => moved.map((column) => each[column] ?? '').join(','));
    const held = await load(`${[moved.join(','), ...lines].join('\r\n')}\r\n`, 'elementary', later);
    expect(held).toMatchObject({
      state: 'held',
      message: 'Nothing was changed: the columns are not those of before: their order changed.',
      plan: { relationships: { added: 0, changed: 0, ended: 0 }, contacts: { changed: 0 }, students: { changed: 0 } },
    });
    expect(counted(await decide(opened, 'approve', held, later)).counts).toMatchObject({
      read: 60,
      applied: 0,
      unchanged: 60,
    });
  });

  it('a file with 40 % of its rows gone is held, what stood stands, and the next good file is taken', async () => {
    await load(sixty);
    const held = await load(sixty.slice(0, 36), 'elementary', later);
    expect(held).toMatchObject({
      state: 'held',
      message:
        "Nothing was changed: it has 36 rows, 40.0 % fewer than the 60 of the last, more than 20.0 %; 24 of the feed's 60 " +
        'relationships (40.0 %) are missing, more than 5.0 %; 24 of 60 relationships (40.0 %) at Lincoln Elementary (0101) ' +
        'are missing, more than 20.0 %.',
      plan: { relationships: { added: 0, changed: 0, ended: 24 } },
    });
    expect(await standing()).toHaveLength(60);
    expect(await load([...sixty, row('New', 'Newer')], 'elementary', later)).toMatchObject({
      state: 'applied',
      counts: { read: 61, applied: 1, unchanged: 60, ended: 0 },
    });
    await expect(decide(opened, 'approve', held, later)).rejects.toThrow('That run is not held; it is superseded.');
  });

  it('the same contact under two ids are two contacts of one person, who can register with either', async () => {
    const rosa = { given_name: 'Rosa', email: 'rosa@example.org' };
    expect(await load([row('Ana', 'R-1', rosa), row('Leo', 'R-2', rosa), row('Ana', 'R-2', rosa)])).toMatchObject({
      state: 'applied',
      reasons: {},
      counts: { read: 3, applied: 3, skipped: 0 },
      plan: { contacts: { added: 2, followed: 0 } },
    });
    expect(await standing()).toEqual(['elementary Ana<R-1', 'elementary Ana<R-2', 'elementary Leo<R-2']);
    expect(await states()).toEqual({ registrable: 2 });
  });

  it('one id for two people skips both rows also in a run that is held, each counted once when it is approved', async () => {
    await load(sixty);
    const stranger = { given_name: 'John', family_name: 'Smith', email: 'john@example.org', phone1: '(213) 555-0142' };
    const held = await load(
      [
        ...sixty.slice(0, 36),
        row('Tom', '00500', { school_code: '0101', ...stranger }),
        { ...sixty[36], priority: 'x' },
      ],
      'elementary',
      later,
    );
    expect(held).toMatchObject({ state: 'held' });
    const reasons = {
      'two_people:contact_id': { count: 2, lines: [2, 38] },
      'bad_number:priority': { count: 1, lines: [39] },
    };
    expect(held.reasons).toEqual(reasons);
    const approved = counted(await decide(opened, 'approve', held, later));
    expect(approved).toMatchObject({ state: 'applied', counts: { read: 38, unchanged: 35, skipped: 3, ended: 23 } });
    expect(approved.reasons).toEqual(reasons);
    expect(await standing()).toHaveLength(37);
  });

  it('siblings in both systems are loaded each by their own feed, and neither ends the other', async () => {
    const rosa = { given_name: 'Rosa', email: 'rosa@example.org' };
    const leo = row('Leo', 'S-9', { ...rosa, sis: 'secondary', school_code: '8001', school_name: 'Lincoln High' });
    await load([...sixty, row('Ana', 'Rosa', rosa)]);
    expect(await load([leo], 'secondary')).toMatchObject({
      state: 'applied',
      counts: { read: 1, applied: 1, ended: 0 },
    });
    expect(await standing()).toEqual(expect.arrayContaining(['elementary Ana<Rosa', 'secondary Leo<S-9']));
    expect(await load([...sixty, row('Ana', 'Rosa', { ...rosa, grade: '4' })], 'elementary', later)).toMatchObject({
      state: 'applied',
      counts: { read: 61, applied: 1, unchanged: 60, ended: 0 },
    });
    expect(await standing()).toHaveLength(62);
    expect(await states()).toEqual({ registrable: 62 });
  });
});
