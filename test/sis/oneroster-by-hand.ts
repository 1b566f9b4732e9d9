import type { Files } from './oneroster-set.js';

/** Sets written by hand, in the specification's order; their lines end as different exporters end them. */
export const byHand = {
  '1.1': {
    'manifest.csv':
      'propertyName,value\r\nmanifest.version,1.0\r\noneroster.version,1.1\r\nfile.orgs,bulk\r\nfile.users,bulk\r\nfile.demographics,bulk\r\nfile.enrollments,absent\r\nsource.systemName,Elementary SIS\r\nsource.systemCode,ESIS\r\n',
    'orgs.csv':
      '\uFEFFsourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\nd1,,,"Example District",district,19,\ns1,,,First Street School,school,1901,d1\n',
    'users.csv':
      'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\r\n' +
      'ana,,,true,"d1,s1",student,ana,"{SIS:77},{State:99}",Ana,López,,77,,,,"rosa , tom",05,secret1\r\n' +
      'rosa,,,false,s1,parent,rosa,,Rosa,López,,,Rosa@Example.org,(213) 555-0100,213.241.5200 x12,ana,,secret2\r\n' +
      'tom,,,true,s1,guardian,tom,,Tom,López,,,,,,,,\r\n' +
      'amy,,,true,s1,relative,amy,,Amy,"Lo\r\npez",,,none@none.com,,,ana,,\r\n' +
      'teach,,,true,s1,teacher,teach,,Terry,Teach,,,,,,,,\r\n',
    'demographics.csv':
      'sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus\nana,,,2014-02-03,female,,,,,,,true,US,CA,,',
  },
  '1.2': {
    'manifest.csv':
      'propertyName,value\noneroster.version,1.2\nfile.orgs,bulk\nfile.users,bulk\nfile.roles,bulk\nfile.userProfiles,bulk\nfile.demographics,absent\n',
    'orgs.csv':
      'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\ns1,active,2026-01-01T00:00:00.000Z,First Street School,school,,\n',
    'users.csv':
      'sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\n' +
      'ana,active,2026-01-01T00:00:00.000Z,true,ana,,Ana,López,,,,,,,05,secret1,,,,,,s1,\n' +
      'rosa,active,2026-01-01T00:00:00.000Z,true,rosa,,Rosa,López,,,rosa@example.org,,,ana,,secret2,,,,,,,\n',
    'roles.csv':
      'sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\nr1,,,ana,primary,student,,,s1,\nr2,,,rosa,primary,parent,2026-08-01,2027-06-30,s1,\n',
    // Credentials; opening it would be refused, because it is no UTF-8.
    'userProfiles.csv': Buffer.from([0x22, 0xff, 0xfe, 0x0a]),
  },
  '1.2.1': {
    'manifest.csv':
      'propertyName,value\noneroster.version,1.2.1\nfile.orgs,bulk\nfile.users,bulk\nfile.roles,bulk\nfile.demographics,bulk\n',
    'orgs.csv':
      'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\ns1,,,First Street School,school,,\n',
    'users.csv':
      'sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns,metadata.local\n' +
      'ana,,,true,ana,,Ana,López,,,,,,,05,secret1,,,,,s1,,x\n' +
      'rosa,,,true,rosa,,Rosa,López,,,rosa@example.org,,,ana,,secret2,,,,,,,y\n',
    'roles.csv':
      'sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\nr1,,,ana,primary,student,,,s1,\nr2,,,rosa,primary,parent,,,s1,\n',
    'demographics.csv':
      'sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus\nana,,,9/9/2014,,,,,,,,,,,,\n',
  },
} satisfies Record<string, Files>;
