import type { RecordEvent } from './audit/audit.js';
import type { Config } from './config.js';
import type { Clock } from './database/clock.js';
import type { Database } from './database/database.js';
import type { Sealer } from './database/secrets.js';
import type { Jobs, Schedule, Worker } from './jobs/jobs.js';
import { smtpMailer } from './mail/mailer.js';
import { mailQueue, mailWorker, outbox } from './mail/outbox.js';
import type { FeedsFile } from './sis/feeds-file.js';
import { deliverInvitations } from './sis/invitations/deliver.js';
import { drawInvitations, invitationMailQueue } from './sis/invitations/draw.js';
import type { InvitationSettings } from './sis/invitations/draw.js';
import { suppressRefused } from './sis/invitations/suppress.js';
import { tellHeld } from './sis/tell-held.js';
import { tellRightsEnd } from './sis/tell-rights-end.js';

const invitationQueue = 'invitations';
const heldQueue = 'held-runs';
const rightsQueue = 'rights-end';

/** What the feeds file says of invitations; null where none are sent. */
export function invitationSettings({ invitations }: FeedsFile): InvitationSettings | null {
  return invitations === undefined ? null : { perHour: invitations.per_hour, sharedLimit: invitations.shared_limit };
}

/**
 * Letters that somebody asked for; each minute those about runs that wait, and the invitations, where the feeds file has a rate for them;
 * each morning in the district those about rights that end soon.
 */
export function mailJobs({
  db,
  clock,
  audit,
  jobs,
  smtpUrl,
  sealer,
  config,
  feeds,
}: {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
  jobs: Jobs;
  smtpUrl: string;
  sealer: Sealer;
  config: Config;
  feeds: FeedsFile;
}): { workers: Record<string, Worker>; schedules: Schedule[]; close(): void } {
  const asked = smtpMailer(smtpUrl, config.mailFrom);
  // What nobody asked for is handed over once.
  const unasked = smtpMailer(smtpUrl, config.mailFrom, { once: true });
  const post = outbox(jobs, sealer);
  const settings = invitationSettings(feeds);
  const parts = {
    db,
    clock,
    audit,
    jobs,
    timeZone: config.timeZone,
    studentDomains: feeds.student_domains,
    settings,
    mailDomain: /@([a-z0-9.-]+)/i.exec(config.mailFrom)?.[1] ?? new URL(config.issuer).hostname,
  };
  return {
    workers: {
      [mailQueue]: mailWorker(asked, sealer, (address) => suppressRefused(parts, address)),
      [heldQueue]: () => tellHeld(db, { clock, post, administrators: feeds.administrators }),
      [rightsQueue]: async () => {
        await tellRightsEnd({ ...parts, post, administrators: feeds.administrators });
        jobs.wake(mailQueue);
      },
      [invitationQueue]: async () => void (await drawInvitations(parts)),
      [invitationMailQueue]: deliverInvitations(parts, unasked, config.issuer),
    },
    schedules: [
      ...[heldQueue, ...(settings === null ? [] : [invitationQueue])].map((queue) => ({
        queue,
        key: 'all',
        cron: '* * * * *',
        timeZone: 'UTC',
        payload: {},
      })),
      { queue: rightsQueue, key: 'all', cron: '0 9 * * *', timeZone: config.timeZone, payload: {} },
    ],
    close() {
      asked.close();
      unasked.close();
    },
  };
}
