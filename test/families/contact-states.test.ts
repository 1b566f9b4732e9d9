import { beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { decideRegistration } from '../../src/accounts/decide-registration.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { registrationCandidates } from '../../src/families/candidates.js';
import { contactStates, statesOfContacts } from '../../src/families/contact-states.js';
import type { ContactState } from '../../src/families/contact-states.js';
import { account, contactId, emptyAll } from '../accounts/people.js';
import { district, now, row, timeZone } from '../sis/extract.js';
import type { District, Row } from '../sis/extract.js';
import { ruledDatabases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';

const studentDomains = ['students.example.org'];
const today = '2026-11-20';

/** A small generator with a seed (mulberry32), so that what fails can be seen again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

/** Families that meet on few names, addresses and phones, so that every clause decides about some. */
function families(sis: string, roll: (sides: number) => number): Row[] {
  const one = (...choices: string[]): string => choices[roll(choices.length)] ?? '';
  return Array.from({ length: 160 }, (_, index) => {
    const contact = `C${index}`;
    const address = roll(45);
    const phone = (): string => one(...Array.from({ length: 12 }, (_each, line) => `(213) 555-01${10 + line}`));
    const cells: Row = {
      sis,
      given_name: one('Rosa', 'Rosa', 'RÓSA', 'Luis'),
      email: one(
        ...Array.from({ length: 12 }, () => `p${address}@example.org`),
        '',
        'none@none.com',
        'a@b',
        `p${address}@students.example.org`,
        'kid@example.net',
      ),
      phone1: one(phone(), phone(), phone(), phone(), phone(), '', '12'),
      phone2: one('', '', phone()),
      relation: one('mother', 'mother', 'father', 'mother', 'grandmother'),
      ed_rights: one('', '', 'yes', 'yes', 'no'),
      restricted: one(...Array.from({ length: 12 }, () => ''), 'yes'),
      restriction_type: one('custody', 'protection_order'),
      restriction_start: one('', '2027-05-01'),
      start_date: one('', '', '', '2026-01-01', '2027-01-01'),
      student_email: index % 40 === 0 ? 'kid@example.net' : '',
    };
    return row(`${sis} kid ${index}`, contact, cells);
  });
}

describe.each(ruledDatabases)('the state of a contact, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;
  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });
  beforeEach(async () => {
    await emptyAll(db);
    town = await district(opened);
  });

  async function states(): Promise<Map<string, ContactState>> {
    const { rows } = await sql<{ contact_id: string; state: ContactState }>`
      select contact_id, state from ${statesOfContacts({ today, studentDomains, within: sql`true` })} s`.execute(db);
    return new Map(rows.map((found) => [found.contact_id, found.state]));
  }
  const stateOf = async (contact: string, sis = 'elementary'): Promise<ContactState | undefined> =>
    (await states()).get(await contactId(db, contact, sis));

  /** Whether registering with the contact's address and one of its phones leads to an activation of this person. */
  async function wouldActivate(id: string): Promise<boolean> {
    const { rows } = await sql<{ email: string; e164: string }>`
      select c.email, n.e164 from contacts c join contact_phones n on n.contact_id = c.id
      where c.id = ${id} and c.email is not null and n.e164 is not null`.execute(db);
    const asked = { sisOrder: ['elementary', 'secondary'], studentDomains, timeZone };
    for (const { email, e164 } of rows) {
      // Whom it finds to have an account, it joins: that is undone.
      const trx = await db.startTransaction().execute();
      const decided = await decideRegistration(trx, () => now, { ...asked, email, phone: e164 });
      const candidates = await registrationCandidates(trx, { email, e164, now, timeZone });
      await trx.rollback().execute();
      const own = candidates.find((candidate) => candidate.contactId === id);
      if (decided.kind === 'activate' && own?.hasRight === true) return true;
    }
    return false;
  }

  it.each([11, 12, 13])(
    'is registrable exactly where registering leads to an activation (families %d)',
    async (seed) => {
      const roll = dice(seed);
      await town.load(families('elementary', roll));
      await town.load(families('secondary', roll), 'secondary');
      const ids = [...(await states()).keys()].toSorted();
      const picked = (share: number): string[] => ids.filter(() => roll(share) === 0);
      for (const [index, id] of picked(8).entries()) await account(db, { email: `a${index}@example.org` }, id);
      await sql`update contacts set current = false where id = any(${picked(12)}::uuid[])`.execute(db);

      const found = await states();
      const registrable = ids.filter((id) => found.get(id) === 'registrable');
      const activated: string[] = [];
      for (const id of ids) if (await wouldActivate(id)) activated.push(id);
      expect(registrable).toEqual(activated);
      expect(new Set(found.values())).toEqual(new Set(contactStates));
    },
  );

  it('is one of nine, the first that nothing else would mend', async () => {
    const shared = { email: 'both@example.org', phone1: '(213) 555-0177' };
    await town.load([
      row('Ana', 'Rosa'),
      row('Ben', 'None', { email: 'none@none.com' }),
      row('Eva', 'Empty', { email: '' }),
      row('Leo', 'Broken', { email: 'rosa at example' }),
      row('Mia', 'Two', { email: 'a@example.org, b@example.org' }),
      row('Ian', 'Pupil', { email: 'pupil@x.students.example.org' }),
      row('Zoe', 'Mute', { phone1: '' }),
      row('Kim', 'Short', { phone1: '555' }),
      row('Tom', 'Her', shared),
      row('Tom', 'Him', { ...shared, relation: 'father' }),
      row('Max', 'Order', { restricted: 'yes', email: '' }),
      row('Pia', 'Nana', { relation: 'grandmother', email: '' }),
      row('Pia', 'Later', { start_date: '2027-01-01' }),
      row('Sam', 'Gone', {}),
    ]);
    await sql`update contacts set current = false where sis_id = 'Gone'`.execute(db);
    const expected: Record<string, ContactState> = {
      Rosa: 'registrable',
      None: 'no_email',
      Empty: 'no_email',
      Broken: 'invalid_email',
      Two: 'invalid_email',
      Pupil: 'invalid_email',
      Mute: 'invalid_phone',
      Short: 'invalid_phone',
      Her: 'shared_address',
      Him: 'shared_address',
      Order: 'restricted',
      Nana: 'no_right',
      Later: 'no_right',
      Gone: 'not_current',
    };
    for (const [contact, state] of Object.entries(expected))
      expect([contact, await stateOf(contact)]).toEqual([contact, state]);
  });

  it('of one person in both SISs is decided together; of two on one mailbox, by their phones', async () => {
    const rosa = { email: 'rosa@example.org', given_name: 'Rosa' };
    await town.load([
      row('Ana', 'Rosa', rosa),
      row('Leo', 'Luis', { email: 'rosa@example.org', phone1: '(213) 555-0199' }),
    ]);
    await town.load([row('Max', 'R', { ...rosa, sis: 'secondary' })], 'secondary');
    expect([await stateOf('Rosa'), await stateOf('R', 'secondary'), await stateOf('Luis')]).toEqual([
      'registrable',
      'registrable',
      'registrable',
    ]);
    await account(db, { email: 'rosa@example.org' }, await contactId(db, 'R', 'secondary'));
    expect([await stateOf('Rosa'), await stateOf('R', 'secondary'), await stateOf('Luis')]).toEqual([
      'registered',
      'registered',
      'registrable',
    ]);
    await town.load([
      row('Ana', 'Rosa', { ...rosa, restricted: 'yes', restriction_type: 'custody' }),
      row('Leo', 'Luis', { email: 'rosa@example.org', phone1: '(213) 555-0199' }),
    ]);
    await sql`delete from proven_contacts`.execute(db);
    expect([await stateOf('Rosa'), await stateOf('R', 'secondary'), await stateOf('Luis')]).toEqual([
      'restricted',
      'restricted',
      'registrable',
    ]);
  });
});
