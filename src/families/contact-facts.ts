import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import { holdsOn, localDate } from './entitlement.js';
import type { EntitlementQuestion } from './entitlement.js';

/** Something the SIS says about the account's holder, and where it comes from. */
export interface ContactFact {
  kind: 'email' | 'phone';
  value: string;
  sis: string;
  /** A school of a child that the account may see; null where there is none, or any child of the contact is protected. */
  schoolName: string | null;
  on: Date;
}

/**
 * The e-mail addresses and phones that the SISs hold for an account's contacts, newest first; each value once per SIS. The school of a
 * child that is closed to the account is told by none of them: who is restricted would learn where the child is.
 */
export async function contactFacts(
  db: Database,
  { accountId, now, timeZone }: EntitlementQuestion,
): Promise<ContactFact[]> {
  const today = localDate(now, timeZone);
  const { rows } = await sql<ContactFact>`
    select distinct on (fact.on, kind, value, sis) kind, value, sis, "schoolName", fact.on from (
      select v.kind, v.value, c.sis, v.on,
        case when not exists (select from relationships r join students s on s.id = r.student_id
            where r.contact_id = c.id and r.ended_at is null and s.confidential is true)
          then (select min(h.name) from entitlements e join students s on s.id = e.student_id join schools h on h.id = s.school_id
            where e.account_id = p.account_id and e.contact_id = c.id and ${holdsOn('e', today)}) end as "schoolName"
      from proven_contacts p join contacts c on c.id = p.contact_id cross join lateral (
        select 'email' as kind, c.email as value, c.email_loaded_at as on where c.email is not null
        union all
        select 'phone', coalesce(n.e164, n.raw), n.loaded_at from contact_phones n where n.contact_id = c.id
      ) v
      where p.account_id = ${accountId} and c.current
    ) fact order by fact.on desc, kind, value, sis`.execute(db);
  return rows;
}
