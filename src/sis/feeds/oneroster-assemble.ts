import { sql } from 'kysely';
import type { Database } from '../../database/database.js';
import type { StagedRun } from './format.js';
import { findLinks, findPairs, findTold } from './oneroster-links.js';
import { stagePairs, stageRights } from './oneroster-pairs.js';
import { stagePeople, stageOrgs, stageParts } from './oneroster-staged.js';
import { chooseLeads, findSubjects } from './oneroster-subjects.js';
import { keepUnread } from './oneroster-unread.js';
import { births, orgs, people, recordTables, rights, roles } from './oneroster-tables.js';

/**
 * Joins the records of a run into `staged_rows`: who is of a family and where (`oneroster_subjects`), who names whom (`oneroster_links`,
 * `oneroster_pairs`), and then a row for every record and for every pair. In a delta what the set does not say is taken from what stands.
 * Set-based; each step is a statement of its own, so that a database with one connection has turns in between.
 */
export async function assembleOneRoster(db: Database, run: StagedRun): Promise<void> {
  for (const { name } of [people, roles, births, orgs, rights]) await analyze(db, name);
  await dropOlder(db, run);
  await findSubjects(db, run);
  await analyze(db, 'oneroster_subjects');
  await chooseLeads(db, run);
  await findLinks(db, run);
  await analyze(db, 'oneroster_links');
  await findPairs(db, run);
  await analyze(db, 'oneroster_pairs');
  await findTold(db, run);
  await analyze(db, 'oneroster_told');
  await stageOrgs(db, run);
  await stagePeople(db, run, await lastRow(db, run));
  await stageParts(db, run);
  await stageRights(db, run);
  await stagePairs(db, run, await lastRow(db, run));
  await keepUnread(db, run);
}

/** The embedded database has nobody who would count, and a server's own daemon comes late. */
async function analyze(db: Database, table: string): Promise<void> {
  await sql`analyze ${sql.table(table)}`.execute(db);
}

/** Of records with one sourcedId the latest dateLastModified counts, then the later row. */
async function dropOlder(db: Database, { runId }: StagedRun): Promise<void> {
  for (const { name } of [people, roles, births, orgs]) {
    const table = sql.table(name);
    // Of a person both rows are staged: who of two people has the id is for the import to say.
    const mark = name === people.name ? sql`superseded = true` : sql`problem = coalesce(t.problem, 'superseded')`;
    await sql`
      update ${table} t set ${mark}
      from (
        select row, row_number() over (
          partition by sourced_id order by problem is null desc, modified desc nulls last, row desc) as place
        from ${table} where run_id = ${runId} and sourced_id in (
          select sourced_id from ${table} where run_id = ${runId} group by sourced_id having count(*) > 1)
      ) d where t.run_id = ${runId} and t.row = d.row and d.place > 1`.execute(db);
  }
}

/** The highest number given to a record so far; derived rows are numbered after it. */
async function lastRow(db: Database, { runId }: StagedRun): Promise<number> {
  const tables = ['staged_rows', ...recordTables.filter((name) => name !== 'oneroster_pairs')];
  const highest = tables.map((name) => sql`select max(row) as row from ${sql.table(name)} where run_id = ${runId}`);
  const { rows } = await sql<{ row: number | null }>`
    select max(row)::int as row from (${sql.join(highest, sql` union all `)}) numbered`.execute(db);
  return rows[0]?.row ?? 0;
}
