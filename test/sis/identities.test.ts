import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { ruledDatabases } from '../support/database.js';
import { useDistrict } from './use-district.js';
import { now, row } from './extract.js';
import type { District } from './extract.js';

const later = new Date(now.getTime() + 86_400_000);
const others = Array.from({ length: 60 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const ana = row('Ana', 'Rosa', { given_name: 'Rosa', email: 'rosa@example.org', phone1: '(213) 555-0177' });
const leo = row('Leo', 'Rosa', { given_name: 'Rosa', email: 'rosa@example.org', phone1: '(213) 555-0177' });

describe.each(ruledDatabases)('who an id of the SIS is over time, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;

  useDistrict(kind, (made) => ({ db, opened, town } = made));
  beforeEach(async () => {
    await town.load([...others, ana, leo]);
  });

  async function contact(sisId: string): Promise<{ id: string; current: boolean; given_name: string } | undefined> {
    const { rows } = await sql<{ id: string; current: boolean; given_name: string }>`
      select id, current, given_name from contacts where sis = 'elementary' and sis_id = ${sisId}`.execute(db);
    return rows[0];
  }

  async function students(id: string): Promise<string[]> {
    const { rows } = await sql<{ sis_id: string }>`
      select s.sis_id from relationships r join students s on s.id = r.student_id
      where r.contact_id = ${id} and r.ended_at is null order by 1`.execute(db);
    return rows.map(({ sis_id }) => sis_id);
  }

  it('follows a changed id with the same students, name, e-mail and phone', async () => {
    const before = await contact('Rosa');
    const report = await town.load(
      [...others, { ...ana, contact_id: 'R-2' }, { ...leo, contact_id: 'R-2' }],
      'elementary',
      later,
    );
    expect(report).toMatchObject({
      state: 'applied',
      plan: { contacts: { followed: 1, added: 0 } },
      counts: { ended: 0 },
    });
    expect(await contact('R-2')).toEqual(before);
    expect(await contact('Rosa')).toBeUndefined();
  });

  it.each([
    ['another name', { given_name: 'Eva' }],
    ['another mailbox', { email: 'eva@example.org' }],
    ['another phone', { phone1: '(213) 555-0188' }],
    ['another child', { student_id: 'Mia', student_given_name: 'Mia' }],
  ])('does not follow an id with %s', async (_, change) => {
    const before = await contact('Rosa');
    const report = await town.load(
      [...others, { ...ana, contact_id: 'R-2', ...change }, { ...leo, contact_id: 'R-2', ...change }],
      'elementary',
      later,
    );
    expect(report).toMatchObject({ state: 'applied', plan: { contacts: { followed: 0, added: 1 } } });
    expect((await contact('R-2'))?.id).not.toBe(before?.id);
    expect(await students(before?.id ?? '')).toEqual([]);
  });

  it('gives an id that goes to another person no child of the person before', async () => {
    const before = await contact('Rosa');
    const john = row('Tom', 'Rosa', {
      given_name: 'John',
      family_name: 'Smith',
      email: 'john@example.org',
      phone1: '(213) 555-0199',
    });
    const report = await town.load([...others, ana, leo, john].slice(0, 60).concat([john]), 'elementary', later);
    expect(report).toMatchObject({ state: 'applied', plan: { contacts: { vacated: 1, added: 1 } } });
    const after = await contact('Rosa');
    expect(after).toMatchObject({ given_name: 'John', current: true });
    expect(after?.id).not.toBe(before?.id);
    expect(await students(after?.id ?? '')).toEqual(['Tom']);
    expect(await students(before?.id ?? '')).toEqual([]);
  });

  it('takes a new name, a new mailbox or a new phone alone for the same person', async () => {
    const before = await contact('Rosa');
    await town.load([...others, ...[ana, leo].map((each) => ({ ...each, family_name: 'Ruiz' }))], 'elementary', later);
    await town.load(
      [
        ...others,
        ...[ana, leo].map((each) => ({
          ...each,
          family_name: 'Ruiz',
          email: 'ruiz@example.org',
          phone1: '(213) 555-0111',
        })),
      ],
      'elementary',
      later,
    );
    expect((await contact('Rosa'))?.id).toBe(before?.id);
    expect(await students(before?.id ?? '')).toEqual(['Ana', 'Leo']);
  });

  it('takes no row that gives one id to two people, and what stands, stands', async () => {
    const two = {
      ...leo,
      given_name: 'John',
      family_name: 'Smith',
      email: 'john@example.org',
      phone1: '(213) 555-0199',
    };
    const report = await town.load([...others, ana, two], 'elementary', later);
    expect(report).toMatchObject({
      state: 'applied',
      reasons: { 'two_people:contact_id': { count: 2, lines: [62, 63] } },
      counts: { read: 62, applied: 0, unchanged: 60, skipped: 2, ended: 0 },
    });
    expect(await contact('Rosa')).toMatchObject({ given_name: 'Rosa', current: true });
  });

  it('lets nobody shed a restriction by a new name and address', async () => {
    const order = { restricted: 'yes', restriction_type: 'protection order' };
    await town.load([...others, { ...ana, ...order }, leo], 'elementary', later);
    const before = await contact('Rosa');
    const renamed = { given_name: 'John', family_name: 'Smith', email: 'john@example.org', phone1: '(213) 555-0199' };
    const report = await town.load([...others, { ...ana, ...renamed }, { ...leo, ...renamed }], 'elementary', later);
    expect(report.reasons).toEqual({ 'two_people:contact_id': { count: 2, lines: [62, 63] } });
    expect(await contact('Rosa')).toEqual(before);
  });

  it('knows a contact that returns', async () => {
    const before = await contact('Rosa');
    await town.load(others, 'elementary', later);
    expect(await contact('Rosa')).toMatchObject({ current: false });
    await town.load([...others, ana], 'elementary', later);
    expect(await contact('Rosa')).toEqual(before);
    await town.load([...others, { ...ana, contact_id: 'R-3' }], 'elementary', later);
    expect(await contact('R-3')).toEqual(before);
  });

  it('brings ids back by a roll back', async () => {
    const before = await contact('Rosa');
    const report = await town.load(
      [...others, { ...ana, contact_id: 'R-2' }, { ...leo, contact_id: 'R-2' }],
      'elementary',
      later,
    );
    const { rollBackRun } = await import('../../src/sis/roll-back.js');
    const { bulkLoader } = await import('../../src/sis/loader.js');
    await rollBackRun(
      db,
      {
        runId: report.runId,
        actor: 'operator',
        reason: 'wrong file',
        clock: () => later,
        timeZone: 'UTC',
        audit: async () => {},
        load: bulkLoader(opened),
      },
      () => 'elementary',
    );
    expect(await contact('Rosa')).toEqual(before);
    expect(await contact('R-2')).toBeUndefined();
  });
});
