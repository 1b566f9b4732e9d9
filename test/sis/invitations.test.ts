import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { AuditEvent } from '../../src/audit/audit.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { drawInvitations, invitationMailQueue } from '../../src/sis/invitations/draw.js';
import type { InvitationParts } from '../../src/sis/invitations/draw.js';
import { invitationStatus } from '../../src/sis/invitations/status.js';
import { suppressRefused } from '../../src/sis/invitations/suppress.js';
import { account, contactId, emptyAll } from '../accounts/people.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { district, now, row, timeZone } from './extract.js';
import type { District, Row } from './extract.js';

const minute = 60_000;

describe.each(databases)('invitations, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;
  let events: AuditEvent[];
  let sent: string[];
  let at: Date;
  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });
  beforeEach(async () => {
    for (const table of [
      'invitation_queue',
      'invitation_sweeps',
      'invitation_runs',
      'invitations',
      'mail_suppressions',
    ]) {
      await sql`delete from ${sql.table(table)}`.execute(db);
    }
    await emptyAll(db);
    town = await district(opened);
    [events, sent, at] = [[], [], now];
  });

  const parts = (perHour = 6_000, more: Partial<InvitationParts> = {}): InvitationParts => ({
    db,
    clock: () => at,
    audit: async (_trx, event) => void events.push(event),
    jobs: {
      send: async (_trx, queue, payload) => void sent.push(`${queue} ${String(payload['invitation'])}`),
      wake: () => {},
    },
    timeZone,
    studentDomains: ['students.example.org'],
    settings: { perHour, sharedLimit: 3 },
    mailDomain: 'district.example',
    ...more,
  });
  async function invited(): Promise<string[]> {
    const { rows } = await sql<{ email: string }>`select email from invitations order by queued_at, email`.execute(db);
    return rows.map(({ email }) => email);
  }
  /** Phones of their own, so that nobody is taken for another. */
  const phone = (number: number): string => `(213) 555-${String(1_000 + number)}`;
  const parent = (number: number, cells: Row = {}): Row =>
    row(`Kid${number}`, `Mum${number}`, { phone1: phone(number), ...cells });
  const secondary = (cells: Row): Row => ({ ...cells, sis: 'secondary' });

  it('go to each mailbox with somebody who can register, once, with a mail job for each', async () => {
    await town.load([parent(1), parent(2)]);
    expect(await drawInvitations(parts())).toBe(2);
    expect(await invited()).toEqual(['mum1@example.org', 'mum2@example.org']);
    const { rows } = await sql<{ id: string; message_id: string; language: string }>`
      select id, message_id, language from invitations order by email`.execute(db);
    expect(sent.toSorted()).toEqual(rows.map(({ id }) => `${invitationMailQueue} ${id}`).toSorted());
    expect(rows[0]).toMatchObject({
      language: 'es',
      message_id: expect.stringMatching(/^<[0-9a-f-]{36}@district\.example>$/),
    });
    expect(JSON.stringify(events)).not.toContain('@');
    at = new Date(at.getTime() + 2 * 86_400_000);
    await town.load([parent(1), parent(2), parent(3)], 'elementary', at);
    expect(await drawInvitations(parts())).toBe(1);
    expect(await drawInvitations(parts())).toBe(0);
    expect(await invited()).toEqual(['mum1@example.org', 'mum2@example.org', 'mum3@example.org']);
  });

  it('are not sent where the feeds file does not ask for them', async () => {
    await town.load([parent(1)]);
    expect(await drawInvitations(parts(1, { settings: null }))).toBe(0);
    expect(await invited()).toEqual([]);
  });

  it('keep the rate in every hour, and begin with the newest change', async () => {
    const first = Array.from({ length: 40 }, (_, index) => parent(index));
    await town.load(first);
    at = new Date(at.getTime() + minute);
    await town.load([...first, parent(98), parent(99)], 'elementary', at);
    expect(await drawInvitations(parts(100))).toBe(2);
    expect(await invited()).toEqual(['mum98@example.org', 'mum99@example.org']);
    const each: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) each.push(await drawInvitations(parts(10)));
    // Ten an hour is one a minute; two went out before.
    expect(each.reduce((sum, count) => sum + count)).toBe(8);
    expect(Math.max(...each)).toBe(1);
    expect(await invitationStatus(db, () => at, { perHour: 10, sharedLimit: 3 })).toMatchObject({
      waiting: 32,
      underWay: 10,
      allBy: new Date(at.getTime() + 3.2 * 3_600_000),
    });
    at = new Date(at.getTime() + 61 * minute);
    expect(await drawInvitations(parts(10))).toBe(1);
  });

  it('neither exceed the rate nor double when many instances draw at once', async () => {
    await town.load(Array.from({ length: 60 }, (_, index) => parent(index)));
    const drawn = await Promise.all(Array.from({ length: 8 }, () => drawInvitations(parts(20))));
    expect(drawn.reduce((sum, count) => sum + count)).toBe(8);
    const more = await Promise.all(Array.from({ length: 20 }, () => drawInvitations(parts(20))));
    expect(more.reduce((sum, count) => sum + count)).toBe(12);
    const emails = await invited();
    expect([emails.length, new Set(emails).size, sent.length]).toEqual([20, 20, 20]);
  });

  const sharedBy = (count: number): Row[] =>
    Array.from({ length: count }, (_, index) => parent(index, { email: 'office@school.example' }));
  const cases: Array<[string, (town: District) => Promise<unknown>]> = [
    ['who is restricted', (place) => place.load([parent(1, { restricted: 'yes', restriction_type: 'custody' })])],
    [
      'a mailbox on which somebody is restricted',
      (place) =>
        place.load([
          parent(1, { email: 'two@example.org' }),
          parent(2, { email: 'two@example.org', restricted: 'yes', restriction_type: 'custody' }),
        ]),
    ],
    [
      'who is restricted as another contact, with another address',
      async (place) => {
        await place.load([parent(1, { restricted: 'yes', restriction_type: 'custody', given_name: 'Rosa' })]);
        await place.load([secondary(parent(1, { email: 'other@example.org', given_name: 'Rosa' }))], 'secondary');
      },
    ],
    [
      'a student’s address',
      (place) => place.load([parent(1, { email: 'kid@example.net', student_email: 'kid@example.net' })]),
    ],
    ['the students’ domain', (place) => place.load([parent(1, { email: 'kid@x.students.example.org' })])],
    ['a school’s own mailbox', (place) => place.load(sharedBy(4))],
    ['who has no right', (place) => place.load([parent(1, { relation: 'grandmother' })])],
    [
      'two who cannot be told apart',
      (place) => place.load([parent(1), parent(1, { contact_id: 'X', given_name: 'X', student_id: 'X' })]),
    ],
    [
      'who is registered, nor the mailbox of an account',
      async (place) => {
        await place.load([parent(1), parent(2)]);
        await account(db, { email: 'elsewhere@example.org' }, await contactId(db, 'Mum1'));
        await account(db, { email: 'mum2@example.org' });
      },
    ],
    [
      'who is registered by another contact, with another address',
      async (place) => {
        await place.load([parent(1, { given_name: 'Rosa' })]);
        await place.load([secondary(parent(1, { email: 'other@example.org', given_name: 'Rosa' }))], 'secondary');
        await account(db, { email: 'mum1@example.org' }, await contactId(db, 'Mum1'));
      },
    ],
    [
      'a suppressed address',
      async (place) => {
        await place.load([parent(1)]);
        await suppressRefused(parts(), 'mum1@example.org');
      },
    ],
  ];
  it.each(cases)('never go to %s', async (_name, prepare) => {
    await prepare(town);
    expect(await drawInvitations(parts())).toBe(0);
    // Filled before that was known: each is judged again when its turn comes.
    await sql`insert into invitation_queue (email, changed_at)
      select distinct email, ${now}::timestamptz from contacts where email is not null`.execute(db);
    expect(await drawInvitations(parts())).toBe(0);
    expect((await sql`select 1 from invitation_queue`.execute(db)).rows).toEqual([]);
  });

  it('go to a mailbox that as many share as are allowed, once, in English where their languages differ', async () => {
    await town.load([...sharedBy(2), parent(7, { email: 'office@school.example', language: 'en' })]);
    expect(await drawInvitations(parts())).toBe(1);
    expect(await drawInvitations(parts())).toBe(0);
    const { rows } = await sql`select email, language from invitations`.execute(db);
    expect(rows).toEqual([{ email: 'office@school.example', language: null }]);
  });

  it.each([
    ['with one mailbox', 'mum1@example.org'],
    ['with two mailboxes', 'other@example.org'],
  ])('go once to a person in both SISs, %s', async (_name, email) => {
    await town.load([parent(1, { given_name: 'Rosa' })]);
    await town.load([secondary(parent(1, { email, given_name: 'Rosa' }))], 'secondary');
    expect(await drawInvitations(parts())).toBe(1);
    expect(await drawInvitations(parts())).toBe(0);
    at = new Date(at.getTime() + 86_400_000);
    expect(await drawInvitations(parts())).toBe(0);
  });

  it('go to a changed address as to a new one', async () => {
    await town.load([parent(1)]);
    await drawInvitations(parts());
    at = new Date(at.getTime() + minute);
    await town.load([parent(1, { email: 'new@example.org', last_modified: '2026-11-20T08:00:00Z' })], 'elementary', at);
    expect(await drawInvitations(parts())).toBe(1);
    expect(await invited()).toEqual(['mum1@example.org', 'new@example.org']);
  });

  it('are found on the day on which a right begins, without an import', async () => {
    await town.load([parent(1, { start_date: '2026-11-21' })]);
    expect(await drawInvitations(parts())).toBe(0);
    at = new Date(at.getTime() + 86_400_000);
    expect(await drawInvitations(parts())).toBe(1);
  });

  it.each<[string, Row, Row]>([
    ['a phone that was corrected', { phone1: '555' }, {}],
    ['a restriction that was lifted', { restricted: 'yes', restriction_type: 'custody' }, { restricted: 'no' }],
    ['a right that was given', { ed_rights: 'no' }, { ed_rights: 'yes' }],
    ['an address that was corrected', { email: 'mum1 at example' }, {}],
    ['somebody who left the mailbox', {}, { email: 'mum1@example.org' }],
  ])('are found in the minute after %s, without going through all', async (name, before, later) => {
    const other = name.startsWith('somebody')
      ? [parent(1, { contact_id: 'X', given_name: 'X', student_id: 'X', email: 'mum1@example.org' })]
      : [];
    const many = Array.from({ length: 30 }, (_, index) => parent(100 + index));
    await town.load([parent(1, before), ...other, ...many]);
    await drawInvitations(parts());
    expect(await invited()).not.toContain('mum1@example.org');
    at = new Date(at.getTime() + 2 * minute);
    await town.load([parent(1, { ...later, last_modified: '2026-11-20T10:00:00Z' }), ...many], 'elementary', at);
    expect(await drawInvitations(parts())).toBe(1);
    expect(await invited()).toContain('mum1@example.org');
  });

  it('find everybody where there are more than are gone through at once, and after a run was rolled back', async () => {
    const many = Array.from({ length: 1_100 }, (_, index) => parent(index));
    await town.load(many);
    expect(await drawInvitations(parts(60))).toBe(1);
    const { rows } = await sql`select email from invitation_queue`.execute(db);
    expect(rows).toHaveLength(1_099);
    // As a roll-back leaves it: what was there before stands again, with its dates.
    await sql`delete from invitation_queue`.execute(db);
    await sql`alter table feed_runs drop constraint if exists feed_runs_state_check`.execute(db);
    await sql`update feed_runs set state = 'rolled_back'`.execute(db);
    at = new Date(at.getTime() + 2 * minute);
    expect(await drawInvitations(parts(60))).toBe(1);
    expect((await sql`select email from invitation_queue`.execute(db)).rows).toHaveLength(1_098);
  });

  it('exist only together with their mail job', async () => {
    await town.load([parent(1)]);
    const broken = parts(60, { jobs: { send: () => Promise.reject(new Error('no queue')), wake: () => {} } });
    await expect(drawInvitations(broken)).rejects.toThrow('no queue');
    expect(await invited()).toEqual([]);
    expect(await drawInvitations(parts())).toBe(1);
  });
});
