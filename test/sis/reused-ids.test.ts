import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { entitledStudents } from '../../src/families/entitlement.js';
import { listHolds, releaseHold } from '../../src/families/holds.js';
import type { DecisionVerb } from '../../src/imports.js';
import type { RunReport } from '../../src/sis/runs.js';
import { account, contactId } from '../accounts/people.js';
import { ruledDatabases } from '../support/database.js';
import { counted } from './counted.js';
import { decide } from './decide.js';
import { everything, now, row, timeZone } from './extract.js';
import type { District, Row } from './extract.js';
import { active } from './oneroster-applier.js';
import { setOf, user } from './oneroster-set.js';
import { family, oneRosterTown, right, standing } from './oneroster-town.js';
import { useDistrict } from './use-district.js';

const later = new Date(now.getTime() + 86_400_000);
const others = Array.from({ length: 60 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const custody = { restricted: 'yes', restriction_type: 'custody' };
const ana = row('Ana', 'Rosa');
const ben = row('Ben', 'Rosa', { birth_date: '2015-08-09' });
/** Another family's new child, who gets the id that Ana had. */
const mia = row('Ana', 'Eva', { student_given_name: 'Mia', birth_date: '2018-01-20' });
/** Ana, of whom the school had both the name and the birth date wrong. */
const corrected = { student_given_name: 'Hannah', birth_date: '2016-05-01' };
const swapped = [
  { ...ana, student_id: 'Ben' },
  { ...ben, student_id: 'Ana' },
];

describe.each(ruledDatabases)('a child’s id that goes to another child, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;
  let rosa: string;
  useDistrict(kind, (made) => ({ db, opened, town } = made));
  beforeEach(async () => {
    await sql`delete from accounts`.execute(db);
    await town.load([...others, ana, ben]);
    rosa = await account(db, { email: 'rosa@example.org' }, await contactId(db, 'Rosa'));
  });

  const load = async (rows: readonly Row[], how = {}): Promise<RunReport> =>
    counted(await town.load([...others, ...rows], 'elementary', later, how));
  const restrict = () => load([{ ...ana, ...custody }, ben]);
  const seen = async (accountId = rosa): Promise<string[]> =>
    (await entitledStudents(db, { accountId, now: later, timeZone })).map(({ givenName }) => givenName);
  const eva = async () => await account(db, { email: 'eva@example.org' }, await contactId(db, 'Eva'));

  const decided = (verb: DecisionVerb, report: RunReport) => decide(opened, verb, report, later);

  async function students(): Promise<unknown[]> {
    const { rows } = await sql`
      select id, sis_id, given_name, birth_date::text, current from students where sis_id !~ '^Kid' order by sis_id, id`.execute(
      db,
    );
    return rows;
  }

  async function ended(): Promise<unknown[]> {
    const { rows } = await sql<{ pair: string }>`
      select s.given_name || '<' || c.sis_id || ' ' || r.end_reason as pair
      from relationships r join students s on s.id = r.student_id join contacts c on c.id = r.contact_id
      where r.ended_at is not null order by 1`.execute(db);
    return rows.map(({ pair }) => pair);
  }

  it.each([
    ['all rows are read', true],
    ['only rows that differ are read', false],
  ])('sheds no restriction where two siblings’ ids are swapped and %s', async (_, whole) => {
    await restrict();
    expect(await seen()).toEqual(['Ben']);
    expect(await load(swapped, { whole, dryRun: true })).toMatchObject({
      plan: { students: { added: 2, changed: 0, vacated: 2 }, relationships: { added: 2, changed: 0, ended: 2 } },
    });
    expect(await load(swapped, { whole })).toMatchObject({
      state: 'applied',
      counts: { applied: 2, ended: 2, held: 2 },
    });
    // Ben has the id now on which the restriction is; that he is another child is for staff to say.
    expect(await seen()).toEqual([]);
    expect(await ended()).toEqual(['Ana<Rosa id_reused', 'Ben<Rosa id_reused']);
    const tools = { clock: () => later, audit: async () => {} };
    const [hold] = (await listHolds(db, { contact: null, all: false })).filter(
      ({ student }) => student === 'elementary:Ana',
    );
    await releaseHold(db, tools, hold?.id ?? '', { actor: 'operator', reason: 'another child' });
    await load([...swapped, row('Tom', 'Eva')], { whole });
    expect(await seen()).toEqual(['Ben']);
  });

  it('sheds no restriction where the child gets a new id and another child the old one', async () => {
    await restrict();
    await load([{ ...ana, student_id: 'Ana2' }, ben, mia]);
    expect(await seen()).toEqual(['Ben']);
    expect(await seen(await eva())).toEqual(['Mia']);
  });

  it('gives the new child an id of its own, and nobody of the old one, in a delta too', async () => {
    const before = await students();
    const report = await town.load([mia], 'elementary', later, { delta: true });
    expect(report).toMatchObject({
      counts: { read: 1, applied: 1, ended: 1 },
      plan: { relationships: { added: 1, ended: 1 }, students: { added: 1, changed: 0, vacated: 1 } },
    });
    expect(await seen()).toEqual(['Ben']);
    expect(await seen(await eva())).toEqual(['Mia']);
    expect(await ended()).toEqual(['Ana<Rosa id_reused']);
    const [old] = before as Array<{ id: string }>;
    expect(await students()).toContainEqual(
      expect.objectContaining({ id: old?.id, given_name: 'Ana', current: false }),
    );
  });

  it('sheds no restriction, hold or protection where the name and the birth date are corrected together', async () => {
    await load([{ ...ana, ...custody, confidential: 'yes' }, ben, { ...ana, contact_id: 'Rosa2' }]);
    const twin = await account(db, { email: 'rosa2@example.org' }, await contactId(db, 'Rosa2'));
    expect(await seen(twin)).toEqual([]);
    await load([
      { ...ana, ...corrected },
      ben,
      // Nor where nothing but the hold tells any more that it is the same person.
      { ...ana, ...corrected, contact_id: 'Rosa2', email: 'moved@example.org', phone1: '(213) 555-0188' },
      { ...mia, ...corrected },
    ]);
    expect(await seen()).toEqual(['Ben']);
    expect(await seen(twin)).toEqual([]);
    const schools = await entitledStudents(db, { accountId: await eva(), now: later, timeZone });
    expect(schools).toMatchObject([{ givenName: 'Hannah', schoolName: null }]);
  });

  it('is nobody’s whom one file gives it to at once, and what stands, stands', async () => {
    expect((await load([ana, ben, mia])).reasons).toMatchObject({ 'two_people:student_id': { count: 2 } });
    expect(await seen()).toEqual(['Ana', 'Ben']);
    const { rows } = await sql`select 1 from contacts where sis_id = 'Eva'`.execute(db);
    expect(rows).toEqual([]);
  });

  it('is the same child with another name or another birth date alone, or where one of them is not known', async () => {
    const { birth_date: birthDate, student_given_name: name } = corrected;
    const before = await students();
    const ids = async () => (await students()).map((each) => (each as { id: string }).id);
    for (const cells of [{ student_given_name: name }, { student_given_name: name, birth_date: birthDate }]) {
      await load([{ ...ana, ...cells }, ben]);
      expect(await ids()).toEqual(before.map((each) => (each as { id: string }).id));
    }
    await load([{ ...ana, birth_date: '' }, ben]);
    await load([{ ...ana, student_given_name: 'ÁNA', birth_date: '2014-01-01' }, ben]);
    await load([{ ...ana, student_given_name: 'Ána', birth_date: '2013-01-01' }, ben]);
    expect(await ids()).toEqual(before.map((each) => (each as { id: string }).id));
    expect(await ended()).toEqual([]);
  });

  it('comes back by a roll back, and what was restricted meanwhile stays', async () => {
    await restrict();
    const before = await students();
    await decided('rollback', await load(swapped));
    expect((await students()).filter((each) => (each as { current: boolean }).current)).toEqual(before);
    expect(await seen()).toEqual(['Ben']);
    const wrong = { ...ben, ...corrected, birth_date: '2011-11-11', ...custody };
    await decided('rollback', await load([{ ...ana, ...custody }, wrong]));
    expect(await seen()).toEqual([]);
  });

  it('sheds no restriction where a run that was held is approved', async () => {
    await restrict();
    const held = await town.load([...others.slice(0, 30), ...swapped], 'elementary', later);
    expect(held).toMatchObject({ state: 'held', plan: { students: { vacated: 2 } } });
    expect(await seen()).toEqual(['Ben']);
    expect(await decided('approve', held)).toMatchObject({ state: 'applied', planDigest: held.planDigest });
    expect(await seen()).toEqual([]);
  });

  it('is the old child’s in the list of a parent whom a delta of OneRoster does not restate, and a refused right stays', async () => {
    for (const table of everything) await sql`delete from ${sql.table(table)}`.execute(db);
    const roster = await oneRosterTown(opened);
    await roster.load(family('1.2.1'));
    const demographics = [{ sourcedId: 'ana', birthDate: '2015-09-09', ...active }];
    const named = (givenName: string, agentSourcedIds: string) =>
      user('ana', { ...active, givenName, agentSourcedIds });
    // A name without a birth date is a correction.
    const renamed = await roster.load(setOf('1.2.1', 'delta', { users: [named('Anna', 'rosa,tom')] }));
    expect(renamed.plan?.students).toEqual({ added: 0, changed: 1, vacated: 0 });
    const rights = [right('ana', 'rosa', { ed_rights: 'yes' })];
    const users = [named('Mia', 'tom')];
    for (const files of [
      { users, demographics, rights },
      { users, demographics },
    ]) {
      const reused = await roster.load(setOf('1.2.1', 'delta', files));
      expect(reused).toMatchObject({
        state: 'applied',
        plan: { students: { added: 1, changed: 0, vacated: 1 }, relationships: { added: 1, ended: 2 } },
        reasons: { 'no_relationship:guardian_sourced_id': { count: 1 } },
      });
      expect(await standing(db)).toEqual(['ana<tom no-ed', 'leo<rosa ed']);
      await roster.decide('rollback', reused);
      expect(await standing(db)).toEqual(['ana<rosa ed guardian', 'ana<tom no-ed', 'leo<rosa ed']);
    }
  });
});
