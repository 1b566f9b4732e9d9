import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import { holdsOn, localDate } from './entitlement.js';

/** A current contact that matches what somebody typed to register. */
export interface RegistrationCandidate {
  contactId: string;
  sis: string;
  feed: string;
  /** As of names.ts: equal keys here, with the mailbox and the phone that matched, are one person. */
  nameKey: string;
  givenName: string;
  familyName: string;
  language: string | null;
  /** A restriction is in force or staff have still to decide a hold, for any child of this contact. */
  restricted: boolean;
  hasRight: boolean;
  provenBy: string | null;
}

export interface CandidateQuestion {
  /** Normalised (email.ts). */
  email: string;
  /** Normalised (phone.ts). */
  e164: string;
  now: Date;
  timeZone: string;
}

/**
 * The current contacts with this mailbox and this phone (any of theirs) that have a right or a restriction, proven or not.
 * A restriction counts for a relationship that has gone from the feed, too: only an explicit "no" lifts it.
 *
 * @returns in the order of SIS and contact id
 */
export async function registrationCandidates(
  db: Database,
  question: CandidateQuestion,
): Promise<RegistrationCandidate[]> {
  const today = localDate(question.now, question.timeZone);
  const { rows } = await sql<RegistrationCandidate>`
    select * from (
      select c.id as "contactId", c.sis, f.name as feed, c.name_key as "nameKey", c.given_name as "givenName",
        c.family_name as "familyName", c.language,
        exists (select 1 from relationship_rights rr where rr.contact_id = c.id
          and (rr.held or rr.restricted_from <= ${today}::date)) as restricted,
        exists (select 1 from relationship_rights rr where rr.contact_id = c.id and rr.active and rr.has_right
          and not rr.held and ${holdsOn('rr', today)}) as "hasRight",
        p.account_id as "provenBy"
      from contacts c join feeds f on f.sis = c.sis left join proven_contacts p on p.contact_id = c.id
      where c.email = ${question.email} and c.current
        and exists (select 1 from contact_phones n where n.contact_id = c.id and n.e164 = ${question.e164})
    ) candidate where "hasRight" or restricted
    order by sis, "contactId"`.execute(db);
  return rows;
}

/**
 * A student's own address, or one in the district's student domains (their subdomains too): never registrable.
 *
 * @param email normalised
 * @param studentDomains lower-case domain names
 */
export async function isStudentAddress(
  db: Database,
  email: string,
  studentDomains: readonly string[],
): Promise<boolean> {
  const domain = email.slice(email.lastIndexOf('@') + 1);
  if (studentDomains.some((name) => domain === name || domain.endsWith(`.${name}`))) return true;
  const { rows } = await sql`select 1 from students where email_normal = ${email} limit 1`.execute(db);
  return rows.length > 0;
}

/** Whether some feed holds the (normalised) address for a current contact. */
export async function feedHolds(db: Database, email: string): Promise<boolean> {
  const { rows } = await sql`select 1 from contacts where email = ${email} and current limit 1`.execute(db);
  return rows.length > 0;
}

/** One person on a mailbox, with the contacts that are this person. */
export interface MailboxPerson {
  nameKey: string;
  contacts: Array<{ contactId: string; sis: string; provenBy: string | null }>;
}

/**
 * The persons whom the feeds give this mailbox now. Contacts with an equal name and a common phone are one person;
 * more than one person makes it a shared mailbox.
 *
 * @param email normalised
 */
export async function mailboxSharers(db: Database, email: string): Promise<MailboxPerson[]> {
  const { rows } = await sql<{ id: string; sis: string; name_key: string; proven_by: string | null; phones: string[] }>`
    select c.id, c.sis, c.name_key, p.account_id as proven_by,
      array(select n.e164 from contact_phones n where n.contact_id = c.id and n.e164 is not null) as phones
    from contacts c left join proven_contacts p on p.contact_id = c.id
    where c.email = ${email} and c.current
    order by c.sis, c.id`.execute(db);
  return personsOf(
    rows.map(({ id: contactId, sis, name_key: nameKey, proven_by: provenBy, phones }) => ({
      nameKey,
      phones,
      contact: { contactId, sis, provenBy },
    })),
  );
}

/** By a map of names and phones and not each with each: a mailbox of a school's own may stand in thousands of contacts. */
function personsOf(
  found: ReadonlyArray<{ nameKey: string; phones: string[]; contact: MailboxPerson['contacts'][number] }>,
): MailboxPerson[] {
  const persons = new Set<MailboxPerson & { keys: string[] }>();
  const byPhone = new Map<string, MailboxPerson & { keys: string[] }>();
  for (const { nameKey, phones, contact } of found) {
    const keys = phones.map((phone) => `${phone} ${nameKey}`);
    const known = [...new Set(keys.flatMap((key) => byPhone.get(key) ?? []))];
    // The smaller go into the largest, so that nobody is moved often.
    const [person = { nameKey, contacts: [], keys: [] }, ...others] = known.toSorted(
      (a, b) => b.contacts.length - a.contacts.length,
    );
    persons.add(person);
    for (const each of [...others.flatMap(({ contacts }) => contacts), contact]) person.contacts.push(each);
    for (const key of [...others.flatMap((other) => other.keys), ...keys]) {
      if (byPhone.get(key) === person) continue;
      byPhone.set(key, person);
      person.keys.push(key);
    }
    for (const other of others) persons.delete(other);
  }
  return [...persons].map(({ nameKey, contacts }) => ({ nameKey, contacts }));
}
