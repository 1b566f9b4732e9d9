/** The columns of the district extract, in their order. */
export const columns = [
  'sis',
  'school_code',
  'school_name',
  'student_id',
  'student_given_name',
  'student_family_name',
  'student_email',
  'grade',
  'birth_date',
  'rights_retained_until',
  'confidential',
  'contact_id',
  'given_name',
  'family_name',
  'relation',
  'email',
  'phone1',
  'phone1_type',
  'phone2',
  'phone2_type',
  'language',
  'priority',
  'is_emergency',
  'is_legal_guardian',
  'ed_rights',
  'lives_with',
  'pickup_ok',
  'portal_access',
  'restricted',
  'restriction_type',
  'restriction_start',
  'restriction_end',
  'start_date',
  'end_date',
  'last_modified',
] as const;

export type Column = (typeof columns)[number];

/** The position of every column in a row. */
export const position: Readonly<Record<Column, number>> = Object.fromEntries(
  columns.map((column, index) => [column, index]),
) as Record<Column, number>;
