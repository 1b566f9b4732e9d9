import type { AuditEvent } from '../../src/audit/audit.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { OpenDatabase } from '../../src/database/postgres.js';
import type { Database } from '../../src/database/database.js';
import { parseFeedsFile, syncFeeds } from '../../src/sis/feeds-file.js';
import type { Feed, FeedsFile } from '../../src/sis/feeds-file.js';
import { columns } from '../../src/sis/feeds/columns.js';
import type { Column } from '../../src/sis/feeds/columns.js';
import { importFeed } from '../../src/sis/import.js';
import type { ImportOptions } from '../../src/sis/import.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { RunReport } from '../../src/sis/runs.js';
import { scratchFolder } from '../support/scratch.js';
import { counted } from './counted.js';

export type Row = Partial<Record<Column, string>>;

export const now = new Date('2026-11-20T18:00:00Z');
export const timeZone = 'America/Los_Angeles';

/** A feeds file of two SISs, `elementary` (unknown rights allowed) and `secondary` (as said). */
export function feedsFile(secondary: 'allow' | 'deny' = 'allow'): FeedsFile {
  const entry = (name: string, rights: string) => ({
    name,
    sis: name,
    format: 'district-extract',
    place: { file: `${name}.csv` },
    schedule: '0 2 * * *',
    unknown_rights: rights,
  });
  return parseFeedsFile(
    JSON.stringify({
      student_domains: ['students.example.org'],
      feeds: [entry('elementary', 'allow'), entry('secondary', secondary)],
    }),
    'feeds.json',
  );
}

function feed(name: string, file = feedsFile()): Feed {
  const found = file.feeds.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no feed ${name}`);
  return found;
}

/** One row with ids derived from the child's and the contact's short names. */
export function row(student: string, contact: string, cells: Row = {}): Row {
  return {
    sis: 'elementary',
    school_code: '1001',
    school_name: 'Lincoln Elementary',
    student_id: student,
    student_given_name: student,
    student_family_name: 'López',
    grade: '3',
    birth_date: '2017-05-01',
    contact_id: contact,
    given_name: contact,
    family_name: 'López',
    relation: 'mother',
    email: `${contact.toLowerCase()}@example.org`,
    phone1: '(213) 555-0100',
    phone1_type: 'mobile',
    language: 'es',
    last_modified: '2026-09-01T08:00:00Z',
    ...cells,
  };
}

/** The text of an extract; `header` only where the header itself is under test. */
export function extract(rows: readonly Row[], header: readonly string[] = columns): string {
  const line = (cells: readonly string[]): string =>
    cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
  return [header, ...rows.map((cells) => columns.map((column) => cells[column] ?? ''))]
    .map((cells) => `${line(cells)}\r\n`)
    .join('');
}

export interface District {
  load(
    content: string | Uint8Array | readonly Row[],
    name?: string,
    at?: Date,
    how?: Partial<ImportOptions> & { delta?: boolean },
  ): Promise<RunReport>;
  events: AuditEvent[];
}

/** Lays content down as a file of its own. */
function laid(content: string | Uint8Array): string {
  const path = join(scratchFolder(), 'extract.csv');
  writeFileSync(path, content);
  return path;
}

/** A district with its feeds known and nothing loaded yet. The rows of every file that it loads are counted. */
export async function district(opened: OpenDatabase, file = feedsFile()): Promise<District> {
  const { db } = opened;
  await syncFeeds(db, file, () => now);
  const events: AuditEvent[] = [];
  return {
    events,
    load: async (content, name = 'elementary', at = now, { delta = false, ...how } = {}) =>
      counted(
        await importFeed(db, {
          feed: feed(name, file),
          source: {
            path: laid(typeof content === 'string' || content instanceof Uint8Array ? content : extract(content)),
            delta,
          },
          load: bulkLoader(opened),
          clock: () => at,
          timeZone,
          actor: 'test',
          audit: async (_trx, event) => {
            events.push(event);
          },
          ...how,
        }),
      ),
  };
}

/** Empties what a district fills, for a suite that keeps its database. */
export const everything = [
  'feed_run_images',
  'held_rows',
  'feed_runs',
  'staged_rows',
  'proven_contacts',
  'join_proposals',
  'relationship_holds',
  'restrictions',
  'relationships',
  'contact_phones',
  'contacts',
  'students',
  'schools',
  'feeds',
] as const;

/** Lets a suite prove contacts for accounts that do not exist: the rules of this room look at the account's id only. */
export async function withoutAccounts(db: Database): Promise<void> {
  const { rows } = await sql<{ owner: string; name: string }>`
    select conrelid::regclass::text as owner, conname as name from pg_constraint
    where contype = 'f' and conrelid in ('proven_contacts'::regclass, 'join_proposals'::regclass) and confrelid <> 'contacts'::regclass`.execute(
    db,
  );
  for (const key of rows)
    await sql`alter table ${sql.table(key.owner)} drop constraint ${sql.id(key.name)}`.execute(db);
}
