import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database, DatabaseTransaction } from '../database/database.js';
import { localDate } from '../families/entitlement.js';
import { revoke } from '../sessions/revoke.js';
import { placeHolds } from './restrictions.js';

/**
 * Tells the apps of restrictions and holds that came into force and were not told yet (decision 7): what apps that know children
 * hold of these accounts ends, so that each asks anew and sees only the children that are left; the parent stays signed in.
 *
 * @param today `YYYY-MM-DD` in the district's time zone: a restriction may begin on a later day than it was imposed
 * @returns how many accounts were concerned
 */
export async function tellRestrictions(
  trx: DatabaseTransaction,
  audit: RecordEvent,
  clock: Clock,
  today: string,
): Promise<number> {
  const now = clock();
  const begun = await sql<{ relationship_id: string }>`
    update restrictions set told_at = ${now}
    where id in (
      select id from restrictions
      where told_at is null and lifted_at is null and coalesce(starts_on <= ${today}::date, true)
      for update skip locked
    ) returning relationship_id`.execute(trx);
  // One that begins today holds from today, with an import or without.
  if (begun.rows.length > 0) await placeHolds(trx, now, today);
  const { rows } = await sql<{ account_id: string }>`
    with held as (
      update relationship_holds set told_at = ${now}
      where id in (select id from relationship_holds where told_at is null and decided_at is null for update skip locked)
      returning relationship_id
    )
    select distinct p.account_id
    from (select unnest(${begun.rows.map((row) => row.relationship_id)}::uuid[]) as relationship_id
      union select relationship_id from held) x
      join relationships r on r.id = x.relationship_id join proven_contacts p on p.contact_id = r.contact_id`.execute(
    trx,
  );
  if (rows.length === 0) return 0;
  const apps = await trx.selectFrom('clients').select('client_id').where('reads_students', '=', true).execute();
  const target = { apps: apps.map((app) => app.client_id), accounts: rows.map((row) => row.account_id) };
  await revoke(trx, audit, clock, target, 'restricted', 'system');
  return rows.length;
}

/**
 * Tells the apps when all can see the restrictions, so that no app reads in between what it is then not told to forget. What fails
 * here is told by the job of each minute.
 */
export async function tellApps(
  db: Database,
  { audit, clock, timeZone }: { audit: RecordEvent; clock: Clock; timeZone: string },
): Promise<void> {
  await db
    .transaction()
    .execute((trx) => tellRestrictions(trx, audit, clock, localDate(clock(), timeZone)))
    .catch(() => {});
}

/**
 * Ends the access tokens with which a child could be fetched whose relationship ended, or lost its right, in the import of that moment. The
 * parent stays signed in, and the app's next token shows the children that are left.
 */
export async function endLostRights(trx: Database, now: Date): Promise<void> {
  await sql`
    delete from artifacts where (kind, id_hash) in (
      select a.kind, a.id_hash from artifacts a
        join proven_contacts p on p.account_id = a.account_id join relationships r on r.contact_id = p.contact_id
      where a.kind = 'AccessToken' and a.client_id in (select client_id from clients where reads_students)
        and (r.ended_at = ${now} or (r.facts_loaded_at = ${now} and exists (
          select from relationship_rights x where x.relationship_id = r.id and not x.has_right)))
      -- In the order in which a revocation takes them.
      order by a.kind, a.id_hash for update of a)`.execute(trx);
}
