import { sql } from 'kysely';
import { heldRunLetter, refusedRunLetter } from '../accounts/letters.js';
import type { Clock } from '../database/clock.js';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { translator } from '../locales/translate.js';
import type { PostLetter } from '../mail/outbox.js';
import type { PlanSummary } from './summary.js';

/** A refusal is told within this time, and the same of the same feed not again in it (ms). */
const day = 86_400_000;

/** A failure may be mended by itself, by the next try (ms). */
const mending = 1_800_000;

interface Untold {
  id: string;
  feed: string;
  state: 'held' | 'refused' | 'failed';
  message: string | null;
  plan: PlanSummary | null;
}

/**
 * Mails the district's administrators, once, of each run that waits for their decision, and of a file that was refused whole, or at which the
 * import broke off and was not mended within half an hour, when nobody stood by: by its schedule or in its folder. One that comes to this again
 * and again, with the same words, is told once a day.
 */
export async function tellHeld(
  db: Database,
  { clock, post, administrators }: { clock: Clock; post: PostLetter; administrators: readonly string[] },
): Promise<void> {
  const now = clock();
  const since = new Date(now.getTime() - day);
  const mended = new Date(now.getTime() - mending);
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<Untold>`
      select id, feed, state, message, plan from feed_runs f where told_at is null and (state = 'held'
        or actor in ('schedule', 'watch') and started_at > ${since} and (state = 'refused' or state = 'failed' and started_at <= ${mended}
          and not exists (select 1 from feed_runs g where g.feed = f.feed and g.no > f.no
            and g.state in ('applied', 'unchanged', 'held', 'rolled_back'))))
      order by no for update skip locked`.execute(trx);
    for (const run of rows) {
      if (run.state !== 'held' && (await isTold(trx, run, since))) continue;
      for (const to of administrators) await post(trx, { to, ...letterOf(run) });
      await sql`update feed_runs set told_at = ${now} where id = ${run.id}`.execute(trx);
    }
  });
}

async function isTold(trx: DatabaseTransaction, { feed, state, message }: Untold, since: Date): Promise<boolean> {
  const { rows } = await sql`
    select 1 from feed_runs where feed = ${feed} and state = ${state} and message = ${message} and told_at > ${since} limit 1`.execute(
    trx,
  );
  return rows.length > 0;
}

function letterOf({ id, feed, state, message, plan }: Untold) {
  const t = translator('en');
  const findings = message ?? '';
  return state === 'held'
    ? heldRunLetter(t, { feed, runId: id, findings, restrictions: plan?.newRestrictions ?? 0 })
    : refusedRunLetter(t, { feed, findings });
}
