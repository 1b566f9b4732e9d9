import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { mailCommand, nothingChanged } from '../../../src/desk/mail.js';
import { invitationsCommand } from '../../../src/desk/invitations.js';
import { openJobs } from '../../../src/jobs/jobs.js';
import type { Jobs } from '../../../src/jobs/jobs.js';
import { drawInvitations } from '../../../src/sis/invitations/draw.js';
import type { InvitationStatus } from '../../../src/sis/invitations/status.js';
import { makeLogger } from '../../../src/telemetry/logger.js';
import { row } from '../../sis/extract.js';
import type { Row } from '../../sis/extract.js';
import { openBrowser } from '../../support/browser.js';
import { eventually } from '../../support/eventually.js';
import { ruledDatabases } from '../../support/database.js';
import { startTestHouse } from '../../support/house.js';
import type { TestHouse } from '../../support/house.js';
import { acceptTerms, choosePassword, linkIn, pressLink } from '../steps.js';

/**
 * import → (minute) queue → invitation + mail job → mail server
 *                                                  ├ taken   → a report may come back → suppressed
 *                                                  ├ refused → suppressed
 *                                                  └ away    → again later
 */
describe.each(ruledDatabases)('an invitation, on %s', (kind) => {
  let house: TestHouse;
  let jobs: Jobs;
  const parent = (name: string, line: number, cells: Row = {}): Row =>
    row(`Kid${name}`, name, { phone1: `(213) 555-01${line}`, ...cells });
  beforeAll(async () => {
    house = await startTestHouse({ kind, invitations: { per_hour: 6_000, shared_limit: 3 } });
    jobs = await openJobs(house.pool, kind, makeLogger({ logLevel: 'error' }, { write: () => {} }));
  });
  afterAll(async () => {
    await jobs.stop();
    await house.close();
  });
  beforeEach(() => {
    house.mailbox.behave('open');
    house.mailbox.clear();
  });

  /** What the job of each minute does, which the house may do as well at this moment; the house's own worker mails. */
  const minute = (): Promise<number> =>
    drawInvitations({
      ...house.desk,
      jobs,
      timeZone: house.desk.config.timeZone,
      studentDomains: [],
      settings: { perHour: 6_000, sharedLimit: 3 },
      mailDomain: 'example.org',
    });
  const status = async (): Promise<InvitationStatus> =>
    JSON.parse(await invitationsCommand(house.desk, ['status', '--json'])) as InvitationStatus;
  const comesTo = async (wished: Partial<InvitationStatus>): Promise<void> => {
    const fits = (found: InvitationStatus): boolean =>
      Object.entries(wished).every(([name, value]) => found[name as keyof InvitationStatus] === value);
    expect(await eventually(status, fits, 30_000)).toMatchObject(wished);
  };
  const load = async (...rows: Row[]): Promise<void> => {
    house.advance(60);
    expect((await house.load('elementary', rows)).state).toBe('applied');
  };
  const rosa = parent('Rosa', 10);
  const luis = parent('Luis', 11, { language: 'ko' });
  const ines = parent('Ines', 12, { language: 'en' });
  const omar = parent('Omar', 13);

  it('is looked for each minute, as are runs that wait for people; and a feed is loaded by its schedule', async () => {
    const { rows } = await sql<{ name: string; key: string; cron: string; timezone: string }>`
      select name, key, cron, timezone from jobs.schedule where name in ('invitations', 'held-runs', 'import') order by 1, 2`.execute(
      house.db,
    );
    expect(rows).toEqual([
      { name: 'held-runs', key: 'all', cron: '* * * * *', timezone: 'UTC' },
      { name: 'import', key: 'elementary', cron: '0 2 * * *', timezone: 'America/Los_Angeles' },
      { name: 'import', key: 'secondary', cron: '0 2 * * *', timezone: 'America/Los_Angeles' },
      { name: 'invitations', key: 'all', cron: '* * * * *', timezone: 'UTC' },
    ]);
  });

  it('comes after an import, in the parent’s language, with a bare address, and leads to an account and to no second one', async () => {
    await load(rosa, luis);
    await minute();
    const letter = await house.mailbox.waitFor('rosa@example.org');
    expect(letter.subject).toBe('Puede crear una cuenta de Acceso para Padres y Tutores');
    expect((await house.mailbox.waitFor('luis@example.org')).subject).toBe('You can create a Parent Access account');
    for (const text of [letter.text, letter.html]) {
      expect(text.match(/https?:\/\/[^\s<"]+/g)).toEqual([house.issuer]);
      expect(text).not.toMatch(/Rosa|López|Kid|Lincoln|token|href/);
    }
    const { rows } = await sql<{
      message_id: string;
    }>`select message_id from invitations where email = 'rosa@example.org'`.execute(house.db);
    expect(letter.headers.get('message-id')).toBe(rows[0]?.message_id);

    const browser = openBrowser();
    await browser.get(house.issuer);
    await browser.get(`${house.issuer}/register`);
    await browser.submit({ email: 'rosa@example.org', phone: '(213) 555-0110' });
    const activation = await house.mailbox.waitFor('rosa@example.org', ({ text }) => text.includes('/activate'));
    await pressLink(browser, linkIn(activation, '/activate'));
    await choosePassword(browser);
    expect((await acceptTerms(browser)).status).toBe(200);

    await load({ ...rosa, last_modified: '2026-11-22T08:00:00Z', given_name: 'Rosa María' }, luis);
    house.advance(86_400);
    expect(await minute()).toBe(0);
    await comesTo({ waiting: 0, underWay: 0, sent: 2, bounced: 0 });
    expect(house.mailbox.to('rosa@example.org').filter(({ subject }) => subject === letter.subject)).toHaveLength(1);
  });

  it('does not go out any more where a restriction came while the mail server was away', async () => {
    await house.mailbox.down();
    await load(rosa, luis, ines);
    await minute();
    await eventually(
      () => house.log.some((line) => line.includes('"queue":"invitation-mail"')),
      (tried) => tried,
    );
    await load(rosa, luis, { ...ines, restricted: 'yes', restriction_type: 'custody' });
    await house.mailbox.up();
    await comesTo({ underWay: 0, sent: 2 });
    expect(house.mailbox.to('ines@example.org')).toEqual([]);
    await load(rosa, luis, { ...ines, restricted: 'no' });
    await minute();
    expect((await house.mailbox.waitFor('ines@example.org')).text).toContain(house.issuer);
  });

  it('that the mail server refuses for good is the last to this address, until an operator lifts it', async () => {
    house.mailbox.behave('refusing');
    await load(rosa, luis, ines, omar);
    await minute();
    await comesTo({ underWay: 0, bounced: 1, suppressed: 1 });
    house.mailbox.behave('open');
    house.advance(86_400);
    expect(await minute()).toBe(0);
    // Who asks for a letter gets it all the same.
    const browser = openBrowser();
    await browser.get(`${house.issuer}/register`);
    await browser.submit({ email: 'omar@example.org', phone: '(213) 555-0113' });
    await house.mailbox.waitFor('omar@example.org', ({ text }) => text.includes('/activate'));

    await expect(mailCommand(house.desk, ['unsuppress', 'somebody@example.org'])).rejects.toThrow('is not suppressed');
    expect(await mailCommand(house.desk, ['unsuppress', ' Omar@Example.org'])).toBe(
      'The address may be invited again.',
    );
    await minute();
    await house.mailbox.waitFor('omar@example.org', ({ text }) => !text.includes('/activate'));
  });

  it('that comes back as a report is the last to this address; a report about anything else changes nothing', async () => {
    const { rows } = await sql<{ message_id: string }>`
      select message_id from invitations where email = 'luis@example.org'`.execute(house.db);
    const id = rows[0]?.message_id ?? '';
    expect(await mailCommand(house.desk, ['bounced', '<else@example.org>'])).toBe(nothingChanged);
    expect(await status()).toMatchObject({ suppressed: 0 });
    expect(await mailCommand(house.desk, ['bounced', id])).toContain('no more invitations');
    expect(await mailCommand(house.desk, ['bounced', id])).toBe(nothingChanged);
    expect(await status()).toMatchObject({ suppressed: 1 });
    const events = await sql<{
      line: string;
    }>`select kind || details::text || coalesce(subject, '') as line from audit_events
      where kind like 'invitation%' or kind like 'mail.%'`.execute(house.db);
    expect(events.rows.length).toBeGreaterThan(4);
    expect([...events.rows.map(({ line }) => line), ...house.log].join('\n')).not.toMatch(/(rosa|luis|ines|omar)@/);
  });

  it('and the letters somebody asks for: a refused address gets no invitation, and is tried again', async () => {
    house.mailbox.behave('refusing');
    await load(rosa, luis, ines, omar, parent('Vera', 14));
    const browser = openBrowser();
    await browser.get(`${house.issuer}/register`);
    await browser.submit({ email: 'vera@example.org', phone: '(213) 555-0114' });
    await comesTo({ suppressed: 2 });
    expect(await minute()).toBe(0);
    house.mailbox.behave('open');
    await house.mailbox.waitFor('vera@example.org', ({ text }) => text.includes('/activate'), 40_000);
  });
});
