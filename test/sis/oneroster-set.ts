import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { CompiledQuery, sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { FeedFormat, ReadRow } from '../../src/sis/feeds/format.js';
import { recordTables } from '../../src/sis/feeds/oneroster-tables.js';
import { oneroster } from '../../src/sis/feeds/oneroster.js';

/** The headers, typed from the specification and not taken from the reader: its own constants are held against these. */
export const headers = {
  orgs: 'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId',
  'users 1.1':
    'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password',
  'users 1.2':
    'sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns',
  'users 1.2.1':
    'sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns',
  roles:
    'sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId',
  demographics:
    'sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus',
  rights:
    'student_sourced_id,guardian_sourced_id,is_legal_guardian,ed_rights,portal_access,restricted,restriction_type,restriction_start,restriction_end',
};

export type Row = Readonly<Record<string, string>>;
export type Version = '1.1' | '1.2' | '1.2.1';
export type Files = Readonly<Record<string, string | Buffer>>;

/** A file: the header and a line for each row; what a row does not name is empty. */
export function file(header: keyof typeof headers, rows: readonly Row[]): string {
  const columns = headers[header].split(',');
  const cell = (text = ''): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [headers[header], ...rows.map((row) => columns.map((column) => cell(row[column])).join(','))]
    .map((line) => `${line}\r\n`)
    .join('');
}

/** A manifest that names the files given, and says of the others that they are absent. */
export function manifest(version: string, kind: string, files: readonly string[]): string {
  const others = ['academicSessions', 'classes', 'courses', 'enrollments', 'orgs', 'users', 'roles', 'demographics'];
  const names = [...new Set([...others, ...files.filter((name) => name !== 'rights')])];
  const lines = names.map((name) => `file.${name},${files.includes(name) ? kind : 'absent'}`);
  return [
    'propertyName,value',
    'manifest.version,1.0',
    `oneroster.version,${version}`,
    ...lines,
    'source.systemName,SIS',
  ]
    .map((line) => `${line}\r\n`)
    .join('');
}

/** The files of a set with their manifest, by name. */
export function setOf(version: Version, kind: 'bulk' | 'delta', rows: Readonly<Record<string, readonly Row[]>>): Files {
  const files: Record<string, string> = { 'manifest.csv': manifest(version, kind, Object.keys(rows)) };
  for (const [name, list] of Object.entries(rows)) {
    files[`${name}.csv`] = file((name === 'users' ? `users ${version}` : name) as keyof typeof headers, list);
  }
  return files;
}

/** Writes files to a folder of their own, hands it over, and removes it. */
export async function inFolder<T>(files: Files, work: (path: string) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'oneroster-'));
  try {
    for (const [name, contents] of Object.entries(files)) writeFileSync(join(path, name), contents);
    return await work(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** Every row that a set yields. */
export async function rowsIn(path: string, format: FeedFormat = oneroster): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  for await (const row of (await format.open({ path, delta: false }, 'test')).rows) rows.push(row);
  return rows;
}

export type StagedRow = Readonly<Record<string, string | number | boolean | null>>;

/** A run that was read and assembled: what it left, and the lines that could not be read. */
export interface Staged {
  runId: string;
  read: number;
  rows: StagedRow[];
  unreadable: string[];
}

/** Does what the import does before it compares: numbers and stages the rows, and has them joined. */
async function stage(
  db: Database,
  path: string,
  format: FeedFormat,
  meanwhile: (runId: string) => Promise<void>,
): Promise<Staged> {
  const runId = randomUUID();
  const reading = await format.open({ path, delta: false }, 'test');
  const unreadable: string[] = [];
  const unreadableIn = new Set<string>();
  let read = 0;
  for await (const row of reading.rows) {
    read += 1;
    if ('unreadable' in row) {
      unreadable.push(`${row.line} ${row.problem}`);
      unreadableIn.add(row.of ?? '');
    } else if ('record' in row) {
      const { name, columns } = row.record;
      const names = columns.map(([column]) => column).join(', ');
      const values = columns.map(([, type], index) => `$${index + 4}::${type}`).join(', ');
      await db.executeQuery(
        CompiledQuery.raw(
          `insert into ${name} (run_id, row, line, ${names}) select $1::uuid, $2::int, $3::int, ${values}`,
          [runId, read, row.line, ...row.values],
        ),
      );
    } else throw new Error('OneRoster yields records only.');
  }
  await meanwhile(runId);
  await format.assemble?.(db, { runId, sis: 'test', kind: reading.kind, unreadableIn });
  const { rows } = await sql<StagedRow>`
    select row, line, problem, states_student, states_contact, states_pair, gone, states_rights, named_by, part_of, school_code,
      school_name, student_id, student_given_name, student_family_name, student_email, grade, birth_date::text,
      rights_retained_until::text, confidential, contact_id, given_name, family_name, name_key, relation, relation_raw, email_raw, email,
      email_problem, phone1_raw, phone1_e164, phone1_type, phone2_raw, phone2_e164, phone2_type, language, priority, is_emergency,
      is_legal_guardian, ed_rights, lives_with, pickup_ok, portal_access, restricted, restriction_type, restriction_type_raw,
      restriction_start::text, restriction_end::text, start_date::text, end_date::text
    from staged_rows where run_id = ${runId} and line > 0 order by row`.execute(db);
  return { runId, read, rows, unreadable };
}

/** Whether a row only says what one list of a record names: it is no row of the file. */
export function isDerived(row: StagedRow): boolean {
  return (
    row['part_of'] !== null && ['states_student', 'states_contact', 'states_pair', 'gone'].some((part) => row[part])
  );
}

export const school: Row = { sourcedId: 's1', name: 'First Street School', type: 'school' };

/** A row of users.csv. */
export function user(sourcedId: string, more: Row = {}): Row {
  return { sourcedId, givenName: sourcedId, familyName: 'Li', ...more };
}

/** A row of roles.csv: the primary role of somebody at the first school, unless told otherwise. */
export function role(sourcedId: string, userSourcedId: string, word: string, more: Row = {}): Row {
  return { sourcedId, userSourcedId, role: word, roleType: 'primary', orgSourcedId: 's1', ...more };
}

/** Ana goes to school, and Rosa is a parent. */
export const family = [role('r1', 'ana', 'student'), role('r2', 'rosa', 'parent')];

/**
 * Stages files from a folder; every record comes out as one row, and as nothing else.
 *
 * @param meanwhile adds records between reading and joining; those on line 0 are not handed back
 */
export async function staged(
  db: Database,
  files: Files,
  format: FeedFormat = oneroster,
  meanwhile: (runId: string) => Promise<void> = async () => {},
): Promise<Staged> {
  const run = await inFolder(files, (path) => stage(db, path, format, meanwhile));
  expect(run.rows.filter((row) => !isDerived(row))).toHaveLength(run.read - run.unreadable.length);
  expect(new Set(run.rows.map((row) => row['row'])).size).toBe(run.rows.length);
  return run;
}

/** Stages a bulk of 1.2.1 with one school. */
export function bulk(
  db: Database,
  rows: Readonly<Record<string, readonly Row[]>>,
  format: FeedFormat = oneroster,
): Promise<Staged> {
  return staged(db, setOf('1.2.1', 'bulk', { orgs: [school], ...rows }), format);
}

/** The rows that state a pair, or would. */
export function pairs({ rows }: Staged): StagedRow[] {
  return rows.filter((row) => row['states_pair'] === true && row['student_id'] !== null);
}

/** Why rows are not taken, in their order. */
export function reasons({ rows }: Staged): string[] {
  return rows.filter((row) => row['problem'] !== null).map((row) => String(row['problem']));
}

/** Empties what runs leave. */
export async function forgetRuns(db: Database): Promise<void> {
  for (const table of ['staged_rows', ...recordTables]) await sql`delete from ${sql.table(table)}`.execute(db);
}
