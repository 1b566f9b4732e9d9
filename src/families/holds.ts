import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';

/** A relationship that is closed because of a restriction that stands elsewhere, until staff decide. Ids are the SISs' own. */
export interface Hold {
  id: string;
  /** `SIS:ID`. */
  contact: string;
  student: string;
  /** The restriction behind it: what it is, and whose relationship with whom it is on. */
  cause: { type: string; contact: string; student: string; lifted: boolean };
  placedAt: Date;
  decidedAt: Date | null;
}

/** Holds shown at once. */
export const mostHolds = 200;

/**
 * The holds that wait for a decision, the oldest first.
 *
 * @param which `contact`: only those on or because of a contact (`SIS:ID`); `all`: also those decided, after the others, the latest first
 */
export async function listHolds(
  db: Database,
  { contact, all }: { contact: string | null; all: boolean },
): Promise<Hold[]> {
  const { rows } = await sql<Omit<Hold, 'cause'> & { type: string; by: string; about: string; lifted: boolean }>`
    select h.id, c.sis || ':' || c.sis_id as contact, s.sis || ':' || s.sis_id as student, x.type,
      c2.sis || ':' || c2.sis_id as by, s2.sis || ':' || s2.sis_id as about, x.lifted_at is not null as lifted,
      h.placed_at as "placedAt", h.decided_at as "decidedAt"
    from relationship_holds h join relationships r on r.id = h.relationship_id
      join contacts c on c.id = r.contact_id join students s on s.id = r.student_id
      join restrictions x on x.id = h.cause_restriction_id join relationships r2 on r2.id = x.relationship_id
      join contacts c2 on c2.id = r2.contact_id join students s2 on s2.id = r2.student_id
    where (${all} or h.decided_at is null)
      and (${contact}::text is null or ${contact} in (c.sis || ':' || c.sis_id, c2.sis || ':' || c2.sis_id))
    order by h.decided_at desc nulls first, h.placed_at, h.id limit ${mostHolds}`.execute(db);
  return rows.map(({ type, by, about, lifted, ...hold }) => ({
    ...hold,
    cause: { type, contact: by, student: about, lifted },
  }));
}

/** The hold cannot be released; the message is one sentence. */
export class HoldRefused extends Error {}

/**
 * Releases a hold: the relationship counts again by its own rights, and the same restriction does not hold it again, unless it becomes a
 * protection order. What else holds or restricts it
 * still does.
 *
 * @throws HoldRefused when there is none, or it is decided already
 */
export async function releaseHold(
  db: Database,
  { clock, audit }: { clock: Clock; audit: RecordEvent },
  holdId: string,
  { actor, reason }: { actor: string; reason: string },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const now = clock();
    const { rows } = await sql<{ relationship_id: string; cause_restriction_id: string }>`
      update relationship_holds set decided_at = ${now}, decision = 'released'
      where id::text = ${holdId} and decided_at is null returning relationship_id, cause_restriction_id`.execute(trx);
    const [hold] = rows;
    if (hold === undefined) {
      const known = await sql`select 1 from relationship_holds where id::text = ${holdId}`.execute(trx);
      throw new HoldRefused(known.rows.length === 0 ? 'There is no such hold.' : 'The hold is released already.');
    }
    const details = { relationship: hold.relationship_id, restriction: hold.cause_restriction_id, reason };
    await audit(trx, { kind: 'hold.released', actor, subject: `hold:${holdId}`, details });
  });
}
