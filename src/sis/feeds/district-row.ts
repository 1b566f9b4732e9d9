import { normaliseEmail } from '../../families/email.js';
import { nameKey } from '../../families/names.js';
import { normalisePhone } from '../../families/phone.js';
import { canonicalRelation, canonicalRestriction } from '../../families/relations.js';
import { day, flag, longest, moment } from './cells.js';
import type { Column } from './columns.js';
import type { FeedPhone, ReadRow } from './format.js';

/** Where each column stands in this file; a column that the file lacks reads as empty. */
export type Positions = Readonly<Partial<Record<Column, number>>>;

/**
 * One row of the district extract. A row that cannot be taken says why in `problem`; a restriction or protection that it states
 * still counts, in whatever words it is said, because a typing error elsewhere must not open a child's record.
 *
 * @param cells as many as the header has
 * @param sis the SIS this feed is for; rows of another are not taken
 */
export function districtRow(cells: readonly string[], positions: Positions, line: number, sis: string): ReadRow {
  const spoilt = new Set<string>();
  const cell = (column: Column): string => {
    const at = positions[column];
    return at === undefined || spoilt.has(column) ? '' : (cells[at] ?? '');
  };
  const text = (column: Column): string => cell(column).replace(/\s+/g, ' ').trim();
  const optional = (column: Column): string | null => text(column) || null;
  let problem: string | null = null;
  const fail = (reason: string, column: Column): null => {
    problem ??= `${reason}:${column}`;
    return null;
  };
  const read = <T>(column: Column, reason: string, parse: (text: string) => T | undefined): T | null => {
    const value = text(column);
    if (value === '') return null;
    const parsed = parse(value);
    return parsed === undefined ? fail(reason, column) : parsed;
  };
  const required = (column: Column): string => text(column) || (fail('missing', column), '');

  if (text('sis').toLowerCase() !== sis.toLowerCase()) return { line, problem: 'wrong_sis:sis', unreadable: true };
  for (const [column, at] of Object.entries(positions)) {
    const value = cells[at] ?? '';
    if (value.length <= longest && !value.includes('\0')) continue;
    spoilt.add(column);
    problem ??= `bad_text:${column}`;
  }
  for (const column of ['student_id', 'contact_id'] as const) {
    if (spoilt.has(column)) return { line, problem: `bad_text:${column}`, unreadable: true };
    if (text(column) === '') return { line, problem: `missing:${column}`, unreadable: true };
  }

  const emailCell = text('email');
  const email = normaliseEmail(emailCell);
  const studentEmail = normaliseEmail(text('student_email'));
  // Whatever stands there, somebody meant to say yes.
  const meant = (column: Column): boolean | null =>
    read(column, 'bad_flag', flag) ?? (text(column) === '' && !spoilt.has(column) ? null : true);
  const restrictionType = text('restriction_type');
  const givenName = text('given_name');
  const familyName = text('family_name');
  if (givenName === '' && familyName === '') fail('missing', 'given_name');
  const relationRaw = text('relation');
  const row = {
    line,
    statesStudent: true,
    statesContact: true,
    statesPair: true,
    gone: false,
    statesRights: true,
    namedBy: null,
    schoolCode: required('school_code'),
    schoolName: text('school_name') || text('school_code'),
    studentId: text('student_id'),
    studentGivenName: required('student_given_name'),
    studentFamilyName: text('student_family_name'),
    studentEmail: 'email' in studentEmail ? studentEmail.email : null,
    grade: optional('grade'),
    birthDate: read('birth_date', 'bad_date', day),
    rightsRetainedUntil: read('rights_retained_until', 'bad_date', day),
    confidential: meant('confidential'),
    contactId: text('contact_id'),
    givenName,
    familyName,
    nameKey: nameKey(givenName, familyName),
    relation: canonicalRelation(relationRaw),
    relationRaw,
    emailRaw: emailCell || null,
    email: 'email' in email ? email.email : null,
    emailProblem: 'problem' in email ? email.problem : null,
    phone1: phone(text('phone1'), optional('phone1_type')),
    phone2: phone(text('phone2'), optional('phone2_type')),
    language: languageCode(text('language')),
    priority: read('priority', 'bad_number', (value) => (/^\d{1,4}$/.test(value) ? Number(value) : undefined)),
    isEmergency: read('is_emergency', 'bad_flag', flag),
    isLegalGuardian: read('is_legal_guardian', 'bad_flag', flag),
    edRights: read('ed_rights', 'bad_flag', flag),
    livesWith: read('lives_with', 'bad_flag', flag),
    pickupOk: read('pickup_ok', 'bad_flag', flag),
    portalAccess: read('portal_access', 'bad_flag', flag),
    restricted: meant('restricted'),
    restrictionType: canonicalRestriction(restrictionType),
    restrictionTypeRaw: restrictionType,
    restrictionStart: read('restriction_start', 'bad_date', day),
    restrictionEnd: read('restriction_end', 'bad_date', day),
    startDate: read('start_date', 'bad_date', day),
    endDate: read('end_date', 'bad_date', day),
    lastModified: read('last_modified', 'bad_date', moment),
  };
  return { ...row, problem };
}

function phone(raw: string, type: string | null): FeedPhone | null {
  return raw === '' ? null : { raw, e164: normalisePhone(raw), type };
}

function languageCode(text: string): string | null {
  const code = text.toLowerCase();
  return /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/.test(code) ? code : null;
}
