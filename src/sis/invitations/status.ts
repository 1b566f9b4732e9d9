import { sql } from 'kysely';
import type { Clock } from '../../database/clock.js';
import type { Database } from '../../database/database.js';
import { after } from '../../values.js';
import type { InvitationSettings } from './draw.js';

/** How far the invitations are. */
export interface InvitationStatus {
  /** Null where none are sent. */
  perHour: number | null;
  /** Mailboxes still to be invited, as of `countedAt`. */
  waiting: number;
  /** Written, and not yet handed to the mail server. */
  underWay: number;
  /** Handed to the mail server; those that came back too. */
  sent: number;
  bounced: number;
  /** Addresses that get none. */
  suppressed: number;
  /** When the contacts were last looked through; null before the first time. */
  countedAt: Date | null;
  /** When all that wait now will have been invited at this rate; null where none wait, or none are sent. */
  allBy: Date | null;
}

export async function invitationStatus(
  db: Database,
  clock: Clock,
  settings: InvitationSettings | null,
): Promise<InvitationStatus> {
  const { rows } = await sql<
    Record<'waiting' | 'underWay' | 'sent' | 'bounced' | 'suppressed', number> & { countedAt: Date | null }
  >`
    select (select count(*)::int from invitation_queue) as waiting,
      (select count(*)::int from invitations where handed_at is null) as "underWay",
      (select count(*)::int from invitations where handed_at is not null) as sent,
      (select count(*)::int from invitations where bounced_at is not null) as bounced,
      (select count(*)::int from mail_suppressions) as suppressed,
      (select swept_at from invitation_sweeps) as "countedAt"`.execute(db);
  const [found] = rows;
  if (found === undefined) throw new Error('Counting found nothing.');
  const allBy =
    settings === null || found.waiting === 0
      ? null
      : after(clock(), Math.ceil((found.waiting / settings.perHour) * 3_600));
  return { perHour: settings?.perHour ?? null, ...found, allBy };
}
