import { sql } from 'kysely';
import { heldRunLetter, refusedRunLetter } from '../accounts/letters.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { translator } from '../locales/translate.js';
import type { PostLetter } from '../mail/outbox.js';
import type { PlanSummary } from './summary.js';

/** A refusal is told within this time, and the same of the same feed not again in it (ms). */
const day = 86_400_000;

/**
 * Mails the district's administrators, once, of each run that waits for their decision, and of a file that was refused whole when nobody stood
 * by: by its schedule or in its folder. One that is refused again and again, with the same words, is told once a day.
 */
export async function tellHeld(
  db: Database,
  { clock, post, administrators }: { clock: Clock; post: PostLetter; administrators: readonly string[] },
): Promise<void> {
  const now = clock();
  const since = new Date(now.getTime() - day);
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{
      id: string;
      feed: string;
      state: 'held' | 'refused';
      message: string | null;
      plan: PlanSummary | null;
      again: boolean;
    }>`
      update feed_runs f set told_at = ${now} where id in (
        select id from feed_runs where told_at is null and (state = 'held'
          or state = 'refused' and actor in ('schedule', 'watch') and started_at > ${since}) for update skip locked)
      returning id, feed, state, message, plan, exists (
        select 1 from feed_runs b where b.feed = f.feed and b.no < f.no and b.state = 'refused' and b.message = f.message
          and b.actor in ('schedule', 'watch') and b.started_at > ${since}) as again`.execute(trx);
    for (const { id, feed, state, message, plan, again } of rows) {
      if (state === 'refused' && again) continue;
      const t = translator('en');
      const findings = message ?? '';
      const letter =
        state === 'refused'
          ? refusedRunLetter(t, { feed, findings })
          : heldRunLetter(t, { feed, runId: id, findings, restrictions: plan?.newRestrictions ?? 0 });
      for (const to of administrators) await post(trx, { to, ...letter });
    }
  });
}
