import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import type { RunReport } from '../../src/sis/runs.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { everything } from './extract.js';
import { role, school, setOf, user } from './oneroster-set.js';
import type { Files, Row } from './oneroster-set.js';
import { oneRosterTown, right, standing } from './oneroster-town.js';
import type { OneRosterTown } from './oneroster-town.js';

/*
 * What real feeds get wrong, where it can occur in OneRoster; in the district extract: real-feeds.test.ts. A bulk with 40 % of its rows
 * gone: oneroster-import.test.ts.
 */

const numbers = Array.from({ length: 30 }, (_, index) => `${100 + index}`);
/** What lines users.csv has: the children first, from line 2, then their parents. */
const parentsFrom = 32;

/** Thirty children with a parent each; `change` spoils a row of users.csv. */
function crowd(change: (row: Row) => Row = (row) => row, more: Record<string, readonly Row[]> = {}): Files {
  return setOf('1.2.1', 'bulk', {
    orgs: [school],
    users: [
      ...numbers.map((n) => user(`00${n}`, { agentSourcedIds: `0p${n}` })),
      ...numbers.map((n) => user(`0p${n}`, { givenName: 'Eva', familyName: `Li${n}`, email: `p${n}@example.org` })),
    ].map(change),
    roles: numbers.flatMap((n) => [role(`k${n}`, `00${n}`, 'student'), role(`m${n}`, `0p${n}`, 'parent')]),
    rights: numbers.map((n) => right(`00${n}`, `0p${n}`, { ed_rights: 'yes' })),
    ...more,
  });
}

const of = (id: string, change: Row) => (row: Row) => (row['sourcedId'] === id ? { ...row, ...change } : row);
/** Orgs, users, roles and rights. */
const read = 1 + 60 + 60 + 30;

describe.each(databases)('what real feeds of OneRoster get wrong, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: OneRosterTown;

  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });
  beforeEach(async () => {
    for (const table of everything) await sql`delete from ${sql.table(table)}`.execute(db);
    town = await oneRosterTown(opened, { feed_share: 0.05, school_share: 0.2, row_share: 0.2 });
    expect(await town.load(crowd())).toMatchObject({ state: 'applied', counts: { read, applied: read } });
  });

  async function all(query: string): Promise<unknown[]> {
    return (await sql.raw(query).execute(db)).rows;
  }

  /** Loads a set of which one file is spoilt. */
  function spoilt(name: string, spoil: (text: string) => string | Buffer, files = crowd()): Promise<RunReport> {
    return town.load({ ...files, [name]: spoil(String(files[name])) });
  }

  it('phones and e-mails in every form, with what was written kept', async () => {
    const report = await town.load(
      crowd((row) =>
        of('0p100', { email: ' P100@Example.ORG., ', sms: '213.241.5200 x12', phone: '+1 (213) 241-5201' })(
          of('0p101', { email: 'a@example.org, b@example.org', phone: '241-5200' })(
            of('0p102', { email: 'none@none.com', sms: '2132415200' })(row),
          ),
        ),
      ),
    );
    // A role shares the fate of the person's row.
    expect(report).toMatchObject({
      state: 'applied',
      reasons: {},
      counts: { read, applied: 6, unchanged: read - 6, skipped: 0, ended: 0 },
    });
    expect(
      await all(`select c.email, c.email_problem as problem, array(select coalesce(n.e164, n.raw) from contact_phones n
        where n.contact_id = c.id order by n.position) as phones from contacts c where sis_id < '0p103' order by sis_id`),
    ).toEqual([
      { email: 'p100@example.org', problem: null, phones: ['+12132415200', '+12132415201'] },
      { email: null, problem: 'several', phones: ['241-5200'] },
      { email: null, problem: 'placeholder', phones: ['+12132415200'] },
    ]);
  });

  it('a byte order mark, bare LF among CRLF and a name with a quoted line break change nothing', async () => {
    const files = crowd(of('0p100', { givenName: '"Eva\n' }));
    const report = await spoilt(
      'users.csv',
      (text) =>
        `\uFEFF${text.replace('"""Eva\n"', '"\nEva"').replaceAll(/00\d+,\r\n/g, (end) => end.replace('\r', ''))}`,
      files,
    );
    expect(report).toMatchObject({
      state: 'applied',
      reasons: {},
      counts: { read, applied: 0, unchanged: read, skipped: 0, ended: 0 },
    });
  });

  it.each([
    [
      'Windows-1252 for UTF-8',
      'users.csv',
      (text: string) => Buffer.from(text.replace('Eva', 'José'), 'latin1'),
      `users.csv: Line ${parentsFrom}, column givenName: the bytes are not UTF-8. The file must be UTF-8.`,
    ],
    [
      'a truncated last row',
      'roles.csv',
      (text: string) => text.slice(0, -12),
      'roles.csv breaks off in line 61: its last row has 6 of 10 fields.',
    ],
    [
      'a renamed column',
      'users.csv',
      (text: string) => text.replace('agentSourcedIds', 'agents'),
      'users.csv: The header lacks the column "agentSourcedIds".',
    ],
    ['an empty file', 'users.csv', () => '', 'users.csv is empty: not even its header line is there.'],
  ])('%s: the set is refused whole', async (_, name, spoil, message) => {
    const before = await standing(db);
    expect(await spoilt(name, spoil)).toMatchObject({ state: 'refused', message });
    expect(await standing(db)).toEqual(before);
  });

  it('columns that moved are held for a look, and read by their names', async () => {
    const held = await spoilt('rights.csv', (text) =>
      text
        .split('\r\n')
        .map((line) => line.replace(/^([^,]+),([^,]+),/, '$2,$1,'))
        .join('\r\n'),
    );
    expect(held).toMatchObject({ state: 'held', plan: { relationships: { added: 0, changed: 0, ended: 0 } } });
    expect(held.message).toContain('the columns are not those of before');
    expect(await town.decide('approve', held)).toMatchObject({ counts: { read, applied: 0, unchanged: read } });
  });

  it('a users.csv without rows is held, and what stood stands', async () => {
    const before = await standing(db);
    const held = await town.load(crowd(undefined, { users: [] }));
    expect(held).toMatchObject({
      state: 'held',
      counts: { read: read - 60 },
      plan: { relationships: { added: 0, changed: 0, ended: 30 } },
    });
    expect(held.message).toContain("30 of the feed's 30 relationships (100.0 %) are missing");
    expect(await standing(db)).toEqual(before);
  });

  it('leading zeros lost in users.csv are held; lost in the sidecar they are named, and no right is guessed', async () => {
    const bare = (row: Row): Row =>
      Object.fromEntries(
        Object.entries(row).map(([column, cell]) => [column, /sourced/i.test(column) ? cell.replace(/^0+/, '') : cell]),
      );
    expect(await town.load(crowd(bare))).toMatchObject({ state: 'held', plan: { relationships: { ended: 30 } } });
    const rights = numbers.map((n) => right(`00${n}`, `0p${n}`, { ed_rights: 'yes' }));
    const report = await town.load(crowd(undefined, { rights: [bare(rights[0] ?? {}), ...rights.slice(1)] }));
    expect(report).toMatchObject({
      state: 'applied',
      reasons: { 'no_relationship:guardian_sourced_id': { count: 1, lines: [2] } },
      counts: { read, skipped: 1, ended: 0 },
    });
    expect((await standing(db)).slice(0, 2)).toEqual(['00100<0p100', '00101<0p101 ed']);
  });

  it('dates as a spreadsheet writes them are read, and an impossible one skips its row', async () => {
    const demographics = [
      { sourcedId: '00100', birthDate: '9/9/2011' },
      { sourcedId: '00101', birthDate: '31/12/2011' },
    ];
    const held = await town.load(crowd(undefined, { demographics }));
    // A file that comes is another layout.
    expect(held).toMatchObject({ state: 'held', plan: { relationships: { added: 0, changed: 0, ended: 0 } } });
    expect(await town.decide('approve', held)).toMatchObject({
      state: 'applied',
      reasons: { 'bad_date:birthDate': { count: 1, lines: [3] } },
      counts: { read: read + 2, applied: 3, unchanged: read - 2, skipped: 1 },
    });
    expect(await all(`select birth_date::text as day from students where sis_id < '00102' order by sis_id`)).toEqual([
      { day: '2011-09-09' },
      { day: null },
    ]);
  });

  it('one id for two people: neither is taken, and what stood stands', async () => {
    const before = await standing(db);
    const facts = `select given_name, family_name, email from contacts where sis_id = '0p100'`;
    const person = await all(facts);
    const files = crowd();
    const users = [user('0p100', { givenName: 'John', familyName: 'Smith', email: 'john@example.org' })];
    const extra = String(setOf('1.2.1', 'bulk', { users })['users.csv']).split('\r\n')[1];
    const report = await spoilt('users.csv', (text) => `${text}${extra}\r\n`, files);
    expect(report.state).toBe('applied');
    expect(report.counts).toMatchObject({ read: read + 1, applied: 0, ended: 0 });
    expect(report.reasons).toHaveProperty(['two_people:contact_id']);
    expect(await standing(db)).toEqual(before);
    expect(await all(facts)).toEqual(person);
  });

  it('the same contact under two ids are two contacts of one child', async () => {
    const files = crowd(of('00100', { agentSourcedIds: '0p100,again' }));
    const twin = String(
      setOf('1.2.1', 'bulk', {
        users: [user('again', { givenName: 'Eva', familyName: 'Li100', email: 'p100@example.org' })],
      })['users.csv'],
    ).split('\r\n')[1];
    const report = await town.load({
      ...files,
      'users.csv': `${String(files['users.csv'])}${twin}\r\n`,
      'roles.csv': `${String(files['roles.csv'])}again,,,again,primary,parent,,,s1,\r\n`,
    });
    // The child's row and role, and the new person's.
    expect(report).toMatchObject({
      state: 'applied',
      reasons: {},
      counts: { read: read + 2, applied: 4, unchanged: read - 2, skipped: 0, ended: 0 },
      plan: { relationships: { added: 1 }, contacts: { added: 1, followed: 0 } },
    });
    expect((await standing(db)).slice(0, 2)).toEqual(['00100<0p100 ed', '00100<again']);
  });
});
