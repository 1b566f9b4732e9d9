import { row } from '../../sis/extract.js';
import type { Row } from '../../sis/extract.js';

const rights = { ed_rights: 'yes', is_legal_guardian: 'yes' };

/** María has Ana in one SIS and Luis in the other, and a neighbour's child has nothing to do with her. */
export const elementary: readonly Row[] = [
  row('Ana', 'Maria', { ...rights, contact_id: 'E1' }),
  row('Tomas', 'Pedro', { ...rights, contact_id: 'E2', phone1: '(213) 555-0122' }),
];
export const secondary: readonly Row[] = [
  row('Luis', 'Maria', {
    ...rights,
    sis: 'secondary',
    contact_id: 'S1',
    school_code: '8001',
    school_name: 'Roosevelt High',
    grade: '9',
  }),
];
