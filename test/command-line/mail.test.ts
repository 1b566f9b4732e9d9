import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { nothingChanged } from '../../src/desk/mail.js';
import { databases, freshDatabase } from '../support/database.js';
import { freePort } from '../support/house.js';
import { ready, run, runHere } from './program.js';
import type { Run } from './program.js';

const id = '<5f0e5c1e-7d1c-4d8e-9a3b-2b9d8a4c0e11@example.org>';

/** A report as an MTA pipes it. */
function report(messageId: string): string {
  const lines = [
    'From: MAILER-DAEMON@mx.example',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=AAA',
    '',
    '--AAA',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example',
    '',
    'Final-Recipient: rfc822; mum@example.org',
    'Action: failed',
    'Status: 5.1.1',
    '',
    '--AAA',
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: ${messageId}`,
    '',
    '--AAA--',
    '',
  ];
  return lines.join('\r\n');
}

describe.each(databases)('coverage, invitations and bounced mail at the command line, on %s', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-mail-'));
  let server: Run;
  let settings: Record<string, string>;
  let db: Database | null = null;
  const opened: Array<() => Promise<void>> = [];
  beforeAll(async () => {
    const port = await freePort();
    const feeds = join(folder, 'feeds.json');
    const feed = (name: string) => ({
      name,
      sis: name,
      format: 'district-extract',
      place: { file: `sample/${name}.csv` },
      unknown_rights: 'allow',
      sample: true,
    });
    writeFileSync(
      feeds,
      JSON.stringify({ invitations: { per_hour: 60 }, feeds: [feed('elementary'), feed('secondary')] }),
    );
    settings = {
      ISSUER: `http://localhost:${port}`,
      PORT: String(port),
      DATA_DIR: folder,
      FEEDS_FILE: feeds,
      THROTTLE_SCALE: '1000',
    };
    if (kind === 'postgres') {
      const database = await freshDatabase();
      opened.push(() => database.close());
      settings['DATABASE_URL'] = database.url ?? '';
      ({ db } = database);
    }
    server = run(['serve'], settings);
    await ready(server);
  });
  afterAll(async () => {
    server.child.kill('SIGTERM');
    await server.ended;
    for (const close of opened) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function command(args: string[], input = ''): Promise<{ code: number | null; out: string; err: string }> {
    if (input === '' && args[1] !== 'bounce') {
      const here = await runHere(args, settings);
      return { ...here, err: here.err.trim() };
    }
    const running = run(args, settings, input);
    // Who is told more than it reads hangs up.
    running.child.stdin?.on('error', () => {});
    const code = await running.ended;
    return { code, out: running.out(), err: running.err().trim() };
  }
  const changesNothing = { code: 0, out: `${nothingChanged}\n`, err: '' };

  it('counts the district as a table, as CSV and as JSON', async () => {
    const table = await command(['coverage', '--by', 'school']);
    expect(table).toMatchObject({ code: 0, err: '' });
    expect(table.out).toMatch(/^feed +school code +school +registrable +registered +no email .* contacts\n/);
    expect(table.out).toContain('the last line counts each contact once');
    const { out: csv } = await command(['coverage', '--csv']);
    const lines = csv.split('\r\n');
    expect(lines[0]).toBe(
      'feed,school code,school,language,registrable,registered,no_email,invalid_email,invalid_phone,shared_address,restricted,no_right,not_current,contacts',
    );
    expect(lines.slice(-2)).toEqual([expect.stringMatching(/^total,each contact once,,(,\d+){10}$/), '']);
    expect(csv.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    const found = JSON.parse(
      (await command(['coverage', '--feed', 'secondary', '--by', 'language', '--json'])).out,
    ) as {
      total: Record<string, number>;
      rows: Array<{ language: string; counts: Record<string, number> }>;
    };
    const { contacts = 0, ...states } = found.total;
    expect(Object.values(states).reduce((sum, count) => sum + count)).toBe(contacts);
    expect(found.rows.reduce((sum, { counts }) => sum + (counts['contacts'] ?? 0), 0)).toBe(contacts);
    expect(contacts).toBeGreaterThan(100);
  });

  it('says how far the invitations are', async () => {
    const status = JSON.parse((await command(['invitations', 'status', '--json'])).out) as Record<string, unknown>;
    expect(status).toMatchObject({ perHour: 60, bounced: 0, suppressed: 0 });
    expect((await command(['invitations', 'status'])).out).toMatch(/^Up to 60 mailboxes .*\nwaiting +\d+/);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a letter', `From: mum@example.org\r\nMessage-ID: ${id}\r\n\r\nStatus: 5.1.1\r\n`],
    ['a report about another letter', report('<else@example.org>')],
    ['a report that is too long', `${report(id)}${'x'.repeat(1_100_000)}`],
  ])('leaves everything as it is where it is given %s', async (_name, input) => {
    expect(await command(['mail', 'bounce'], input)).toEqual(changesNothing);
  });

  it.each<[string[], string]>([
    [['coverage', '--by', 'colour'], 'Say by what to count: --by school, --by language or --by both.'],
    [['coverage', '--csv', '--json'], 'Say --csv or --json, not both.'],
    [['coverage', '--feed', 'none'], 'There is no such feed. The feeds are: elementary, secondary.'],
    [['invitations'], 'Say what to do: invitations status.'],
    [['mail'], 'Say what to do: mail bounce, with a report on standard input, or mail unsuppress ADDRESS.'],
    [['mail', 'unsuppress', 'nobody'], 'This is no e-mail address.'],
    [['mail', 'unsuppress', 'somebody@example.org'], 'This address is not suppressed.'],
  ])('%j is refused in one sentence', async (args, sentence) => {
    expect(await command(args)).toEqual({ code: 2, out: '', err: sentence });
  });

  it('suppresses the address of an invitation that a report names, and lifts that', async () => {
    // The embedded database is the server's alone; there the journey test shows it.
    if (db === null) return;
    await sql`insert into invitations (email, message_id, queued_at, handed_at)
      values ('mum@example.org', ${id}, now(), now())`.execute(db);
    expect(await command(['mail', 'bounce'], report(id))).toMatchObject({
      code: 0,
      out: 'The address of this invitation gets no more invitations.\n',
    });
    expect((await sql`select email from mail_suppressions`.execute(db)).rows).toEqual([{ email: 'mum@example.org' }]);
    expect(await command(['mail', 'bounce'], report(id))).toEqual(changesNothing);
    expect((await command(['mail', 'unsuppress', 'MUM@example.org'])).out).toBe('The address may be invited again.\n');
    const done = sql`select kind, actor from audit_events where kind in ('invitation.bounced', 'mail.unsuppressed') order by id`;
    expect((await done.execute(db)).rows).toEqual([
      { kind: 'invitation.bounced', actor: 'operator' },
      { kind: 'mail.unsuppressed', actor: 'operator' },
    ]);
  });
});
