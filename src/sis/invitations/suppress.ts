import { sql } from 'kysely';
import type { RecordEvent } from '../../audit/audit.js';
import type { Clock } from '../../database/clock.js';
import type { Database } from '../../database/database.js';

/** What suppressions stand on. */
export interface SuppressionParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
}

/** Why an address gets no invitation: the mail server refused it, or a delivery report came back. */
type Because = 'refused' | 'reported';

async function suppress(trx: Database, clock: Clock, email: string, because: Because): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    insert into mail_suppressions (email, because, suppressed_at) values (${email}, ${because}, ${clock()})
    on conflict (email) do nothing returning id`.execute(trx);
  return rows[0]?.id ?? null;
}

/**
 * Notes that a mail server refused an address for good when a letter went there that a person asked for. Only invitations stay
 * away from it: who asks for an activation or a recovery gets a try each time, because a mailbox that was full or mistaken for a
 * spammer's is that person's only way in.
 */
export async function suppressRefused({ db, clock, audit }: SuppressionParts, email: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const id = await suppress(trx, clock, email, 'refused');
    if (id !== null) await audit(trx, { kind: 'mail.suppressed', actor: 'system', subject: `suppression:${id}` });
  });
}

/**
 * Notes that an invitation came back.
 *
 * @param which the invitation's id, or the Message-ID that its letter had, with angle brackets
 * @returns false where there is no such invitation that went out, or it is known already
 */
export async function noteBounce(
  { db, clock, audit }: SuppressionParts,
  which: { id: string } | { messageId: string },
  because: Because,
): Promise<boolean> {
  const named = 'id' in which ? sql`id = ${which.id}` : sql`message_id = ${which.messageId}`;
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: string; email: string }>`
      update invitations set bounced_at = ${clock()}
      where ${named} and handed_at is not null and bounced_at is null and lifted_at is null returning id, email`.execute(
      trx,
    );
    const [invitation] = rows;
    if (invitation === undefined) return false;
    await suppress(trx, clock, invitation.email, because);
    await audit(trx, {
      kind: 'invitation.bounced',
      actor: because === 'reported' ? 'operator' : 'system',
      subject: `invitation:${invitation.id}`,
      details: { because },
    });
    return true;
  });
}

/**
 * Lets an address be invited again, also where its invitation came back.
 *
 * @param email normalised
 * @returns false where it is not suppressed
 */
export async function unsuppress({ db, clock, audit }: SuppressionParts, email: string): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{
      id: string;
    }>`delete from mail_suppressions where email = ${email} returning id`.execute(trx);
    const [suppression] = rows;
    if (suppression === undefined) return false;
    await sql`update invitations set lifted_at = ${clock()}
      where email = ${email} and bounced_at is not null and lifted_at is null`.execute(trx);
    // Whether it may be is judged when its turn comes.
    await sql`insert into invitation_queue (email, changed_at) values (${email}, ${clock()})
      on conflict (email) do nothing`.execute(trx);
    await audit(trx, { kind: 'mail.unsuppressed', actor: 'operator', subject: `suppression:${suppression.id}` });
    return true;
  });
}
