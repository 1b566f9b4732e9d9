/** Files of a OneRoster set that are read, in the order in which they are; `rights` is the district's own sidecar. */
export const filesRead = ['orgs', 'users', 'roles', 'demographics', 'rights'] as const;
export type FileRead = (typeof filesRead)[number];

export type OneRosterVersion = '1.1' | '1.2' | '1.2.1';

const orgs = 'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId'.split(',');
const demographics = (
  'sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,' +
  'nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,' +
  'stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus'
).split(',');
const person =
  'userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password'.split(',');
const users = ['sourcedId', 'status', 'dateLastModified', 'enabledUser'];
const preferred = 'preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns'.split(',');
const roles = (
  'sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,' +
  'userProfileSourcedId'
).split(',');

/** The sidecar says what OneRoster has no field for: custody and rights. */
const rights = (
  'student_sourced_id,guardian_sourced_id,is_legal_guardian,ed_rights,portal_access,restricted,restriction_type,' +
  'restriction_start,restriction_end'
).split(',');

/**
 * The columns of each file in the specification's own order (1EdTech OneRoster 1.1 CSV Tables, section 3; OneRoster CSV Binding 1.2 and
 * 1.2.1, section 4, imsglobal.org/spec/oneroster/v1p2/bind/csv/). Binding 1.2.1 took `resourceSourcedIds` out of users.csv, and its
 * manifests go on saying 1.2; so columns are found by name, and that one may be there or not.
 */
export const specification: Readonly<Record<OneRosterVersion, Readonly<Partial<Record<FileRead, readonly string[]>>>>> =
  {
    '1.1': {
      orgs,
      users: [...users, 'orgSourcedIds', 'role', 'username', ...person],
      demographics,
      rights,
    },
    '1.2': {
      orgs,
      users: [...users, 'username', ...person, 'userMasterIdentifier', 'resourceSourcedIds', ...preferred],
      roles,
      demographics,
      rights,
    },
    '1.2.1': {
      orgs,
      users: [...users, 'username', ...person, 'userMasterIdentifier', ...preferred],
      roles,
      demographics,
      rights,
    },
  };

const facts = ['sourcedId', 'status', 'dateLastModified'];
const personRead = [...facts, 'givenName', 'familyName', 'email', 'sms', 'phone', 'agentSourcedIds', 'grades'];

/** The columns that are read and must be there; no other column of a file is looked at, whatever it is called. */
const needed: Readonly<Record<FileRead, readonly string[]>> = {
  orgs: [...facts, 'name', 'type'],
  users: personRead,
  roles: [...facts, 'userSourcedId', 'roleType', 'role', 'beginDate', 'endDate', 'orgSourcedId'],
  demographics: [...facts, 'birthDate'],
  rights,
};

/** See `needed`; 1.1 has role and schools in users.csv. */
export function columnsNeeded(version: OneRosterVersion, file: FileRead): readonly string[] {
  return version === '1.1' && file === 'users' ? [...personRead, 'orgSourcedIds', 'role'] : needed[file];
}
