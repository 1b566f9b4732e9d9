import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { markJoinsDue, openProposal, proveContact, seenNow } from '../families/joins.js';
import { endChildTokens } from '../sessions/child-tokens.js';
import { standing } from './join-proposals.js';
import type { JoinBlock, JoinTime } from './join-proposals.js';
import { StandingRefused, readReason } from './standing.js';

export interface JoinParts extends JoinTime {
  db: Database;
  audit: RecordEvent;
}

/** Who decides, `operator` or `staff:<id>`, and why, in a few words without names. */
export interface JoinDecision {
  actor: string;
  reason: string;
}

const sentences: Readonly<Record<JoinBlock, string>> = {
  'already-theirs': 'The account has this contact already.',
  'another-account': 'Another account has this contact; if that is wrong, undo it there first.',
  gone: 'The contact is in no feed any more, so there is nothing to join.',
  restricted:
    'A restriction or a hold is on a contact of this person: nothing is joined until the school has settled it in the SIS, in person.',
  'account-disabled': 'The account is suspended or closed; reopen it first.',
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds a contact by its SIS and the id that the SIS gave it.
 *
 * @param typed `SIS:ID`
 * @throws StandingRefused when there is none
 */
export async function findContact(db: Database, typed: string): Promise<string> {
  const [, sis = '', sisId = ''] = /^([^:]+):(.+)$/.exec(typed) ?? [];
  const row = await db
    .selectFrom('contacts')
    .select('id')
    .where('sis', '=', sis)
    .where('sis_id', '=', sisId)
    .executeTakeFirst();
  if (row === undefined) throw new StandingRefused('There is no such contact; say it as SIS:ID.');
  return row.id;
}

/**
 * Proposes by hand that a contact is the person of an account; nothing joins before somebody accepts it.
 *
 * @returns the proposal's id
 * @throws StandingRefused saying why it could not be accepted, or that it waits already
 */
export async function proposeJoin(
  parts: JoinParts,
  pair: { accountId: string; contactId: string },
  decision: JoinDecision,
): Promise<string> {
  const reason = readReason(decision.reason);
  return parts.db.transaction().execute(async (trx) => {
    await lockAccount(trx, pair.accountId);
    const { rows } = await sql<{ id: string }>`
      select id from join_proposals
      where account_id = ${pair.accountId} and contact_id = ${pair.contactId} and decided_at is null`.execute(trx);
    if (rows[0] !== undefined) throw new StandingRefused(`It is proposed already: ${rows[0].id}.`);
    const { like, obstacles } = await unblocked(trx, parts, pair);
    const evidence = { like, obstacles };
    const id = await openProposal(trx, { ...pair, evidence, by: decision.actor, reason, now: parts.clock() });
    await note(trx, parts, 'contact.proposed', pair, { ...decision, reason }, { proposal: id });
    return id;
  });
}

/**
 * Joins the contact of a proposal to its account. The parent is told at the next sign-in.
 *
 * @throws StandingRefused when it is decided already, or saying what forbids it now
 */
export async function acceptJoin(parts: JoinParts, proposal: string, decision: JoinDecision): Promise<void> {
  const reason = readReason(decision.reason);
  await parts.db.transaction().execute(async (trx) => {
    const pair = await lockOpen(trx, proposal);
    await unblocked(trx, parts, pair);
    const now = parts.clock();
    if (!(await proveContact(trx, { ...pair, how: 'staff', now }))) {
      throw new StandingRefused(sentences['another-account']);
    }
    await decide(trx, pair, 'accepted', { ...decision, reason }, now);
    await markJoinsDue(trx, pair.accountId);
    await note(trx, parts, 'contact.accepted', pair, { ...decision, reason }, { proposal });
  });
}

/**
 * Puts a proposal aside. It is not proposed again by itself while the names, mailboxes and phones stay what they are.
 *
 * @throws StandingRefused when it is decided already
 */
export async function declineJoin(parts: JoinParts, proposal: string, decision: JoinDecision): Promise<void> {
  const reason = readReason(decision.reason);
  await parts.db.transaction().execute(async (trx) => {
    const pair = await lockOpen(trx, proposal);
    await decide(trx, pair, 'declined', { ...decision, reason }, parts.clock());
    await note(trx, parts, 'contact.declined', pair, { ...decision, reason }, { proposal });
  });
}

/**
 * Takes a contact from an account, however it came to it. The tokens with which its children could be fetched end in the same
 * transaction; nobody is signed out. It does not join by itself again. A closed account loses its last one too: whose contact it is in truth
 * could not register before.
 *
 * @param which a proposal that was accepted, or an account and a contact
 * @throws StandingRefused when the account does not have it, or is not closed and has no other
 */
export async function undoJoin(
  parts: JoinParts,
  which: { proposal: string } | { accountId: string; contactId: string },
  decision: JoinDecision,
): Promise<void> {
  const reason = readReason(decision.reason);
  await parts.db.transaction().execute(async (trx) => {
    const pair = 'proposal' in which ? await storedProposal(trx, which.proposal) : which;
    await lockAccount(trx, pair.accountId);
    const { rows } = await sql<{ contact_id: string; how: string }>`
      select contact_id, how from proven_contacts where account_id = ${pair.accountId}`.execute(trx);
    const proof = rows.find((row) => row.contact_id === pair.contactId);
    if (proof === undefined) throw new StandingRefused('The account does not have this contact.');
    if (rows.length === 1 && !(await isClosed(trx, pair.accountId))) {
      throw new StandingRefused(
        'It is the only contact of the account, and no account that is open is left without one: close the account first, with `accounts close`.',
      );
    }
    await sql`
      delete from proven_contacts where account_id = ${pair.accountId} and contact_id = ${pair.contactId}`.execute(trx);
    const found = await standing(trx, parts, pair);
    const evidence = { like: found?.evidence.like ?? '', obstacles: found?.evidence.obstacles ?? [] };
    const now = parts.clock();
    const proposal = await openProposal(trx, { ...pair, evidence, by: decision.actor, reason: null, now });
    await decide(trx, pair, 'undone', { ...decision, reason }, now);
    await endChildTokens(trx, [pair.accountId]);
    await note(trx, parts, 'contact.undone', pair, { ...decision, reason }, { proposal, how: proof.how });
  });
}

interface Pair {
  accountId: string;
  contactId: string;
}

async function storedProposal(trx: DatabaseTransaction, id: string): Promise<Pair & { decision: string | null }> {
  const row = uuid.test(id)
    ? await trx
        .selectFrom('join_proposals')
        .select(['account_id', 'contact_id', 'decision'])
        .where('id', '=', id.toLowerCase())
        .executeTakeFirst()
    : undefined;
  if (row === undefined) throw new StandingRefused('There is no such proposal; `contacts proposals` lists them.');
  return { accountId: row.account_id, contactId: row.contact_id, decision: row.decision };
}

/** The pair of a proposal that waits, which then is this transaction's to decide. */
async function lockOpen(trx: DatabaseTransaction, id: string): Promise<Pair> {
  const { accountId } = await storedProposal(trx, id);
  await lockAccount(trx, accountId);
  const { contactId, decision } = await storedProposal(trx, id);
  if (decision !== null) throw new StandingRefused(`The proposal is ${decision} already.`);
  return { accountId, contactId };
}

/** What changes the contacts of one account happens one after the other. */
async function lockAccount(trx: DatabaseTransaction, accountId: string): Promise<void> {
  // No stronger: what refers to the account is written meanwhile.
  await trx.selectFrom('accounts').select('id').where('id', '=', accountId).forNoKeyUpdate().executeTakeFirst();
}

async function isClosed(trx: DatabaseTransaction, accountId: string): Promise<boolean> {
  const account = await trx.selectFrom('accounts').select('disabled_as').where('id', '=', accountId).executeTakeFirst();
  return account?.disabled_as === 'closed';
}

async function unblocked(trx: DatabaseTransaction, time: JoinTime, pair: Pair) {
  const found = await standing(trx, time, pair);
  if (found === null) throw new StandingRefused('The account has no contact to compare with.');
  if (found.blocked !== null) throw new StandingRefused(sentences[found.blocked]);
  return found.evidence;
}

async function decide(
  trx: DatabaseTransaction,
  pair: Pair,
  as: 'accepted' | 'declined' | 'undone',
  { actor, reason }: JoinDecision,
  now: Date,
): Promise<void> {
  const seen = as === 'accepted' ? sql`null` : seenNow(pair.accountId, pair.contactId);
  await sql`
    update join_proposals set decision = ${as}, decided_at = ${now}, decided_by = ${actor}, reason = ${reason}, seen = ${seen}
    where account_id = ${pair.accountId} and contact_id = ${pair.contactId}`.execute(trx);
}

/** The one audit event of a decision. */
async function note(
  trx: DatabaseTransaction,
  { audit }: JoinParts,
  kind: string,
  { accountId, contactId }: Pair,
  { actor, reason }: JoinDecision,
  details: Record<string, unknown>,
): Promise<void> {
  await audit(trx, {
    kind,
    actor,
    subject: `account:${accountId}`,
    details: { contact: contactId, ...details, reason },
  });
}
