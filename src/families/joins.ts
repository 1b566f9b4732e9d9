import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../database/database.js';
import { localDate, parentsHold } from './entitlement.js';

/** Why a contact does not join by itself; an empty list joins. */
type JoinObstacle =
  | 'same_sis'
  | 'other_mailbox'
  | 'other_phone'
  | 'pair_not_unique'
  | 'rights_not_explicit'
  | 'somebody_restricted';

export interface JoinCandidate {
  contactId: string;
  sis: string;
  obstacles: JoinObstacle[];
}

interface Compared {
  id: string;
  sis: string;
  same_mailbox: boolean;
  same_phone: boolean;
  here: number;
  there: number;
  explicit: boolean;
  restricted: boolean;
}

/**
 * The contacts that look like the same person as a contact just proven: equal name, and the mailbox or a phone in common.
 * One joins by itself only from the other SIS, when mailbox and phone agree and are that of one contact in each SIS, all rights of
 * both are an explicit yes (those to a child who is 18 play no part), and nobody on that mailbox and phone is restricted (DESIGN, rules of the domain). The others are for
 * staff to decide. A contact that an account has proven already is neither.
 */
export async function joinableContacts(
  db: Database,
  question: { contactId: string; now: Date; timeZone: string },
): Promise<{ join: JoinCandidate[]; propose: JoinCandidate[] }> {
  const compared = await compare(db, question.contactId, localDate(question.now, question.timeZone));
  const judged = compared.map((row) => ({ contactId: row.id, sis: row.sis, obstacles: obstacles(row) }));
  return {
    join: judged.filter((candidate) => candidate.obstacles.length === 0),
    propose: judged.filter((candidate) => candidate.obstacles.length > 0),
  };
}

function obstacles(row: Compared & { same_sis: boolean }): JoinObstacle[] {
  const found: Array<[boolean, JoinObstacle]> = [
    [row.same_sis, 'same_sis'],
    [!row.same_mailbox, 'other_mailbox'],
    [!row.same_phone, 'other_phone'],
    [row.same_mailbox && row.same_phone && (row.here !== 1 || row.there !== 1), 'pair_not_unique'],
    [!row.explicit, 'rights_not_explicit'],
    [row.restricted, 'somebody_restricted'],
  ];
  return found.filter(([stands]) => stands).map(([, obstacle]) => obstacle);
}

/** Whether all rights of a contact are an explicit yes; to a child who has them now, a parent holds none. */
function explicit(contact: string, today: string): RawBuilder<boolean> {
  return sql`coalesce((select bool_and(rr.explicit_right) from relationship_rights rr
    where rr.contact_id = ${sql.ref(`${contact}.id`)} and rr.active and ${parentsHold('rr', today)}), false)`;
}

async function compare(
  db: Database,
  contactId: string,
  today: string,
): Promise<Array<Compared & { same_sis: boolean }>> {
  const { rows } = await sql<Compared & { same_sis: boolean }>`
    with me as (select * from contacts where id = ${contactId}),
    my_phones as (select e164 from contact_phones where contact_id = ${contactId} and e164 is not null),
    alike as (
      select c.* from contacts c join me on c.email = me.email where c.name_key = me.name_key
      union
      select c.* from my_phones n join contact_phones o on o.e164 = n.e164 join contacts c on c.id = o.contact_id
        join me on c.name_key = me.name_key
    ),
    -- Everybody on my mailbox and one of my phones, current or not: the pair says who is meant only where it is one person's.
    pair as (
      select distinct c.id, c.sis, c.current from contacts c join me on c.email = me.email
        join contact_phones o on o.contact_id = c.id join my_phones n on n.e164 = o.e164
    ),
    around as (select id from pair union select id from alike union select id from me),
    trouble as (
      select 1 from around a join relationship_rights rr on rr.contact_id = a.id
      where rr.held or rr.restricted_from <= ${today}::date limit 1
    )
    select c.id, c.sis, c.sis = me.sis as same_sis,
      coalesce(c.email = me.email, false) as same_mailbox,
      exists (select 1 from contact_phones o join my_phones n on n.e164 = o.e164 where o.contact_id = c.id) as same_phone,
      (select count(*) from pair where pair.sis = me.sis and pair.current)::int as here,
      (select count(*) from pair where pair.sis = c.sis and pair.current)::int as there,
      ${explicit('me', today)} and ${explicit('c', today)} as explicit,
      exists (select 1 from trouble) as restricted
    from alike c cross join me
    where c.id <> me.id and c.current and not exists (select 1 from proven_contacts p where p.contact_id = c.id)
    order by c.sis, c.id`.execute(db);
  return rows;
}

/**
 * Writes that an account has shown to be a contact. The caller's transaction decides; a contact has one account.
 *
 * @param how `registration`, `join`, `staff`
 * @returns false when another account has the contact
 */
export async function proveContact(
  db: Database,
  proof: { accountId: string; contactId: string; how: string; now: Date },
): Promise<boolean> {
  await sql`insert into proven_contacts (account_id, contact_id, proven_at, how)
    values (${proof.accountId}, ${proof.contactId}, ${proof.now}, ${proof.how})
    on conflict (contact_id) do nothing`.execute(db);
  const { rows } = await sql<{ account_id: string }>`
    select account_id from proven_contacts where contact_id = ${proof.contactId}`.execute(db);
  return rows[0]?.account_id === proof.accountId;
}

/**
 * Joins what joins by itself to an account that has just proven a contact, and proposes the rest to staff.
 * Both lists are safe to write again.
 *
 * @returns the ids of the contacts that joined now
 */
export async function joinContacts(
  db: Database,
  question: { accountId: string; contactId: string; now: Date; timeZone: string },
): Promise<string[]> {
  const { join, propose } = await joinableContacts(db, question);
  const joined: string[] = [];
  for (const { contactId } of join) {
    if (await proveContact(db, { accountId: question.accountId, contactId, how: 'join', now: question.now })) {
      joined.push(contactId);
    }
  }
  for (const { contactId, obstacles: why } of propose) {
    const evidence = JSON.stringify({ like: question.contactId, obstacles: why });
    await sql`insert into join_proposals (account_id, contact_id, evidence, created_at)
      values (${question.accountId}, ${contactId}, ${evidence}::jsonb, ${question.now})
      on conflict (account_id, contact_id) do nothing`.execute(db);
  }
  return joined;
}
