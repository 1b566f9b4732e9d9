import { row } from '../sis/extract.js';
import type { TestApp } from '../support/house.js';

const rights = { ed_rights: 'yes' };

/** Maria with Ana, whose school is protected, and Beto; Pedro with Tomas. */
export const elementary = [
  row('Ana', 'Maria', { ...rights, contact_id: 'E1' }),
  row('Beto', 'Maria', { ...rights, contact_id: 'E1', confidential: 'yes', pickup_ok: 'yes' }),
  row('Tomas', 'Pedro', { ...rights, contact_id: 'E2', phone1: '(213) 555-0122' }),
];

/** An app of each kind; none runs by itself. */
export const apps: readonly TestApp[] = [
  {
    registration: {
      client_id: 'echoices',
      client_name: 'eChoices',
      scope: 'openid profile email students offline_access',
      student_facts: ['name', 'school', 'grade'],
    },
  },
  {
    registration: {
      client_id: 'cafeteria',
      client_name: 'Cafeteria',
      scope: 'openid profile students',
      student_facts: ['name', 'meals'],
    },
  },
  {
    registration: {
      client_id: 'bulletin',
      client_name: 'Bulletin',
      scope: 'openid',
      grant_types: ['authorization_code'],
    },
  },
  {
    registration: {
      client_id: 'homework',
      client_name: 'Homework Helper',
      scope: 'openid profile students offline_access',
      party: 'vendor',
      subject_type: 'pairwise',
      student_facts: ['name', 'grade'],
    },
  },
  {
    registration: {
      client_id: 'statistics',
      client_name: 'Statistics',
      scope: 'openid',
      grant_types: ['client_credentials'],
      response_types: [],
    },
  },
];
