import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { everything } from './extract.js';
import { active } from './oneroster-applier.js';
import { role, setOf, user } from './oneroster-set.js';
import type { Row } from './oneroster-set.js';
import { family, familyRows, oneRosterTown, right, standing } from './oneroster-town.js';
import type { OneRosterTown } from './oneroster-town.js';

const order = { restricted: 'yes', restriction_type: 'protection order' };

describe.each(ruledDatabases)('an order of the sidecar on who is not known yet, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: OneRosterTown;

  useDatabase(kind, (taken, its) => {
    db = taken;
    opened = its;
  });
  beforeEach(async () => {
    for (const table of everything) await sql`delete from ${sql.table(table)}`.execute(db);
    town = await oneRosterTown(opened);
  });

  it.each<[string, Row[]]>([
    ['alone', []],
    ['beside a row of theirs that cannot be taken', [{ status: 'odd' }]],
    ['beside a row of theirs that cannot be read', [{ email: 'x'.repeat(600) }]],
  ])('is kept until they come, also by a run that is rolled back: %s', async (_, spoilt) => {
    await town.load(family('1.2'));
    const whole = await standing(db);
    const kim = user('kim', { agentSourcedIds: 'leo', email: 'kim@example.org', ...active });
    const roles = [role('r-kim', 'kim', 'parent', active)];
    const users = spoilt.map((cells) => ({ ...kim, ...cells }));
    const rights = [right('leo', 'kim', order)];
    const told = await town.load(setOf('1.2', 'delta', { users, ...(users.length > 0 ? { roles } : {}), rights }));
    expect(told).toMatchObject({ state: 'applied', counts: { restricted: 1 } });
    expect(await standing(db)).toEqual(whole);
    await town.decide('rollback', told);
    await town.load(setOf('1.2', 'delta', { users: [kim], roles }));
    expect(await standing(db)).toEqual([...whole, 'leo<kim restricted:protection_order'].sort());
    const { rows } = await sql`select given_name, email, current from contacts where sis_id = 'kim'`.execute(db);
    expect(rows).toEqual([{ given_name: 'kim', email: 'kim@example.org', current: true }]);
  });

  it('holds what the person has by another record, whose name the row says that cannot be taken', async () => {
    const { users = [], roles = [], rights = [] } = familyRows('1.2');
    await town.load(family('1.2'));
    const again = { ...users.find((each) => each['sourcedId'] === 'rosa'), sourcedId: 'rosa-2', status: 'odd' };
    await town.load(
      family('1.2', {
        users: [...users, again],
        roles: [...roles, role('r-rosa-2', 'rosa-2', 'parent')],
        rights: [...rights, right('ana', 'rosa-2', order)],
      }),
    );
    const { rows } = await sql`
      select c.sis_id from relationship_rights x join contacts c on c.id = x.contact_id where x.held`.execute(db);
    expect(rows).toEqual([{ sis_id: 'rosa' }]);
  });
});
