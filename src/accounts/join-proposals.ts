import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { joinEvidence } from '../families/join-evidence.js';
import type { JoinEvidence, JoinObstacle } from '../families/join-evidence.js';
import type { StoredEvidence } from '../families/joins.js';

/** What is asked of the rule: the moment, and where a day begins. */
export interface JoinTime {
  clock: Clock;
  timeZone: string;
}

/** Why a proposal cannot be accepted now. */
export type JoinBlock = 'already-theirs' | 'another-account' | 'gone' | 'restricted' | 'account-disabled';

/** A contact that staff may join to an account, or have decided about. No name, e-mail or phone is in it. */
export interface JoinProposal {
  id: string;
  accountId: string;
  contact: { sis: string; id: string };
  proposedAt: Date;
  proposedBy: string;
  proposedReason: string | null;
  agrees: string[];
  obstacles: JoinObstacle[];
  /** Null where it can be accepted, and of one that is decided. */
  blocked: JoinBlock | null;
  decision: string | null;
  decidedAt: Date | null;
  decidedBy: string | null;
  reason: string | null;
}

/** How many are listed at most. */
export const mostProposals = 100;

interface StoredProposal extends Omit<JoinProposal, 'contact' | 'agrees' | 'obstacles' | 'blocked'> {
  contactId: string;
  sis: string;
  sisId: string;
  evidence: StoredEvidence;
}

/**
 * The proposals that wait, oldest first, with the evidence of this moment.
 *
 * @param all after them also those that are decided, the latest first, with the evidence that there was
 */
export async function listProposals(db: Database, time: JoinTime, all: boolean): Promise<JoinProposal[]> {
  const { rows } = await sql<StoredProposal>`
    select p.id, p.account_id as "accountId", p.contact_id as "contactId", c.sis, c.sis_id as "sisId", p.evidence,
      p.created_at as "proposedAt", p.proposed_by as "proposedBy", p.proposed_reason as "proposedReason",
      p.decision, p.decided_at as "decidedAt", p.decided_by as "decidedBy", p.reason
    from join_proposals p join contacts c on c.id = p.contact_id
    where ${all} or p.decided_at is null
    order by p.decided_at desc nulls first, p.created_at, p.id limit ${mostProposals}`.execute(db);
  const listed: JoinProposal[] = [];
  for (const { contactId, sis, sisId, evidence, ...proposal } of rows) {
    const now = proposal.decidedAt === null ? await standing(db, time, { ...proposal, contactId }) : null;
    const refused = evidence.obstacles.filter((obstacle) => obstacle === 'refused_before');
    const obstacles = now === null ? evidence.obstacles : [...now.evidence.obstacles, ...refused];
    listed.push({
      ...proposal,
      contact: { sis, id: sisId },
      agrees: agreeing(obstacles),
      obstacles,
      blocked: now?.blocked ?? null,
    });
  }
  return listed;
}

function agreeing(obstacles: readonly JoinObstacle[]): string[] {
  const pairs = [
    ['name', 'other_name'],
    ['mailbox', 'other_mailbox'],
    ['phone', 'other_phone'],
  ] as const;
  return pairs.filter(([, obstacle]) => !obstacles.includes(obstacle)).map(([fact]) => fact);
}

/**
 * The evidence of this moment for a contact and an account, and what forbids that they are joined.
 *
 * @returns null when the account has no other contact
 */
export async function standing(
  db: Database,
  { clock, timeZone }: JoinTime,
  { accountId, contactId }: { accountId: string; contactId: string },
): Promise<{ evidence: JoinEvidence; blocked: JoinBlock | null } | null> {
  const evidence = await joinEvidence(db, { accountId, contactId, now: clock(), timeZone });
  if (evidence === null) return null;
  const account = await db.selectFrom('accounts').select('disabled_at').where('id', '=', accountId).executeTakeFirst();
  return { evidence, blocked: blockOf(accountId, evidence, account?.disabled_at ?? null) };
}

function blockOf(accountId: string, evidence: JoinEvidence, disabledAt: Date | null): JoinBlock | null {
  if (evidence.provenBy === accountId) return 'already-theirs';
  if (evidence.provenBy !== null) return 'another-account';
  if (!evidence.current) return 'gone';
  if (evidence.personRestricted) return 'restricted';
  return disabledAt === null ? null : 'account-disabled';
}
