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

  it.each([
    ['with fields too many', (line: string) => `${line},with the father,`],
    ['with an id too long', (line: string) => line.replace(/^ana,/, `${'a'.repeat(600)},`)],
    ['with no id', (line: string) => line.replace(/^ana,/, ',')],
  ])(
    'leaves a refused right and a birth date as they stand where a row of their file cannot be read: %s',
    async (_, spoil) => {
      const files = family('1.2');
      await town.load(files);
      const whole = await standing(db);
      const spoilt = (name: string, start: string) =>
        String(files[name])
          .split('\r\n')
          .map((line) => (line.startsWith(start) ? spoil(line) : line))
          .join('\r\n');
      const both = {
        'rights.csv': spoilt('rights.csv', 'ana,tom'),
        'demographics.csv': spoilt('demographics.csv', 'ana'),
      };
      expect(await town.load({ ...files, ...both })).toMatchObject({ state: 'applied' });
      expect(await standing(db)).toEqual(whole);
      const { rows } = await sql`select birth_date::text as born from students where sis_id = 'ana'`.execute(db);
      expect(rows).toEqual([{ born: '2014-02-03' }]);
      // Where all can be read, what is not said is unknown.
      const silent = String(files['rights.csv'])
        .split('\r\n')
        .filter((line) => !line.startsWith('ana,tom'))
        .join('\r\n');
      await town.load({ ...files, 'rights.csv': silent });
      expect(await standing(db)).toEqual(whole.map((pair) => pair.replace(' no-ed', '')));
    },
  );

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
