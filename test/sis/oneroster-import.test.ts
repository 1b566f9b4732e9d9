import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { recordTables } from '../../src/sis/feeds/oneroster-tables.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { everything } from './extract.js';
import { active, deleted } from './oneroster-applier.js';
import { role, school, setOf, user } from './oneroster-set.js';
import type { Files, Row, Version } from './oneroster-set.js';
import { family, familyRows, oneRosterTown, right, standing } from './oneroster-town.js';
import type { OneRosterTown, Rows } from './oneroster-town.js';

const versions = ['1.1', '1.2', '1.2.1'] as const;
const whole = ['ana<rosa ed guardian', 'ana<tom no-ed', 'leo<rosa ed'];
const order = { restricted: 'yes', restriction_type: 'protection order' };

/** A delta; its rows are active unless they say otherwise. */
function delta(version: Version, rows: Rows): Files {
  const dated = ([name, list]: [string, readonly Row[]]) =>
    [name, name === 'rights' ? list : list.map((row) => ({ ...active, ...row }))] as const;
  return setOf(version, 'delta', Object.fromEntries(Object.entries(rows).map(dated)));
}

/** A person of a delta, with their role where this version says it in users.csv. */
function person(version: Version, id: string, word: string, more: Row = {}): Row {
  return user(id, { ...(version === '1.1' ? { role: word, orgSourcedIds: 's1' } : {}), ...more });
}

describe.each(ruledDatabases)('a whole import of OneRoster on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: OneRosterTown;

  useDatabase(kind, (taken, its) => {
    db = taken;
    opened = its;
  });
  beforeEach(async () => {
    for (const table of everything) await sql`delete from ${sql.table(table)}`.execute(db);
    town = await oneRosterTown(opened);
  });

  async function all(query: string): Promise<unknown[]> {
    return (await sql.raw(query).execute(db)).rows;
  }

  describe.each(versions)('of version %s', (version) => {
    it.each([
      ['a folder', false],
      ['a zip', true],
    ])('takes a bulk from %s: contacts, students, schools, relationships and rights', async (_, zip) => {
      const report = await town.load(family(version), { zip });
      const read = Object.values(familyRows(version)).reduce((sum, rows) => sum + rows.length, 0);
      // The teacher and, where roles have their own file, the teacher's role.
      const others = version === '1.1' ? 1 : 2;
      expect(report).toMatchObject({
        state: 'applied',
        kind: 'bulk',
        message: null,
        counts: { read, applied: read - others, unchanged: 0, skipped: others, ended: 0, restricted: 0 },
        plan: { relationships: { added: 3, changed: 0, ended: 0 }, contacts: { added: 2 }, students: { added: 2 } },
      });
      expect(Object.entries(report.reasons).map(([reason, { count }]) => [reason, count])).toEqual([
        ['not_family:role', others],
      ]);
      expect(await standing(db)).toEqual(whole);
      expect(
        await all(`select c.sis_id, c.email, n.position, n.e164 from contacts c
          join contact_phones n on n.contact_id = c.id order by 1, 3`),
      ).toEqual([
        { sis_id: 'rosa', email: 'rosa@example.org', position: 1, e164: '+12132415200' },
        { sis_id: 'tom', email: 'tom@example.org', position: 2, e164: '+12135550142' },
      ]);
      expect(
        await all(`select s.sis_id, s.grade, s.birth_date::text as birth, s.current, h.code, h.name
          from students s join schools h on h.id = s.school_id order by 1`),
      ).toEqual([
        { sis_id: 'ana', grade: '05', birth: '2014-02-03', current: true, code: 's1', name: 'First Street School' },
        { sis_id: 'leo', grade: null, birth: null, current: true, code: 's1', name: 'First Street School' },
      ]);
      for (const table of ['staged_rows', ...recordTables])
        expect(await all(`select count(*)::int as left_over from ${table}`)).toEqual([{ left_over: 0 }]);
    });

    it('recognises the same bulk, and of one changed row changes that row', async () => {
      const first = await town.load(family(version), { zip: true });
      const { read, skipped } = first.counts;
      expect(await town.load(family(version), { zip: true })).toMatchObject({
        state: 'unchanged',
        counts: { read, applied: 0, unchanged: read - skipped, skipped },
      });
      const users = (familyRows(version)['users'] ?? []).map((row) =>
        row['sourcedId'] === 'tom' ? { ...row, email: 'tom@example.com' } : row,
      );
      // In 1.2 a role is part of the person's row and shares its fate.
      const applied = version === '1.1' ? 1 : 2;
      expect(await town.load(family(version, { users }))).toMatchObject({
        state: 'applied',
        counts: { read, applied, unchanged: read - skipped - applied, skipped, ended: 0 },
        plan: { relationships: { added: 0, changed: 0, ended: 0 }, contacts: { added: 0, changed: 1 } },
      });
      expect(await all(`select email from contacts where sis_id = 'tom'`)).toEqual([{ email: 'tom@example.com' }]);
      expect(await standing(db)).toEqual(whole);
    });

    it('takes a delta after a bulk, which says nothing of what it leaves out', async () => {
      await town.load(family(version));
      const kim = person(version, 'kim', 'parent', { agentSourcedIds: 'leo', email: 'kim@example.org' });
      const report = await town.load(
        delta(version, {
          users: [kim],
          ...(version === '1.1' ? {} : { roles: [role('r-kim', 'kim', 'parent')] }),
        }),
        { zip: true },
      );
      const rows = version === '1.1' ? 1 : 2;
      expect(report).toMatchObject({
        state: 'applied',
        kind: 'delta',
        message: null,
        counts: { read: rows, applied: rows, unchanged: 0, skipped: 0, ended: 0 },
      });
      expect(await standing(db)).toEqual(['ana<rosa ed guardian', 'ana<tom no-ed', 'leo<kim', 'leo<rosa ed']);
    });

    it('ends by a delta who is gone, and a link when no side names it any more', async () => {
      await town.load(family(version));
      const ana = person(version, 'ana', 'student', { agentSourcedIds: 'tom' });
      expect(await town.load(delta(version, { users: [ana] }))).toMatchObject({
        state: 'applied',
        counts: { read: 1, ended: 0 },
      });
      // Rosa still names Ana.
      expect(await standing(db)).toEqual(whole);
      const rosa = person(version, 'rosa', 'parent', { email: 'rosa@example.org', sms: '(213) 241-5200' });
      expect(await town.load(delta(version, { users: [rosa] }))).toMatchObject({
        state: 'applied',
        counts: { read: 1, applied: 1, ended: 1 },
      });
      expect(await standing(db)).toEqual(['ana<tom no-ed', 'leo<rosa ed']);
      const goes = await town.load(delta(version, { users: [{ sourcedId: 'tom', ...deleted }] }));
      expect(goes).toMatchObject({ state: 'applied', counts: { read: 1, applied: 1, skipped: 0, ended: 1 } });
      expect(await standing(db)).toEqual(['leo<rosa ed']);
      expect(await all(`select sis_id from contacts where current`)).toEqual([{ sis_id: 'rosa' }]);
      expect(await all(`select sis_id from students where current`)).toEqual([{ sis_id: 'leo' }]);
    });

    it('ends by one delta a link that both sides drop', async () => {
      await town.load(family(version));
      const users = [
        person(version, 'ana', 'student', { agentSourcedIds: 'tom' }),
        person(version, 'rosa', 'parent', { email: 'rosa@example.org', sms: '(213) 241-5200' }),
      ];
      const report = await town.load(delta(version, { users }));
      expect(report).toMatchObject({ state: 'applied', counts: { read: 2, ended: 1 } });
      expect(await standing(db)).toEqual(['ana<tom no-ed', 'leo<rosa ed']);
    });

    it('takes a delta of the sidecar alone', async () => {
      await town.load(family(version));
      const rights = [right('leo', 'rosa', { ed_rights: 'no' }), right('ana', 'tom', { ed_rights: 'no' })];
      expect(await town.load(delta(version, { users: [], rights }))).toMatchObject({
        state: 'applied',
        message: null,
        counts: { read: 2, applied: 1, unchanged: 1, skipped: 0, ended: 0 },
      });
      expect(await standing(db)).toEqual(['ana<rosa ed guardian', 'ana<tom no-ed', 'leo<rosa no-ed']);
    });
  });

  it('holds a delta whose file has another column, and says which', async () => {
    await town.load(family('1.2'));
    const set = delta('1.2', { users: [user('tom', { email: 'new@example.org' })] });
    const users = String(set['users.csv']).replace(/\r\n/g, (end, at: number) =>
      at < 400 ? `,homeroom${end}` : `,12${end}`,
    );
    expect(await town.load({ ...set, 'users.csv': users })).toMatchObject({
      state: 'held',
      message: 'Nothing was changed: the columns are not those of before: "homeroom" new.',
    });
  });

  it('imposes and lifts restrictions, and an empty cell or a sidecar that is silent lifts none', async () => {
    await town.load(family('1.2.1'));
    const imposed = await town.load(
      delta('1.2.1', { users: [], rights: [right('ana', 'tom', { ed_rights: 'no', ...order })] }),
    );
    expect(imposed.counts).toMatchObject({ read: 1, restricted: 1, lifted: 0, ended: 0 });
    const restricted = ['ana<rosa ed guardian', 'ana<tom no-ed restricted:protection_order', 'leo<rosa ed'];
    expect(await standing(db)).toEqual(restricted);
    expect((await town.load(family('1.2.1'))).counts).toMatchObject({ restricted: 0, lifted: 0 });
    expect(await standing(db)).toEqual(restricted);
    const rights = (familyRows('1.2.1')['rights'] ?? []).filter((row) => row['guardian_sourced_id'] !== 'tom');
    expect((await town.load(family('1.2.1', { rights }))).counts).toMatchObject({ lifted: 0 });
    expect(await all('select count(*)::int as standing from restrictions where lifted_at is null')).toEqual([
      { standing: 1 },
    ]);
    const lifted = await town.load(
      delta('1.2.1', { users: [], rights: [right('ana', 'tom', { ed_rights: 'no', restricted: 'no' })] }),
    );
    expect(lifted.counts).toMatchObject({ read: 1, restricted: 0, lifted: 1 });
    expect(await standing(db)).toEqual(whole);
  });

  it('imposes a restriction on a pair that nobody names any more, and does not end it meanwhile', async () => {
    await town.load(family('1.2.1'));
    const users = (familyRows('1.2.1')['users'] ?? []).map((row) =>
      row['sourcedId'] === 'ana' ? { ...row, agentSourcedIds: 'rosa' } : row,
    );
    const rights = [
      ...(familyRows('1.2.1')['rights'] ?? []).filter((row) => row['guardian_sourced_id'] !== 'tom'),
      right('ana', 'tom', { ed_rights: 'no', ...order }),
    ];
    const report = await town.load(family('1.2.1', { users, rights }));
    expect(report.reasons).toMatchObject({ 'no_relationship:guardian_sourced_id': { count: 1 } });
    expect(report.counts).toMatchObject({ restricted: 1, ended: 0, skipped: 3 });
    expect(await standing(db)).toEqual([
      'ana<rosa ed guardian',
      'ana<tom no-ed restricted:protection_order',
      'leo<rosa ed',
    ]);
  });

  it('keeps a restriction that came before its link, also when the run that brought it is rolled back', async () => {
    await town.load(family('1.2.1'));
    const rights = [
      ...(familyRows('1.2.1')['rights'] ?? []),
      right('leo', 'tom', order),
      right('leo', 'nobody', order),
    ];
    const report = await town.load(family('1.2.1', { rights }));
    expect(report).toMatchObject({
      counts: { restricted: 2, ended: 0 },
      reasons: { 'no_relationship:guardian_sourced_id': { count: 2 } },
    });
    expect(await standing(db)).toEqual(whole);
    await town.decide('rollback', report);
    expect(await standing(db)).toEqual(whole);
    const users = [user('tom', { email: 'tom@example.org', agentSourcedIds: 'leo' })];
    await town.load(delta('1.2.1', { users }));
    expect(await standing(db)).toContain('leo<tom restricted:protection_order');
  });

  it('holds a bulk whose rows are missing, applies it when approved, and counts it then', async () => {
    town = await oneRosterTown(opened, { feed_share: 0.05, school_share: 0.2, row_share: 0.2 });
    const count = 30;
    const crowd = (children: number): Files => {
      const numbers = Array.from({ length: children }, (_, index) => index);
      return setOf('1.2.1', 'bulk', {
        orgs: [school],
        users: numbers.flatMap((n) => [user(`kid${n}`, { agentSourcedIds: `mum${n}` }), user(`mum${n}`)]),
        roles: numbers.flatMap((n) => [role(`k${n}`, `kid${n}`, 'student'), role(`m${n}`, `mum${n}`, 'parent')]),
      });
    };
    await town.load(crowd(count));
    const held = await town.load(crowd(count * 0.6));
    expect(held).toMatchObject({ state: 'held', counts: { read: 73 } });
    expect(held.message).toContain('it has 73 rows, 39.7 % fewer than the 121 of the last, more than 20.0 %');
    expect(held.message).toContain("12 of the feed's 30 relationships (40.0 %) are missing, more than 5.0 %");
    expect(await standing(db)).toHaveLength(count);
    expect(await town.decide('approve', held)).toMatchObject({
      state: 'applied',
      counts: { read: 73, applied: 0, unchanged: 73, skipped: 0, ended: 12 },
    });
    expect(await standing(db)).toHaveLength(count * 0.6);
  });

  it('rolls a delta back, and takes it again when told to', async () => {
    await town.load(family('1.2'));
    const change = delta('1.2', {
      users: [
        user('tom', { email: 'new@example.org', agentSourcedIds: 'leo' }),
        { sourcedId: 'rosa', ...deleted },
        user('kim', { agentSourcedIds: 'ana' }),
      ],
      roles: [role('r-kim', 'kim', 'relative')],
      rights: [right('ana', 'tom', { ed_rights: 'yes' })],
    });
    const facts = `select sis_id, email, current, array(select e164 from contact_phones n where n.contact_id = c.id) as phones
      from contacts c where current order by 1`;
    const before = [await standing(db), await all(facts)];
    const run = await town.load(change);
    const after = [await standing(db), await all(facts)];
    expect(after[0]).toEqual(['ana<kim', 'ana<tom ed', 'leo<tom']);
    expect(await town.decide('rollback', run)).toMatchObject({ state: 'rolled_back' });
    expect([await standing(db), await all(facts)]).toEqual(before);
    expect(await town.load(change)).toMatchObject({ state: 'refused' });
    expect(await town.load(change, { again: true })).toMatchObject({ state: 'applied' });
    expect([await standing(db), await all(facts)]).toEqual(after);
  });
});
