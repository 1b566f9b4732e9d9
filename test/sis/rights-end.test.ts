import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { AuditEvent } from '../../src/audit/audit.js';
import { parseConfig } from '../../src/config.js';
import type { Database } from '../../src/database/database.js';
import type { Desk } from '../../src/desk/desk.js';
import { rightsCommand } from '../../src/desk/rights.js';
import type { Letter } from '../../src/mail/mailer.js';
import { noteBounce, suppressRefused } from '../../src/sis/invitations/suppress.js';
import { tellRightsEnd } from '../../src/sis/tell-rights-end.js';
import type { RightsEndTold } from '../../src/sis/tell-rights-end.js';
import { account, contactId } from '../accounts/people.js';
import { databases } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { feedsFile, row, timeZone } from './extract.js';
import type { District, Row } from './extract.js';
import { useDistrict } from './use-district.js';

const file = feedsFile();
const policies = {
  ...file,
  feeds: file.feeds.map((feed) => ({ ...feed, eligible_students: feed.sis === 'secondary' ? 'keep' : 'end' }) as const),
};
const office = 'office@example.org';
/** Ana turns 18 on 27 January 2027, which is 60 days after 28 November 2026. */
const ana = { birth_date: '2009-01-27' };

describe.each(databases)('rights that end soon, on %s', (kind) => {
  let db: Database;
  let town: District;
  let letters: Letter[];
  let events: AuditEvent[];
  useDistrict(kind, (made) => ({ db, town } = made), { file: policies });
  beforeEach(async () => {
    await db.deleteFrom('accounts').execute();
    for (const table of ['mail_suppressions', 'invitations']) await sql`delete from ${sql.table(table)}`.execute(db);
    [letters, events] = [[], []];
  });

  const at = (day: string) => (): Date => new Date(`${day}T20:00:00Z`);
  function run(day: string, administrators: string[] = []): Promise<RightsEndTold> {
    return tellRightsEnd({
      db,
      clock: at(day),
      timeZone,
      studentDomains: file.student_domains,
      administrators,
      audit: async (_trx, event) => void events.push(event),
      post: async (_trx, letter) => void letters.push(letter),
    });
  }
  /** Rosa and what the SIS says of her one child; with an account in Spanish. */
  async function family(cells: Row = ana, sis = 'elementary'): Promise<void> {
    await town.load([row('Ana', 'Rosa', { sis, ...cells })], sis);
    const id = await account(db, { email: 'rosa@example.org' }, await contactId(db, 'Rosa', sis));
    await sql`update accounts set locale = 'es' where id = ${id}`.execute(db);
  }
  /** On which of the days a letter went out. */
  async function daysTold(...days: string[]): Promise<string[]> {
    const told: string[] = [];
    for (const day of days) if ((await run(day)).letters > 0) told.push(day);
    return told;
  }

  /** Lets runs come all to the point where they write before any does. */
  async function meeting(several: () => Promise<unknown>): Promise<void> {
    const gate = await db.startTransaction().execute();
    await sql`lock table rights_notices in share row exclusive mode`.execute(gate);
    const running = several();
    const waiting = async (): Promise<number> =>
      (await sql`select 1 from pg_locks where relation = 'rights_notices'::regclass and not granted`.execute(db)).rows
        .length;
    await eventually(waiting, (count) => count === 6);
    await gate.commit().execute();
    await running;
  }

  it('are told twice, 60 and 7 days before, each once, in the parent’s language', async () => {
    await family();
    expect(await daysTold('2026-11-27', '2026-11-28', '2026-11-28', '2026-11-29', '2027-01-19')).toEqual([
      '2026-11-28',
    ]);
    expect(await daysTold('2027-01-20', '2027-01-20', '2027-01-26', '2027-01-27')).toEqual(['2027-01-20']);
    const [first, second] = letters;
    expect(first).toMatchObject({
      to: 'rosa@example.org',
      text: expect.stringContaining('cumple 18 años el 27 de enero de 2027'),
    });
    expect(second?.text).toContain('cumple 18 años el 27 de enero.');
    expect(JSON.stringify(letters)).not.toMatch(/Ana|Lincoln|López|https?:/);
    expect(events).toEqual([
      { kind: 'rights.end-told', actor: 'system', details: { today: '2026-11-28', letters: 1, students: 0 } },
      { kind: 'rights.end-told', actor: 'system', details: { today: '2027-01-20', letters: 1, students: 0 } },
    ]);
  });

  it('are told late after an outage, never twice on one day, and only the last where that is due', async () => {
    await family();
    expect(await daysTold('2026-11-30', '2027-01-22', '2027-01-23')).toEqual(['2026-11-30', '2027-01-22']);
    await sql`delete from rights_notices`.execute(db);
    expect(await daysTold('2027-01-20', '2027-01-20', '2027-01-21', '2027-01-26')).toEqual(['2027-01-20']);
  });

  it('are told anew where the day moves, and of the last day where the SIS had them kept', async () => {
    await family();
    expect(await daysTold('2026-11-28')).toHaveLength(1);
    await town.load([row('Ana', 'Rosa', { birth_date: '2009-01-28' })]);
    expect(await daysTold('2026-11-28', '2026-11-29', '2026-11-30')).toEqual(['2026-11-29']);
    await town.load([row('Ana', 'Rosa', { ...ana, rights_retained_until: '2027-06-30' })]);
    expect(await daysTold('2027-01-21', '2027-05-01', '2027-05-02')).toEqual(['2027-05-02']);
    expect(letters.at(-1)?.text).toContain('El último día es el 30 de junio.');
    await town.load([row('Ana', 'Rosa', { ...ana, rights_retained_until: '2028-06-30' })]);
    expect(await daysTold('2027-06-28', '2027-07-01')).toEqual([]);
  });

  it('are told to nobody who holds none or may not be written to', async () => {
    const people: Record<string, Row> = {
      Order: { restricted: 'yes', restriction_type: 'custody' },
      Nana: { relation: 'grandmother' },
      Over: { end_date: '2026-01-01' },
      Stopped: {},
      Given: {},
      Pupil: { email: 'pupil@example.org' },
      Shared: {},
      Good: {},
    };
    const rows = Object.entries(people).map(([name, cells]) => row(`Kid${name}`, name, { ...ana, ...cells }));
    await town.load([
      ...rows,
      row('KidPupil2', 'Nobody', { student_email: 'pupil@example.org' }),
      row('KidShared', 'Former', { ...ana, ...people['Order'], email: 'shared@example.org' }),
    ]);
    for (const name of Object.keys(people)) {
      await account(
        db,
        {
          email: `${name.toLowerCase()}@example.org`,
          ...(name === 'Stopped' ? { disabled_at: new Date(), disabled_as: 'suspended' as const } : {}),
        },
        await contactId(db, name),
      );
    }
    await town.load(
      [row('KidX', 'Other', { sis: 'secondary', email: 'given@example.org', phone1: '(213) 555-0144' })],
      'secondary',
    );
    await sql`update contacts set email = 'moved@example.org' where sis_id = 'Given'`.execute(db);
    await run('2026-11-28');
    expect(letters.map(({ to }) => to)).toEqual(['good@example.org']);
    await run('2027-01-20');
    expect(letters.map(({ to }) => to)).toEqual(['good@example.org', 'good@example.org']);
  });

  it('are told by no mailbox of two accounts of which the other’s owner is restricted, whatever address their record has by now', async () => {
    const order = { ...ana, restricted: 'yes', restriction_type: 'custody', email: 'elsewhere@example.org' };
    await town.load([row('Ana', 'Rosa', ana), row('Ana', 'Former', order)]);
    await account(db, { email: 'home@example.org' }, await contactId(db, 'Rosa'));
    await account(db, { email: 'home@example.org', sign_in_name: 'former' }, await contactId(db, 'Former'));
    expect(await daysTold('2026-11-28', '2027-01-20')).toEqual([]);
  });

  it('are told whatever reports and refusals there were: somebody at the mailbox wrote that its invitation came back', async () => {
    await family();
    await sql`insert into invitations (email, message_id, queued_at, handed_at)
      values ('rosa@example.org', '<seen@district.example>', now(), now())`.execute(db);
    const parts = { db, clock: at('2026-11-20'), audit: async () => {} };
    expect(await noteBounce(parts, { messageId: '<seen@district.example>' }, 'reported')).toBe(true);
    expect(await daysTold('2026-11-28', '2027-01-20')).toEqual(['2026-11-28', '2027-01-20']);
  });

  it('are told whatever reports and refusals there were: somebody asked for a letter while they had the mailbox full', async () => {
    await family();
    await suppressRefused({ db, clock: at('2026-11-20'), audit: async () => {} }, 'rosa@example.org');
    expect(await daysTold('2026-11-28', '2027-01-20')).toEqual(['2026-11-28', '2027-01-20']);
  });

  it('are told to nobody where the feed’s policy is to keep them', async () => {
    await family(ana, 'secondary');
    expect(await daysTold('2026-11-28', '2027-01-20')).toEqual([]);
  });

  it('of twins are told in one letter; of several instances at once, one writes it', async () => {
    await town.load([row('Ana', 'Rosa', ana), row('Eva', 'Rosa', ana)]);
    await account(db, { email: 'rosa@example.org' }, await contactId(db, 'Rosa'));
    const several = (): Promise<unknown> => Promise.all(Array.from({ length: 6 }, () => run('2026-11-28', [office])));
    if (kind === 'pglite') await several();
    else await meeting(several);
    expect(letters.map(({ to }) => to).toSorted()).toEqual([office, 'rosa@example.org']);
    expect(letters.find(({ to }) => to !== office)?.text).toContain(
      '2 students whom you see in Parent Access turn 18 on 27 January 2027.',
    );
  });

  it('are told to staff in one letter a run, as numbers by school, and listed by SIS id', async () => {
    const soon = { birth_date: '2008-12-05' };
    const rows = [
      row('Ana', 'Rosa', { ...ana, student_id: 'S1' }),
      row('Ben', 'Rosa', { ...soon, student_id: 'S2', school_code: '1002', school_name: 'Grant High' }),
      row('Eva', 'Ines', {
        ...soon,
        student_id: 'S3',
        school_code: '1002',
        school_name: 'Grant High',
        confidential: 'yes',
      }),
      row('Leo', 'Luis', { ...soon, student_id: 'S4', restricted: 'yes', restriction_type: 'custody' }),
      row('Max', 'Omar', { birth_date: '2009-03-01', student_id: 'S5' }),
    ];
    await town.load(rows);
    await account(db, { email: 'rosa@example.org' }, await contactId(db, 'Rosa'));
    expect(await run('2026-11-28', [office, 'second@example.org'])).toEqual({ letters: 2, students: 3 });
    const told = letters.filter(({ to }) => to === office);
    expect(told).toHaveLength(1);
    expect(told[0]?.text).toContain('Grant High: 1 student within 7 days, 0 students within 60 days');
    // Else who has the list too, where S3 is without its school, would know it.
    expect(told[0]?.text).toContain('school withheld: 1 student within 7 days, 0 students within 60 days');
    expect(told[0]?.text).toContain('Lincoln Elementary: 0 students within 7 days, 1 student within 60 days');
    expect(told[0]?.text).toContain('parent-access rights upcoming --days 60');
    expect(letters.filter(({ to }) => to === 'second@example.org')).toHaveLength(1);
    expect(await run('2026-11-28', [office])).toEqual({ letters: 0, students: 0 });

    const desk = { db, clock: at('2026-11-28'), config: parseConfig({ TIME_ZONE: timeZone }) } as Desk;
    const list = async (...args: string[]): Promise<unknown> =>
      JSON.parse(await rightsCommand(desk, [...args, '--json']));
    const entry = { feed: 'elementary', lastDay: '2026-12-04', endsOn: '2026-12-05' };
    const near = [
      { ...entry, student: 'S2', schoolCode: '1002', school: 'Grant High', accounts: 1 },
      { ...entry, student: 'S3', schoolCode: null, school: null, accounts: 0 },
    ];
    expect(await list('upcoming', '--days', '7')).toEqual(near);
    expect(await list('upcoming', '--days', '6')).toEqual([]);
    expect(await list('upcoming')).toMatchObject([...near, { student: 'S1', endsOn: '2027-01-27', accounts: 1 }]);
    expect(await rightsCommand(desk, ['upcoming'])).toMatch(
      /^elementary {2}S2 {7}1002 {6}Grant High .* 2026-12-04 {2}1$/m,
    );
    await expect(rightsCommand(desk, ['upcoming', '--days', '0'])).rejects.toThrow('from 1 to 366');
    await expect(rightsCommand(desk, [])).rejects.toThrow('rights upcoming');
  });
});
