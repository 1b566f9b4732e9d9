import { normaliseEmail } from '../../families/email.js';
import { nameKey } from '../../families/names.js';
import { normalisePhone } from '../../families/phone.js';
import { canonicalRelation, canonicalRestriction } from '../../families/relations.js';
import { day, flag, longest, moment, tidy } from './cells.js';
import { columns } from './columns.js';
import type { Column } from './columns.js';
import type { FeedPhone, FeedRow, ReadRow } from './format.js';

/** Where each column stands in this file; a column that the file lacks reads as empty. */
export type Positions = Readonly<Partial<Record<Column, number>>>;

/** The columns that are read as something else than text. */
type Parse<T> = (text: string) => T | undefined;

/** The cells of one row, by column; remembers the first thing that is wrong with them. */
class Row {
  problem: string | null = null;
  /** Cells that can be nobody's words read as empty. */
  private spoilt: Set<Column> | null = null;

  constructor(
    private readonly cells: readonly string[],
    private readonly positions: Positions,
  ) {
    for (const column of columns) {
      const value = cells[positions[column] ?? -1] ?? '';
      if (value.length <= longest && !value.includes('\0')) continue;
      (this.spoilt ??= new Set()).add(column);
      this.fail('bad_text', column);
    }
  }

  isSpoilt(column: Column): boolean {
    return this.spoilt?.has(column) === true;
  }

  /** Without stray spaces; empty where the file has no such column. */
  text(column: Column): string {
    const at = this.positions[column];
    const cell = at === undefined || this.isSpoilt(column) ? '' : (this.cells[at] ?? '');
    return tidy(cell);
  }

  optional(column: Column): string | null {
    return this.text(column) || null;
  }

  required(column: Column): string {
    const text = this.text(column);
    if (text === '') this.fail('missing', column);
    return text;
  }

  read<T>(column: Column, reason: string, parse: Parse<T>): T | null {
    const text = this.text(column);
    if (text === '') return null;
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    this.fail(reason, column);
    return null;
  }

  flag(column: Column): boolean | null {
    return this.read(column, 'bad_flag', flag);
  }

  /** Of a flag that protects: whatever stands there, somebody meant to say yes. */
  meant(column: Column): boolean | null {
    return this.flag(column) ?? (this.text(column) === '' && !this.isSpoilt(column) ? null : true);
  }

  day(column: Column): string | null {
    return this.read(column, 'bad_date', day);
  }

  fail(reason: string, column: Column): void {
    this.problem ??= `${reason}:${column}`;
  }
}

/**
 * One row of the district extract. A row that cannot be taken says why in `problem`; a restriction or protection that it states
 * still counts, in whatever words it is said, because a typing error elsewhere must not open a child's record.
 *
 * @param cells as many as the header has
 * @param sis the SIS this feed is for; rows of another are not taken
 */
export function districtRow(cells: readonly string[], positions: Positions, line: number, sis: string): ReadRow {
  const row = new Row(cells, positions);
  const unreadable = unreadableBecause(row, sis);
  if (unreadable !== null) return { line, problem: unreadable, unreadable: true };
  const emailRaw = row.optional('email');
  const email = normaliseEmail(emailRaw ?? '');
  const studentEmail = normaliseEmail(row.text('student_email'));
  const restrictionType = row.text('restriction_type');
  const givenName = row.text('given_name');
  const familyName = row.text('family_name');
  if (givenName === '' && familyName === '') row.fail('missing', 'given_name');
  const relationRaw = row.text('relation');
  const read: FeedRow = {
    line,
    problem: null,
    statesStudent: true,
    statesContact: true,
    statesPair: true,
    gone: false,
    statesRights: true,
    namedBy: null,
    schoolCode: row.required('school_code'),
    schoolName: row.text('school_name') || row.text('school_code'),
    studentId: row.text('student_id'),
    studentGivenName: row.required('student_given_name'),
    studentFamilyName: row.text('student_family_name'),
    studentEmail: 'email' in studentEmail ? studentEmail.email : null,
    grade: row.optional('grade'),
    birthDate: row.day('birth_date'),
    rightsRetainedUntil: row.day('rights_retained_until'),
    confidential: row.meant('confidential'),
    contactId: row.text('contact_id'),
    givenName,
    familyName,
    nameKey: nameKey(givenName, familyName),
    relation: canonicalRelation(relationRaw),
    relationRaw,
    emailRaw,
    email: 'email' in email ? email.email : null,
    emailProblem: 'problem' in email ? email.problem : null,
    phone1: phone(row.text('phone1'), row.optional('phone1_type')),
    phone2: phone(row.text('phone2'), row.optional('phone2_type')),
    language: languageCode(row.text('language')),
    priority: row.read('priority', 'bad_number', smallNumber),
    isEmergency: row.flag('is_emergency'),
    isLegalGuardian: row.flag('is_legal_guardian'),
    edRights: row.flag('ed_rights'),
    livesWith: row.flag('lives_with'),
    pickupOk: row.flag('pickup_ok'),
    portalAccess: row.flag('portal_access'),
    restricted: row.meant('restricted'),
    restrictionType: canonicalRestriction(restrictionType),
    restrictionTypeRaw: restrictionType,
    restrictionStart: row.day('restriction_start'),
    restrictionEnd: row.day('restriction_end'),
    startDate: row.day('start_date'),
    endDate: row.day('end_date'),
    lastModified: row.read('last_modified', 'bad_date', moment),
  };
  read.problem = row.problem;
  return read;
}

/** Where not even the pair can be known. */
function unreadableBecause(row: Row, sis: string): string | null {
  if (row.text('sis').toLowerCase() !== sis.toLowerCase()) return 'wrong_sis:sis';
  for (const column of ['student_id', 'contact_id'] as const) {
    if (row.isSpoilt(column)) return `bad_text:${column}`;
    if (row.text(column) === '') return `missing:${column}`;
  }
  return null;
}

function smallNumber(text: string): number | undefined {
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

function phone(raw: string, type: string | null): FeedPhone | null {
  return raw === '' ? null : { raw, e164: normalisePhone(raw), type };
}

function languageCode(text: string): string | null {
  const code = text.toLowerCase();
  return /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/.test(code) ? code : null;
}
