import type { RecordTable } from './record.js';

/** `gone` is the status `tobedeleted`; `problem` says why a record is not taken, as `reason:column`. */
const common = [
  ['problem', 'text'],
  ['sourced_id', 'text'],
  ['gone', 'boolean'],
  ['modified', 'timestamptz'],
] as const;

export const people: RecordTable = {
  name: 'oneroster_people',
  columns: [
    ...common,
    ['key', 'text'],
    // 1.1 only: `contact`, `student` or `none`, and the schools and districts in their order, joined by commas.
    ['family', 'text'],
    ['relation', 'text'],
    ['role', 'text'],
    ['orgs', 'text'],
    ['primary_org', 'text'],
    ['given_name', 'text'],
    ['family_name', 'text'],
    ['name_key', 'text'],
    ['email_raw', 'text'],
    ['email', 'text'],
    ['email_problem', 'text'],
    ['phone1_raw', 'text'],
    ['phone1_e164', 'text'],
    ['phone2_raw', 'text'],
    ['phone2_e164', 'text'],
    ['grade', 'text'],
    ['agents', 'text'],
    // Whether demographics.csv and the sidecar are in the set, so that what they do not say is known to be unsaid.
    ['births_told', 'boolean'],
    ['rights_told', 'boolean'],
  ],
};

export const roles: RecordTable = {
  name: 'oneroster_roles',
  columns: [
    ...common,
    ['user_id', 'text'],
    ['family', 'text'],
    ['relation', 'text'],
    ['role', 'text'],
    ['is_primary', 'boolean'],
    ['org_id', 'text'],
    ['starts_on', 'date'],
    ['ends_on', 'date'],
  ],
};

export const births: RecordTable = { name: 'oneroster_births', columns: [...common, ['birth_date', 'date']] };

export const orgs: RecordTable = { name: 'oneroster_orgs', columns: [...common, ['name', 'text'], ['type', 'text']] };

export const rights: RecordTable = {
  name: 'oneroster_rights',
  columns: [
    ['problem', 'text'],
    ['student_id', 'text'],
    ['guardian_id', 'text'],
    // Whether these ids are the keys under which people stand, or only lead to them by users.csv.
    ['ids_are_keys', 'boolean'],
    ['is_legal_guardian', 'boolean'],
    ['ed_rights', 'boolean'],
    ['portal_access', 'boolean'],
    ['restricted', 'boolean'],
    ['restriction_type', 'text'],
    ['restriction_type_raw', 'text'],
    ['restriction_start', 'date'],
    ['restriction_end', 'date'],
  ],
};

/** What `assemble` fills on its way; each has `run_id`. */
const workTables = ['oneroster_subjects', 'oneroster_links', 'oneroster_told', 'oneroster_pairs'] as const;

/** Every table that holds rows of a run. */
export const recordTables: readonly string[] = [
  ...[people, roles, births, orgs, rights].map(({ name }) => name),
  ...workTables,
];
