import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { lastDayOf } from '../families/eligible-students.js';
import { localDate } from '../families/entitlement.js';

/** What ended with the rights of parents whose children are 18 now. */
export interface PassedRights {
  students: number;
  tokens: number;
}

/**
 * Ends the access tokens with which a student could be fetched whose rights have passed from the parents to the student (34 CFR 99.5),
 * each such day once, however late. Userinfo shows the student no more even before this. Nobody is signed out and no app is told: its next token
 * shows the children that are left. One event tells of it where anything ended.
 */
export async function endPassedRights(
  db: Database,
  { audit, clock, timeZone }: { audit: RecordEvent; clock: Clock; timeZone: string },
): Promise<PassedRights> {
  const now = clock();
  const today = localDate(now, timeZone);
  return await db.transaction().execute(async (trx) => {
    const ended = await sql<{ student_id: string }>`
      insert into rights_endings (student_id, last_day, ended_at)
      select o.id, o.last_day, ${now} from (
        select s.id, ${lastDayOf} as last_day from students s join feeds f on f.sis = s.sis
        where s.current and s.birth_date <= (${today}::date - interval '18 years')::date + 2
      ) o
      where o.last_day < ${today}::date
        and not exists (select from rights_endings e where e.student_id = o.id and e.last_day = o.last_day)
      order by o.id
      on conflict do nothing returning student_id`.execute(trx);
    const students = ended.rows.map((row) => row.student_id);
    if (students.length === 0) return { students: 0, tokens: 0 };
    const tokens = await sql`
      delete from artifacts where (kind, id_hash) in (
        select a.kind, a.id_hash from artifacts a
        where a.kind = 'AccessToken' and a.client_id in (select client_id from clients where reads_students)
          and a.account_id in (
            select p.account_id from relationships r join proven_contacts p on p.contact_id = r.contact_id
            where r.student_id = any(${students}::uuid[]))
        -- In the order in which a revocation takes them.
        order by a.kind, a.id_hash for update of a)`.execute(trx);
    const found = { students: students.length, tokens: Number(tokens.numAffectedRows ?? 0) };
    await audit(trx, { kind: 'rights.passed', actor: 'system', details: { today, ...found } });
    return found;
  });
}
