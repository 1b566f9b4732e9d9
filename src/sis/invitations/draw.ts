import { sql } from 'kysely';
import type { RecordEvent } from '../../audit/audit.js';
import type { Clock } from '../../database/clock.js';
import type { Database, DatabaseTransaction } from '../../database/database.js';
import { localDate } from '../../families/entitlement.js';
import type { Jobs } from '../../jobs/jobs.js';
import { after } from '../../values.js';
import { invitableMailboxes } from './invitable.js';
import { sweepMailboxes } from './sweep.js';

export const invitationMailQueue = 'invitation-mail';

/** What the operator set. */
export interface InvitationSettings {
  perHour: number;
  sharedLimit: number;
}

export interface InvitationParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
  jobs: Pick<Jobs, 'send' | 'wake'>;
  timeZone: string;
  studentDomains: readonly string[];
  /** Null where none are to be sent. */
  settings: InvitationSettings | null;
  /** The part of a Message-ID after the `@`: the sender's domain. */
  mailDomain: string;
}

/** An invitation whose mail job was given up (its tries span a day and a half) makes way for another. */
const givenUpAfter = 3 * 86_400;

/**
 * The work of each minute: fills the queue when something changed, and invites as many as the rate lets. Whoever does this at
 * the same moment at another instance waits, and then sees what was done here.
 *
 * @returns how many were invited
 */
export async function drawInvitations(parts: InvitationParts): Promise<number> {
  const { db, settings } = parts;
  if (settings === null) return 0;
  const now = parts.clock();
  await inTurn(db, (trx) => forgetGivenUp(trx, now));
  await sweepMailboxes((work) => inTurn(db, work), question(parts, settings), now);
  const drawn = await inTurn(db, (trx) => draw(trx, parts, settings));
  if (drawn > 0) parts.jobs.wake(invitationMailQueue);
  return drawn;
}

function inTurn<Result>(db: Database, work: (trx: DatabaseTransaction) => Promise<Result>): Promise<Result> {
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('invitations', 0))`.execute(trx);
    return work(trx);
  });
}

function question(parts: InvitationParts, settings: InvitationSettings) {
  const { clock, timeZone, studentDomains } = parts;
  return { today: localDate(clock(), timeZone), studentDomains, sharedLimit: settings.sharedLimit };
}

async function forgetGivenUp(trx: DatabaseTransaction, now: Date): Promise<void> {
  const { rows } = await sql<{ email: string }>`
    delete from invitations where handed_at is null and queued_at < ${after(now, -givenUpAfter)} returning email`.execute(
    trx,
  );
  const emails = rows.map(({ email }) => email);
  await sql`insert into invitation_queue (email, changed_at) select unnest(${emails}::text[]), ${now}
    on conflict (email) do nothing`.execute(trx);
}

/** How many may be invited now: a sixtieth of the rate, and never more than the rate in any hour. */
async function room(trx: DatabaseTransaction, now: Date, perHour: number): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from invitations where queued_at > ${after(now, -3_600)}`.execute(trx);
  return Math.max(0, Math.min(perHour - Number(rows[0]?.count ?? 0), Math.ceil(perHour / 60)));
}

/**
 * Takes the next mailboxes from the queue, judges each again by what the feeds say at this moment, and writes invitations and mail
 * jobs. The newest change comes first; within one import the order is by lot.
 */
async function draw(trx: DatabaseTransaction, parts: InvitationParts, settings: InvitationSettings): Promise<number> {
  const now = parts.clock();
  const most = await room(trx, now, settings.perHour);
  if (most === 0) return 0;
  const fit = invitableMailboxes({
    ...question(parts, settings),
    within: sql`c.email in (select email from drawn)`,
  });
  // More are looked at than may be invited: some have changed since they were put there.
  const { rows } = await sql<{ id: string }>`
    with drawn as materialized (
      select email, changed_at, lot from invitation_queue order by changed_at desc, lot limit ${most * 4 + 50}
    ), fit as materialized (
      select m.email, m.language, row_number() over (order by d.changed_at desc, d.lot) as turn
      from ${fit} m join drawn d on d.email = m.email
    ), twin as (
      -- One person by two mailboxes that came at once: the first is invited, and then the second is no more to be.
      select distinct b.email from fit a join contacts x on x.email = a.email
        join contact_phones xn on xn.contact_id = x.id join contact_phones yn on yn.e164 = xn.e164
        join contacts y on y.id = yn.contact_id and y.name_key = x.name_key
        join fit b on b.email = y.email and b.turn > a.turn
    ), chosen as (
      select email, language from fit where email not in (select email from twin) order by turn limit ${most}
    ), gone as (
      delete from invitation_queue q using drawn d where q.email = d.email
        and (not exists (select 1 from fit where fit.email = d.email) or exists (select 1 from chosen c where c.email = d.email))
    )
    insert into invitations (email, language, message_id, queued_at)
    select email, language, '<' || gen_random_uuid() || '@' || ${parts.mailDomain} || '>', ${now} from chosen
    on conflict (email) where lifted_at is null do nothing
    returning id`.execute(trx);
  for (const { id } of rows) await parts.jobs.send(trx, invitationMailQueue, { invitation: id });
  if (rows.length > 0) {
    await parts.audit(trx, { kind: 'invitations.queued', actor: 'system', details: { count: rows.length } });
  }
  return rows.length;
}
