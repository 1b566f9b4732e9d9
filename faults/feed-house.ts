import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import type { Database } from '../src/database/database.js';
import { openPostgres } from '../src/database/postgres.js';
import type { OpenDatabase } from '../src/database/postgres.js';
import { runImport } from '../src/imports.js';
import type { ImportParts, ImportRequest } from '../src/imports.js';
import { parseFeedsFile, syncFeeds } from '../src/sis/feeds-file.js';
import { bulkLoader } from '../src/sis/loader.js';
import type { RunReport } from '../src/sis/runs.js';
import { writeSample } from '../src/sis/sample/sample.js';
import { layStage } from './program.js';
import type { Stage } from './program.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const feed = 'elementary';

/** A district on a stage, with today's file of its feed and tomorrow's. */
export interface FeedStage {
  stage: Stage;
  /** Today's file, which stands at first, and tomorrow's, in which one row in twenty-five says something new. */
  today: string;
  tomorrow: string;
  rows: number;
  /** A path for one more file. */
  file(name: string, content: string | Uint8Array): string;
  /** Imports in this process, over connections of its own that may be cut. */
  load(path: string, request?: ImportRequest): Promise<RunReport>;
  /** `parent-access import` in a process of its own. */
  program(path: string): ChildProcess;
  /** One digest of all that feeds say: equal digests, equal people. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** Lays out a district of so many contacts, with today's file loaded. */
export async function layFeed(contacts: number): Promise<FeedStage> {
  const stage = await layStage([]);
  const folder = stage.environment['DATA_DIR'] ?? '';
  const entry = {
    name: feed,
    sis: feed,
    format: 'district-extract',
    place: { file: 'elementary.csv' },
    unknown_rights: 'allow',
  };
  const text = JSON.stringify({ feeds: [entry] });
  writeFileSync(stage.environment['FEEDS_FILE'] ?? '', text);
  const feeds = parseFeedsFile(text, 'feeds.json');
  const { files } = await writeSample({ contacts, seed: 7, out: folder });
  const [header = '', ...rows] = readFileSync(files.elementary, 'utf8').trimEnd().split('\r\n');
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const tomorrow = [header, ...rows.map((row, index) => (index % 25 === 7 ? changed(row, header) : row))];
  const { db } = stage.database;
  await syncFeeds(db, feeds, () => new Date());
  const load = (path: string, request: ImportRequest = {}): Promise<RunReport> =>
    withConnections(stage, (opened) => {
      const tools = {
        load: bulkLoader(opened),
        clock: () => new Date(),
        timeZone: 'America/Los_Angeles',
        audit: async () => {},
      };
      const parts: ImportParts = { ...tools, db: opened.db, dataDir: folder, feeds };
      return runImport(parts, feed, 'faults', { from: path, ...request });
    });
  const today = files.elementary;
  await load(today);
  return {
    stage,
    today,
    tomorrow: file('tomorrow.csv', `${tomorrow.join('\r\n')}\r\n`),
    rows: rows.length,
    file,
    load,
    program: (path) =>
      spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'import', '--feed', feed, '--from', path, '--json'], {
        cwd: root,
        env: stage.environment,
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    digest: () => digestOf(db),
    close: () => stage.close(),
  };
}

/** Another first name, phone and grade; no row with quotes, so that commas are the cells' ends. */
function changed(row: string, header: string): string {
  if (row.includes('"')) return row;
  const cells = row.split(',');
  const names = header.split(',');
  cells[names.indexOf('grade')] = '12';
  cells[names.indexOf('phone2')] = '(213) 555-0142';
  return cells.join(',');
}

async function withConnections<T>(stage: Stage, work: (opened: OpenDatabase) => Promise<T>): Promise<T> {
  const opened = openPostgres(stage.database.url ?? '', { size: 3, patient: true });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

async function digestOf(db: Database): Promise<string> {
  const { rows } = await sql<{ digest: string }>`
    select md5(string_agg(part, '|' order by part)) as digest from (
      select 'h' || code || name as part from schools
      union all select concat_ws('~', 's', s.sis_id, s.given_name, s.family_name, s.grade, s.birth_date, s.confidential, s.current, h.code)
        from students s join schools h on h.id = s.school_id
      union all select concat_ws('~', 'c', sis_id, given_name, family_name, email, language, current) from contacts
      union all select concat_ws('~', 'p', c.sis_id, n.position, n.raw, n.e164) from contact_phones n join contacts c on c.id = n.contact_id
      union all select concat_ws('~', 'r', c.sis_id, s.sis_id, r.relation, r.ed_rights, r.is_legal_guardian, r.portal_access, r.ended_at is null)
        from relationships r join contacts c on c.id = r.contact_id join students s on s.id = r.student_id
      union all select concat_ws('~', 'x', c.sis_id, s.sis_id, x.type, x.lifted_at is null)
        from restrictions x join relationships r on r.id = x.relationship_id join contacts c on c.id = r.contact_id
          join students s on s.id = r.student_id
    ) parts`.execute(db);
  return rows[0]?.digest ?? '';
}

/** A process that was killed keeps its turn for a minute; this is that minute. */
export async function aMinuteLater({ stage }: FeedStage): Promise<void> {
  await sql`update feeds set running_beat_at = running_beat_at - interval '2 minutes'`.execute(stage.database.db);
}
