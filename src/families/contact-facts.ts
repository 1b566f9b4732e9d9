import { sql } from 'kysely';
import type { Database } from '../database/database.js';

/** Something the SIS says about the account's holder, and where it comes from. */
export interface ContactFact {
  kind: 'email' | 'phone';
  value: string;
  sis: string;
  /** A school that gave it; null where any child of the contact is protected, or it has no child now. */
  schoolName: string | null;
  on: Date;
}

/** The e-mail addresses and phones that the SISs hold for an account's contacts, newest first; each value once per SIS. */
export async function contactFacts(db: Database, accountId: string): Promise<ContactFact[]> {
  const { rows } = await sql<ContactFact>`
    select distinct on (fact.on, kind, value, sis) kind, value, sis, "schoolName", fact.on from (
      select v.kind, v.value, c.sis, v.on,
        (select case when bool_or(s.confidential is true) then null else min(h.name) end
          from relationships r join students s on s.id = r.student_id join schools h on h.id = s.school_id
          where r.contact_id = c.id and r.ended_at is null) as "schoolName"
      from proven_contacts p join contacts c on c.id = p.contact_id cross join lateral (
        select 'email' as kind, c.email as value, c.email_loaded_at as on where c.email is not null
        union all
        select 'phone', coalesce(n.e164, n.raw), n.loaded_at from contact_phones n where n.contact_id = c.id
      ) v
      where p.account_id = ${accountId} and c.current
    ) fact order by fact.on desc, kind, value, sis`.execute(db);
  return rows;
}
