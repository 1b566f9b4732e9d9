import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Database } from '../database/database.js';
import { localDate } from './entitlement.js';
import { compareContacts } from './join-evidence.js';
import type { JoinObstacle } from './join-evidence.js';

interface JoinCandidate {
  contactId: string;
  sis: string;
  obstacles: JoinObstacle[];
}

/**
 * The contacts that look like the same person as a contact just proven: equal name, and the mailbox or a phone in common.
 * One joins by itself only from the other SIS, when mailbox and phone agree and are that of one contact in each SIS, all rights of
 * both are an explicit yes (those to a child who is 18 play no part), and nobody on that mailbox and phone is restricted, nor the same person elsewhere (DESIGN, rules of the
 * domain). The others are for staff to decide. A contact that an account has proven already is neither.
 */
export async function joinableContacts(
  db: Database,
  question: { contactId: string; now: Date; timeZone: string },
): Promise<{ join: JoinCandidate[]; propose: JoinCandidate[] }> {
  const compared = await compareContacts(db, question.contactId, null, localDate(question.now, question.timeZone));
  const judged = compared
    .filter(({ current, provenBy }) => current && provenBy === null)
    .map(({ id, sis, obstacles }) => ({ contactId: id, sis, obstacles }));
  return {
    join: judged.filter((candidate) => candidate.obstacles.length === 0),
    propose: judged.filter((candidate) => candidate.obstacles.length > 0),
  };
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

export interface JoinQuestion {
  accountId: string;
  /** A contact that the account has proven. */
  contactId: string;
  now: Date;
  timeZone: string;
}

/**
 * Joins what joins by itself to an account that has proven a contact, and proposes the rest to staff. Both are safe to do again: an
 * open proposal gets the evidence of now. What staff declined or undid never joins by itself again; it is proposed anew when the name, the
 * mailbox or a phone of one of the two changed since.
 *
 * @returns the ids of the contacts that joined now
 */
export async function joinContacts(db: Database, question: JoinQuestion): Promise<string[]> {
  const { accountId, now } = question;
  const { join, propose } = await joinableContacts(db, question);
  const alike = [...join, ...propose];
  const refused = await refusedBefore(db, question, alike);
  const joined: string[] = [];
  for (const { contactId } of join) {
    if (refused.has(contactId) || !(await proveContact(db, { accountId, contactId, how: 'join', now }))) continue;
    joined.push(contactId);
    await sql`
      update join_proposals set decision = 'joined', decided_at = ${now}, decided_by = 'system'
      where account_id = ${accountId} and contact_id = ${contactId}`.execute(db);
  }
  for (const { contactId, obstacles } of propose) {
    if (!refused.has(contactId)) await proposeToStaff(db, question, { contactId, obstacles });
  }
  for (const { contactId, obstacles } of alike) {
    if (refused.get(contactId) === 'changed')
      await proposeToStaff(db, question, { contactId, obstacles: [...obstacles, 'refused_before'] });
  }
  return joined;
}

async function proposeToStaff(
  db: Database,
  { accountId, contactId: like, now }: JoinQuestion,
  { contactId, obstacles }: Pick<JoinCandidate, 'contactId' | 'obstacles'>,
): Promise<void> {
  await openProposal(db, { accountId, contactId, evidence: { like, obstacles }, by: 'system', reason: null, now });
}

/** What a proposal says for and against itself. */
export interface StoredEvidence {
  /** The contact of the account that it is like. */
  like: string;
  obstacles: JoinObstacle[];
}

/**
 * Writes that staff have to decide whether a contact is an account's. One that waits already keeps its place and gets this evidence; one
 * that was decided waits again.
 *
 * @param by `system`, or who proposes it by hand; the `reason` is theirs
 * @returns the proposal's id
 */
export async function openProposal(
  db: Database,
  proposal: {
    accountId: string;
    contactId: string;
    evidence: StoredEvidence;
    by: string;
    reason: string | null;
    now: Date;
  },
): Promise<string> {
  const { accountId, contactId, evidence, by, reason, now } = proposal;
  const { rows } = await sql<{ id: string }>`
    insert into join_proposals as p (account_id, contact_id, evidence, created_at, proposed_by, proposed_reason)
    values (${accountId}, ${contactId}, ${JSON.stringify(evidence)}::jsonb, ${now}, ${by}, ${reason})
    on conflict (account_id, contact_id) do update set evidence = excluded.evidence,
      created_at = case when p.decided_at is null then p.created_at else excluded.created_at end,
      proposed_by = case when p.decided_at is null then p.proposed_by else excluded.proposed_by end,
      proposed_reason = case when p.decided_at is null then p.proposed_reason else excluded.proposed_reason end,
      decided_at = null, decision = null, decided_by = null, reason = null, seen = null
    returning id`.execute(db);
  return rows[0]?.id ?? '';
}

/**
 * Of the contacts those about which staff said no, and whether one of the two changed since in what makes them alike. What they said of the two
 * for another account, which this one may have come after, counts as well; what they took from one that was closed was the account's fault.
 */
async function refusedBefore(
  db: Database,
  { accountId, contactId }: JoinQuestion,
  alike: readonly JoinCandidate[],
): Promise<Map<string, 'changed' | 'unchanged'>> {
  if (alike.length === 0) return new Map();
  const ids = alike.map((candidate) => candidate.contactId);
  // Locked, so that nobody decides in between; in one order.
  const { rows } = await sql<{ contact_id: string; refused: boolean; changed: boolean }>`
    select c.id as contact_id, coalesce(p.decision in ('declined', 'undone'), false) as refused,
      p.seen ->> c.id::text is distinct from ${facts('c')}
        or p.seen ->> me.id::text <> ${facts('me')} as changed
    from contacts me join contacts c on c.id = any(${ids}::uuid[]) join join_proposals p on p.contact_id in (me.id, c.id)
      join accounts a on a.id = p.account_id
    where me.id = ${contactId} and (p.account_id = ${accountId} and p.contact_id = c.id
      or p.evidence ->> 'like' = case p.contact_id when c.id then me.id else c.id end::text
        and not coalesce(a.disabled_as = 'closed' and p.decided_at > a.disabled_at, false))
    order by p.id for update of p`.execute(db);
  const refused = rows
    .filter((row) => row.refused)
    .toSorted((one, other) => Number(other.changed) - Number(one.changed));
  return new Map(refused.map(({ contact_id: id, changed }) => [id, changed ? 'changed' : 'unchanged'] as const));
}

/** A digest of what makes a contact like another: its name, mailbox and phones. */
function facts(alias: string): RawBuilder<string> {
  const column = (name: string) => sql.ref(`${alias}.${name}`);
  return sql<string>`md5(concat_ws(chr(31), ${column('name_key')}, coalesce(${column('email')}, ''),
    (select string_agg(distinct n.e164, ',') from contact_phones n where n.contact_id = ${column('id')})))`;
}

/**
 * What is remembered of a contact and an account's contacts when staff say no.
 *
 * @returns an object of digests by contact id, as an expression
 */
export function seenNow(accountId: string, contactId: string): RawBuilder<unknown> {
  return sql`(select jsonb_object_agg(c.id, ${facts('c')}) from contacts c
    where c.id = ${contactId} or c.id in (select q.contact_id from proven_contacts q where q.account_id = ${accountId}))`;
}

/** Lets all contacts of an account be put to the rule again soon: an import that came at the same moment may not have seen them. */
export async function markJoinsDue(db: Database, accountId: string): Promise<void> {
  await sql`
    insert into joins_due (contact_id) select contact_id from proven_contacts where account_id = ${accountId}
    order by 1 on conflict do nothing`.execute(db);
}
