import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../database/database.js';
import { localDate, parentsHold } from './entitlement.js';

/** Why a contact does not join by itself; an empty list joins. */
export type JoinObstacle =
  | 'other_name'
  | 'same_sis'
  | 'other_mailbox'
  | 'other_phone'
  | 'pair_not_unique'
  | 'rights_not_explicit'
  | 'somebody_restricted'
  /** People declined or undid it, and since then a name, a mailbox or a phone changed. */
  | 'refused_before';

/** A contact beside a proven one. */
export interface Compared {
  id: string;
  sis: string;
  obstacles: JoinObstacle[];
  /** In some feed now. */
  current: boolean;
  /** The account that has proven it. */
  provenBy: string | null;
  /** The person of either contact, or of another contact of the same account, is restricted or held for any child. */
  personRestricted: boolean;
}

interface Facts extends Omit<Compared, 'obstacles'> {
  same_name: boolean;
  same_sis: boolean;
  same_mailbox: boolean;
  same_phone: boolean;
  here: number;
  there: number;
  explicit: boolean;
  restricted: boolean;
}

/** What is looked at of a contact `c`. */
const columns = sql`c.id, c.sis, c.name_key, c.email, c.current`;

/**
 * Compares a proven contact with others.
 *
 * @param others of the contacts `c`: a given one, or (null) all that look like the same person, by an equal name and the mailbox or a phone in common
 * @param today `YYYY-MM-DD` in the district's time zone
 * @returns in the order of SIS and id
 */
export async function compareContacts(
  db: Database,
  contactId: string,
  others: string | null,
  today: string,
): Promise<Compared[]> {
  const subject =
    others === null ? sql`select * from alike` : sql`select ${columns} from contacts c where c.id = ${others}`;
  const { rows } = await sql<Facts>`
    with me as (select ${columns} from contacts c where c.id = ${contactId}),
    my_phones as (select e164 from contact_phones where contact_id = ${contactId} and e164 is not null),
    -- All contacts of the account that has proven me.
    own as (
      select ${columns} from proven_contacts p join proven_contacts q on q.account_id = p.account_id join contacts c on c.id = q.contact_id
      where p.contact_id = ${contactId}
    ),
    alike as (${sameAs(sql`me`)}),
    subject as (${subject}),
    -- Everybody on my mailbox and one of my phones, current or not: the pair says who is meant only where it is one person's.
    pair as (
      select distinct c.id, c.sis, c.current from contacts c join me on c.email = me.email
        join contact_phones o on o.contact_id = c.id join my_phones n on n.e164 = o.e164
    ),
    mine as (select * from me union select * from own union select * from alike union select * from subject),
    person as (select id from mine union select id from (${sameAs(sql`mine`)}) kin),
    trouble as (
      select distinct a.id in (select id from person) as of_person
      from (select id from pair union select id from person) a join relationship_rights rr on rr.contact_id = a.id
      where rr.held or rr.restricted_from <= ${today}::date
    )
    select c.id, c.sis, c.name_key = me.name_key as same_name,
      c.sis = me.sis or c.sis in (select own.sis from own where own.id <> c.id) as same_sis,
      coalesce(c.email = me.email, false) as same_mailbox,
      exists (select 1 from contact_phones o join my_phones n on n.e164 = o.e164 where o.contact_id = c.id) as same_phone,
      (select count(*) from pair where pair.sis = me.sis and pair.current)::int as here,
      (select count(*) from pair where pair.sis = c.sis and pair.current)::int as there,
      ${explicit('me', today)} and ${explicit('c', today)} as explicit,
      exists (select 1 from trouble) as restricted,
      exists (select 1 from trouble where of_person) as "personRestricted",
      c.current, (select p.account_id from proven_contacts p where p.contact_id = c.id) as "provenBy"
    from subject c cross join me
    where ${others === null ? sql`c.id <> me.id` : sql`true`}
    order by c.sis, c.id`.execute(db);
  return rows.map(({ id, sis, current, provenBy, personRestricted, ...facts }) => ({
    id,
    sis,
    current,
    provenBy,
    personRestricted,
    obstacles: obstacles(facts),
  }));
}

/** Whether all rights of a contact are an explicit yes; to a child who has them now, a parent holds none. */
function explicit(contact: string, today: string): RawBuilder<boolean> {
  return sql`coalesce((select bool_and(rr.explicit_right) from relationship_rights rr
    where rr.contact_id = ${sql.ref(`${contact}.id`)} and rr.active and ${parentsHold('rr', today)}), false)`;
}

/** The contacts that are the same person as one of a table's: equal name, and the mailbox or a phone in common. */
function sameAs(table: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select ${columns} from ${table} x join contacts c on c.email = x.email and c.name_key = x.name_key
    union
    select ${columns} from ${table} x join contact_phones n on n.contact_id = x.id join contact_phones o on o.e164 = n.e164
      join contacts c on c.id = o.contact_id and c.name_key = x.name_key`;
}

function obstacles(facts: Omit<Facts, 'id' | 'sis' | 'current' | 'provenBy' | 'personRestricted'>): JoinObstacle[] {
  const found: Array<[boolean, JoinObstacle]> = [
    [!facts.same_name, 'other_name'],
    [facts.same_sis, 'same_sis'],
    [!facts.same_mailbox, 'other_mailbox'],
    [!facts.same_phone, 'other_phone'],
    [facts.same_mailbox && facts.same_phone && (facts.here !== 1 || facts.there !== 1), 'pair_not_unique'],
    [!facts.explicit, 'rights_not_explicit'],
    [facts.restricted, 'somebody_restricted'],
  ];
  return found.filter(([stands]) => stands).map(([, obstacle]) => obstacle);
}

export interface JoinEvidence extends Compared {
  /** The contact of the account that it is most like. */
  like: string;
}

/**
 * What speaks for and against that a contact is the person of an account, now: beside the contact of the account that it is most like.
 *
 * @returns null when the account has no other contact, or there is no such contact
 */
export async function joinEvidence(
  db: Database,
  question: { accountId: string; contactId: string; now: Date; timeZone: string },
): Promise<JoinEvidence | null> {
  const { accountId, contactId, now, timeZone } = question;
  const own = await db
    .selectFrom('proven_contacts')
    .select('contact_id')
    .where('account_id', '=', accountId)
    .orderBy('proven_at')
    .orderBy('contact_id')
    .execute();
  let best: JoinEvidence | null = null;
  for (const { contact_id: like } of own) {
    const [compared] = await compareContacts(db, like, contactId, localDate(now, timeZone));
    if (compared === undefined) continue;
    if (best === null || compared.obstacles.length < best.obstacles.length) best = { ...compared, like };
  }
  return best;
}
