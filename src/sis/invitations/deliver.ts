import { sql } from 'kysely';
import { invitationLetter } from '../../accounts/letters.js';
import type { Database } from '../../database/database.js';
import { localDate } from '../../families/entitlement.js';
import type { Worker } from '../../jobs/jobs.js';
import { negotiateLocale } from '../../locales/negotiate.js';
import { translator } from '../../locales/translate.js';
import { mayHaveArrived, refusesRecipient } from '../../mail/mailer.js';
import type { Mailer } from '../../mail/mailer.js';
import type { InvitationParts } from './draw.js';
import { invitableMailboxes } from './invitable.js';
import { noteBounce } from './suppress.js';

interface Claimed {
  email: string;
  language: string | null;
  message_id: string;
}

/**
 * The worker that mails one invitation. It has a queue of its own, so that a parent who waits for a link does not wait behind
 * thousands of invitations. At most once: it is marked before it is handed over, and where nobody knows whether it arrived (the
 * process died, the line broke in the middle) it is not sent again.
 *
 * @param portal the address that the letter names: the issuer, bare
 */
export function deliverInvitations(parts: InvitationParts, mailer: Mailer, portal: string): Worker {
  const { db } = parts;
  return async (payload) => {
    const id = String(payload['invitation']);
    const claimed = await db.transaction().execute((trx) => claim(trx, parts, id));
    if (claimed === null) return;
    const t = translator(negotiateLocale({ uiLocales: claimed.language ?? '' }));
    try {
      const messageId = claimed.message_id;
      await mailer.send({ to: claimed.email, messageId, ...invitationLetter(t, { portal }) });
    } catch (error) {
      if (refusesRecipient(error)) {
        await noteBounce(parts, { id }, 'refused');
        return;
      }
      // Where it stays marked, the next try of this job finds nothing to do.
      if (!mayHaveArrived(error)) await sql`update invitations set handed_at = null where id = ${id}`.execute(db);
      throw error;
    }
  };
}

/**
 * Marks an invitation as handed over, if it may still go out: a mail server may have been away for hours, in which a restriction came
 * or the parent registered. Else it is forgotten, and found again by a change or the next day.
 */
async function claim(trx: Database, parts: InvitationParts, id: string): Promise<Claimed | null> {
  const { clock, timeZone, studentDomains, settings } = parts;
  const { rows } = await sql<Claimed>`
    update invitations set handed_at = ${clock()} where id = ${id} and handed_at is null and bounced_at is null
    returning email, language, message_id`.execute(trx);
  const [claimed] = rows;
  if (claimed === undefined) return null;
  if (settings !== null) {
    const within = sql`c.email = ${claimed.email}`;
    const { sharedLimit } = settings;
    const today = localDate(clock(), timeZone);
    const still = await sql`
      select 1 from ${invitableMailboxes({ today, studentDomains, sharedLimit, within, own: id })} m`.execute(trx);
    if (still.rows.length > 0) return claimed;
  }
  await sql`delete from invitations where id = ${id}`.execute(trx);
  return null;
}
