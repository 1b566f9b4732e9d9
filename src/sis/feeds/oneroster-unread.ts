import { sql } from 'kysely';
import type { Database } from '../../database/database.js';
import type { StagedRun } from './format.js';

/**
 * What a bulk's file does not say any more is unknown, but not where a row of that file cannot be read: it may have said it. A refused right
 * would be unknown then, which some feeds' policy takes for a yes, and whoever turned 18 would have no birth date.
 */
export async function keepUnread(db: Database, { runId, sis, kind, unreadableIn }: StagedRun): Promise<void> {
  if (kind === 'delta') return;
  if (unreadableIn.has('rights')) {
    await sql`
      update staged_rows w set ed_rights = case when r.ed_rights is false then false else w.ed_rights end,
        portal_access = case when r.portal_access is false then false else w.portal_access end
      from relationships r join students s on s.id = r.student_id and s.sis = ${sis} join contacts c on c.id = r.contact_id
      where w.run_id = ${runId} and w.states_pair and w.part_of is not null and w.problem is null and w.states_rights
        and w.student_id = s.sis_id and w.contact_id = c.sis_id and (r.ed_rights is false or r.portal_access is false)`.execute(
      db,
    );
  }
  if (unreadableIn.has('demographics')) {
    await sql`
      update staged_rows w set birth_date = s.birth_date from students s
      where w.run_id = ${runId} and w.states_student and w.problem is null and w.birth_date is null
        and s.sis = ${sis} and s.sis_id = w.student_id and s.birth_date is not null`.execute(db);
  }
}
