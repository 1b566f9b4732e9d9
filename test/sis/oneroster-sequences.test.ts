import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Database } from '../../src/database/database.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { applyStaged, emptyHouse, standingPairs } from './oneroster-applier.js';
import { setOf, staged } from './oneroster-set.js';
import type { Files, Row, Version } from './oneroster-set.js';

/** What the SIS knows: who there is, and whom each names. */
type Truth = ReadonlyMap<string, ReadonlySet<string>>;

const students = ['s1', 's2', 's3'];
const contacts = ['c1', 'c2', 'c3'];
const everybody = [...students, ...contacts];
const isStudent = (id: string): boolean => students.includes(id);

const step = fc.record({
  kind: fc.constantFrom('bulk' as const, 'delta' as const, 'delta' as const),
  // Somebody restates the own list, coming into being if need be; or is deleted.
  changes: fc.array(
    fc.record({
      who: fc.constantFrom(...everybody),
      deleted: fc.boolean(),
      names: fc.subarray([0, 1, 2]),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** Nobody names who is not there: a SIS takes a deleted person out of the lists of others. */
function changed(truth: Truth, changes: ReadonlyArray<{ who: string; deleted: boolean; names: number[] }>): Truth {
  const next = new Map([...truth].map(([id, names]) => [id, new Set(names)]));
  for (const { who, deleted, names } of changes) {
    if (deleted) {
      next.delete(who);
      for (const list of next.values()) list.delete(who);
    } else {
      const others = isStudent(who) ? contacts : students;
      next.set(who, new Set(names.map((index) => others[index] ?? '').filter((id) => next.has(id))));
    }
  }
  return next;
}

function union(truth: Truth): string[] {
  return students
    .flatMap((student) => contacts.map((contact) => [student, contact] as const))
    .map(([student, contact]) => {
      const side =
        (truth.get(student)?.has(contact) === true ? 1 : 0) | (truth.get(contact)?.has(student) === true ? 2 : 0);
      return side === 0 ? '' : `${student}<${contact}:${side}`;
    })
    .filter((pair) => pair !== '')
    .sort();
}

const orgs: Row[] = [{ sourcedId: 'school', name: 'First Street School', type: 'school' }];

function filesOf(version: Version, kind: 'bulk' | 'delta', truth: Truth, before: Truth): Files {
  const status = (value: string): Row =>
    kind === 'bulk' ? {} : { status: value, dateLastModified: '2026-11-20T06:00:00.000Z' };
  const list = (names: ReadonlySet<string> | undefined): string => [...(names ?? [])].sort().join(',');
  const speaking = everybody.filter((id) =>
    kind === 'bulk' ? truth.has(id) : truth.has(id) !== before.has(id) || list(truth.get(id)) !== list(before.get(id)),
  );
  const kindOf = (id: string): string => (isStudent(id) ? 'student' : 'guardian');
  const users = speaking.map((id) => ({
    sourcedId: id,
    givenName: id,
    role: kindOf(id),
    orgSourcedIds: 'school',
    agentSourcedIds: list(truth.get(id)),
    ...status(truth.has(id) ? 'active' : 'tobedeleted'),
  }));
  // In 1.2 roles come with who is new, and are not said again.
  const roles = speaking
    .filter((id) => truth.has(id) && (kind === 'bulk' || !before.has(id)))
    .map((id) => ({
      sourcedId: `role ${id}`,
      userSourcedId: id,
      role: kindOf(id),
      roleType: 'primary',
      orgSourcedId: 'school',
      ...status('active'),
    }));
  return setOf(version, kind, {
    ...(kind === 'bulk' ? { orgs } : {}),
    users,
    ...(version === '1.1' ? {} : { roles }),
  });
}

describe.each(ruledDatabases)('feeds of OneRoster on %s', (kind) => {
  let db: Database;

  useDatabase(kind, (opened) => {
    db = opened;
  });

  it('lead, in any sequence of bulk and delta, to the union that the last truth says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Version>('1.1', '1.2', '1.2.1'),
        fc.array(step, { minLength: 1, maxLength: 5 }),
        async (version, steps) => {
          await emptyHouse(db);
          const everyone: Truth = new Map(everybody.map((id) => [id, new Set<string>()]));
          let truth: Truth = new Map();
          for (const [index, { kind: said, changes }] of [{ kind: 'bulk' as const, changes: [] }, ...steps].entries()) {
            const before = truth;
            truth = index === 0 ? everyone : changed(truth, changes);
            const run = await staged(db, filesOf(version, said, truth, before));
            await applyStaged(db, run, said);
            expect({ step: index, said, pairs: await standingPairs(db) }).toEqual({
              step: index,
              said,
              pairs: union(truth),
            });
          }
        },
      ),
      { numRuns: 12 },
    );
    // Some forty imports, each with its files and its statements.
  }, 180_000);
});
