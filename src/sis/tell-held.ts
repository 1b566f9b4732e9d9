import { sql } from 'kysely';
import { heldRunLetter } from '../accounts/letters.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { translator } from '../locales/translate.js';
import type { PostLetter } from '../mail/outbox.js';
import type { PlanSummary } from './summary.js';

/** Mails the district's administrators, once, of each run that waits for their decision. */
export async function tellHeld(
  db: Database,
  { clock, post, administrators }: { clock: Clock; post: PostLetter; administrators: readonly string[] },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: string; feed: string; message: string | null; plan: PlanSummary | null }>`
      update feed_runs set told_at = ${clock()} where id in (
        select id from feed_runs where state = 'held' and told_at is null for update skip locked)
      returning id, feed, message, plan`.execute(trx);
    for (const run of rows) {
      const letter = heldRunLetter(translator('en'), {
        feed: run.feed,
        runId: run.id,
        findings: run.message ?? '',
        restrictions: run.plan?.newRestrictions ?? 0,
      });
      for (const to of administrators) await post(trx, { to, ...letter });
    }
  });
}
