import { normaliseEmail } from '../../families/email.js';
import { nameKey } from '../../families/names.js';
import { normalisePhone } from '../../families/phone.js';
import { canonicalRelation, canonicalRestriction } from '../../families/relations.js';
import type { ReadRow } from './format.js';
import type { Cells } from './oneroster-cells.js';
import type { FileRead, OneRosterVersion } from './oneroster-columns.js';
import { births, orgs, people, rights, roles } from './oneroster-tables.js';
import type { RecordRow, RecordTable } from './record.js';

/**
 * Under which id a person is known from one run to the next: `sourcedId`, or where an exporter changes that when a child changes school,
 * the column `identifier` or one type of `userIds`.
 */
export type OneRosterKey = 'sourcedId' | 'identifier' | `userIds:${string}`;

/** What a record's reading depends on besides its cells. */
export interface ReadingContext {
  version: OneRosterVersion;
  kind: 'bulk' | 'delta';
  key: OneRosterKey;
  files: readonly FileRead[];
}

type Value = string | number | boolean | null;
type Reader = (cells: Cells, context: ReadingContext) => Record<string, Value> & { problem: string | null };

const ids: Readonly<Record<FileRead, readonly string[]>> = {
  orgs: ['sourcedId'],
  users: ['sourcedId'],
  roles: ['sourcedId', 'userSourcedId'],
  demographics: ['sourcedId'],
  rights: ['student_sourced_id', 'guardian_sourced_id'],
};

const readers: Readonly<Record<FileRead, readonly [RecordTable, Reader]>> = {
  orgs: [orgs, org],
  users: [people, person],
  roles: [roles, role],
  demographics: [births, birth],
  rights: [rights, right],
};

/**
 * One record of a file, as the row of its own table. One whose subject cannot be known is unreadable.
 *
 * @param read the columns of this file that are read
 */
export function recordOf(
  file: FileRead,
  cells: Cells,
  line: number,
  read: readonly string[],
  context: ReadingContext,
): ReadRow {
  const spoilt = cells.spoilt(file === 'users' ? [...read, 'primaryOrgSourcedId', keyColumn(context.key)] : read);
  // A restriction counts whatever else stands beside it.
  const [subject] = file === 'rights' ? spoilt.filter((column) => ids.rights.includes(column)) : spoilt;
  if (subject !== undefined) return { line, problem: `bad_text:${subject}`, unreadable: true };
  cells.leaveOut(spoilt);
  const lacking = ids[file].find((column) => cells.text(column) === '');
  if (lacking !== undefined) return { line, problem: `missing:${lacking}`, unreadable: true };
  const [table, reader] = readers[file];
  return rowOf(table, line, reader(cells, context));
}

function rowOf(record: RecordTable, line: number, values: Record<string, Value>): RecordRow {
  return { line, record, values: record.columns.map(([name]) => values[name] ?? null) };
}

function org(cells: Cells, { kind }: ReadingContext): ReturnType<Reader> {
  const state = cells.state(kind);
  const id = cells.text('sourcedId');
  return {
    sourced_id: id,
    ...state,
    name: cells.text('name') || id,
    type: cells.text('type').toLowerCase(),
    problem: cells.problem,
  };
}

function person(cells: Cells, context: ReadingContext): ReturnType<Reader> {
  const state = cells.state(context.kind);
  const givenName = cells.text('givenName');
  const familyName = cells.text('familyName');
  // What is deleted need not be described.
  if (givenName === '' && familyName === '' && !state.gone) cells.fail('missing', 'givenName');
  const key = keyOf(cells, context.key);
  if (key === null) cells.fail('missing', keyColumn(context.key));
  const emailRaw = cells.text('email');
  const email = normaliseEmail(emailRaw);
  const roleRead =
    context.version === '1.1' ? { ...familyRole(cells), orgs: cells.list('orgSourcedIds').join(',') } : {};
  return {
    sourced_id: cells.text('sourcedId'),
    ...state,
    key,
    ...roleRead,
    primary_org: cells.optional('primaryOrgSourcedId'),
    given_name: givenName,
    family_name: familyName,
    name_key: nameKey(givenName, familyName),
    email_raw: emailRaw || null,
    email: 'email' in email ? email.email : null,
    email_problem: 'problem' in email ? email.problem : null,
    phone1_raw: cells.optional('sms'),
    phone1_e164: phone(cells.text('sms')),
    phone2_raw: cells.optional('phone'),
    phone2_e164: phone(cells.text('phone')),
    grade: cells.list('grades')[0] ?? null,
    agents: cells.list('agentSourcedIds').join(',') || null,
    births_told: context.files.includes('demographics'),
    rights_told: context.files.includes('rights'),
    problem: cells.problem,
  };
}

function keyColumn(key: OneRosterKey): string {
  return key.replace(/:.*/, '');
}

function keyOf(cells: Cells, key: OneRosterKey): string | null {
  if (key === 'sourcedId' || key === 'identifier') return cells.optional(key);
  const type = key.slice('userIds:'.length).toLowerCase();
  for (const [, found = '', id = ''] of cells.text('userIds').matchAll(/\{([^:{}]+):([^{}]*)\}/g)) {
    if (found.trim().toLowerCase() === type && id.trim() !== '') return id.trim();
  }
  return null;
}

function role(cells: Cells, { kind }: ReadingContext): ReturnType<Reader> {
  return {
    sourced_id: cells.text('sourcedId'),
    ...cells.state(kind),
    user_id: cells.text('userSourcedId'),
    ...familyRole(cells),
    is_primary: cells.text('roleType').toLowerCase() !== 'secondary',
    org_id: cells.optional('orgSourcedId'),
    starts_on: cells.day('beginDate'),
    ends_on: cells.day('endDate'),
    problem: cells.problem,
  };
}

/** What the role makes of a person: a contact, a student, or nobody of a family. */
function familyRole(cells: Cells): { family: string; relation: string | null; role: string } {
  const word = cells.text('role').toLowerCase();
  if (word === 'parent' || word === 'guardian' || word === 'relative') {
    return { family: 'contact', relation: canonicalRelation(word), role: word };
  }
  return { family: word === 'student' ? 'student' : 'none', relation: null, role: word };
}

function birth(cells: Cells, { kind }: ReadingContext): ReturnType<Reader> {
  const state = cells.state(kind);
  const birthDate = cells.day('birthDate');
  return { sourced_id: cells.text('sourcedId'), ...state, birth_date: birthDate, problem: cells.problem };
}

function right(cells: Cells, { key }: ReadingContext): ReturnType<Reader> {
  const restricted = cells.flag('restricted');
  const type = cells.text('restriction_type');
  return {
    student_id: cells.text('student_sourced_id'),
    guardian_id: cells.text('guardian_sourced_id'),
    ids_are_keys: key === 'sourcedId',
    is_legal_guardian: cells.flag('is_legal_guardian'),
    ed_rights: cells.flag('ed_rights'),
    portal_access: cells.flag('portal_access'),
    // Whatever stands there, somebody meant to restrict.
    restricted: restricted ?? (cells.says('restricted') ? true : null),
    restriction_type: canonicalRestriction(type),
    restriction_type_raw: type,
    restriction_start: cells.day('restriction_start'),
    restriction_end: cells.day('restriction_end'),
    problem: cells.problem,
  };
}

function phone(raw: string): string | null {
  return raw === '' ? null : normalisePhone(raw);
}
