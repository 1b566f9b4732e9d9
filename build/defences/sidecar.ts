import type { Defence } from './defence.js';

const test = 'test/sis/oneroster-unknown.test.ts';

/** What the sidecar of a OneRoster set says of people whom no other file brought yet, and what stands where it cannot be read. */
export const sidecarDefences: readonly Defence[] = [
  {
    row: 17,
    what: 'an order of the sidecar is kept for who comes later',
    file: 'src/sis/restrictions.ts',
    find: 'from plan_unknown where row is null',
    replacement: 'from plan_unknown where row < 0',
    test,
    named: 'until they come',
  },
  {
    row: 17,
    what: 'an order of the sidecar reaches a person by the name in a row that is not taken',
    file: 'src/sis/restrictions.ts',
    find: "and w.name_key <> '' and w.contact_id in",
    replacement: "and w.name_key <> '' and w.restricted and w.contact_id in",
    test,
    named: 'by another record',
  },
  {
    row: 17,
    what: 'a refused right stands where a row of the sidecar cannot be read',
    file: 'src/sis/feeds/oneroster-unread.ts',
    find: "unreadableIn.has('rights')",
    replacement: 'false',
    test,
    named: 'leaves a refused right',
  },
  {
    row: 17,
    what: 'a birth date stands where a row of their file cannot be read',
    file: 'src/sis/feeds/oneroster-unread.ts',
    find: "unreadableIn.has('demographics')",
    replacement: 'false',
    test,
    named: 'leaves a refused right',
  },
];
