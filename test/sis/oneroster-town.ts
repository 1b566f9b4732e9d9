import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { decideRun } from '../../src/imports.js';
import type { DecisionVerb } from '../../src/imports.js';
import { parseFeedsFile, syncFeeds } from '../../src/sis/feeds-file.js';
import type { Feed } from '../../src/sis/feeds-file.js';
import { importFeed } from '../../src/sis/import.js';
import type { ImportOptions } from '../../src/sis/import.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { RunReport } from '../../src/sis/runs.js';
import { counted } from './counted.js';
import { now, timeZone } from './extract.js';
import { inFolder, role, school, setOf, user } from './oneroster-set.js';
import type { Files, Row, Version } from './oneroster-set.js';
import { zipOf } from './zip-writer.js';

export type Rows = Readonly<Record<string, readonly Row[]>>;

export interface OneRosterTown {
  /** Imports files, from a folder unless told otherwise; the report's rows are counted. */
  load(files: Files, how?: Partial<ImportOptions> & { zip?: boolean }): Promise<RunReport>;
  decide(verb: DecisionVerb, run: RunReport): Promise<RunReport>;
}

/** A district whose one feed is OneRoster; small families would trip its checks, so that these are off unless given. */
export async function oneRosterTown(opened: OpenDatabase, checks?: Feed['checks']): Promise<OneRosterTown> {
  const { db } = opened;
  const off = { feed_share: 1, school_share: 1, row_share: 1 };
  const feeds = parseFeedsFile(
    JSON.stringify({
      feeds: [
        {
          name: 'roster',
          sis: 'elementary',
          format: 'oneroster',
          place: { file: 'roster.zip' },
          unknown_rights: 'deny',
          checks: checks ?? off,
        },
      ],
    }),
    'feeds.json',
  );
  const [feed] = feeds.feeds;
  if (feed === undefined) throw new Error('no feed');
  await syncFeeds(db, feeds, () => now);
  const tools = { load: bulkLoader(opened), clock: () => now, timeZone, audit: async () => {} };
  return {
    load: (files, { zip = false, ...how } = {}) =>
      inFolder(files, async (folder) => {
        let path = folder;
        if (zip) {
          path = join(folder, 'set.zip');
          writeFileSync(path, zipOf(Object.entries(files).map(([name, contents]) => ({ name, contents }))));
        }
        const source = { path, delta: false };
        return counted(await importFeed(db, { feed, source, actor: 'test', ...tools, ...how }));
      }),
    decide: async (verb, { runId }) =>
      counted(
        await decideRun({ db, dataDir: '/nowhere', feeds, ...tools }, verb, {
          runId,
          actor: 'operator',
          reason: 'why',
        }),
      ),
  };
}

/** What stands, as `student<contact`, with what is known of its rights, in order. */
export async function standing(db: Database): Promise<string[]> {
  const { rows } = await sql<{ pair: string }>`
    select concat_ws(' ', s.sis_id || '<' || c.sis_id, case when r.ed_rights then 'ed' when not r.ed_rights then 'no-ed' end,
      case when r.is_legal_guardian then 'guardian' end,
      (select 'restricted:' || x.type from restrictions x where x.relationship_id = r.id and x.lifted_at is null)) as pair
    from relationships r join contacts c on c.id = r.contact_id join students s on s.id = r.student_id
    where r.ended_at is null order by 1`.execute(db);
  return rows.map(({ pair }) => pair);
}

/** The family of every test: Ana and Leo are Rosa's, Ana is Tom's too; a teacher is nobody's. In 1.1 the roles stand in users.csv. */
export function familyRows(version: Version): Rows {
  const roles = [
    ['ana', 'student'],
    ['leo', 'student'],
    ['rosa', 'parent'],
    ['tom', 'guardian'],
    ['teach', 'teacher'],
  ] as const;
  const old = (id: string): Row =>
    version === '1.1' ? { orgSourcedIds: 's1', role: roles.find(([who]) => who === id)?.[1] ?? '' } : {};
  return {
    orgs: [school],
    users: [
      user('ana', { ...old('ana'), agentSourcedIds: 'rosa,tom', grades: '05' }),
      user('leo', { ...old('leo'), agentSourcedIds: 'rosa' }),
      user('rosa', { ...old('rosa'), agentSourcedIds: 'ana', email: ' Rosa@Example.ORG.', sms: '(213) 241-5200' }),
      user('tom', { ...old('tom'), email: 'tom@example.org', phone: '213.555.0142' }),
      user('teach', old('teach')),
    ],
    ...(version === '1.1' ? {} : { roles: roles.map(([who, word]) => role(`r-${who}`, who, word)) }),
    demographics: [{ sourcedId: 'ana', birthDate: '2014-02-03' }],
    rights: [
      right('ana', 'rosa', { ed_rights: 'yes', is_legal_guardian: 'yes' }),
      right('ana', 'tom', { ed_rights: 'no' }),
      right('leo', 'rosa', { ed_rights: 'yes' }),
    ],
  };
}

/** A row of the sidecar. */
export function right(student: string, guardian: string, more: Row = {}): Row {
  return { student_sourced_id: student, guardian_sourced_id: guardian, ...more };
}

/** The family's bulk. */
export function family(version: Version, more: Rows = {}): Files {
  return setOf(version, 'bulk', { ...familyRows(version), ...more });
}
