import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { termsVersion } from './account.js';

/** What a person is to be shown between the sign-in and the app, at most once each. */
export interface Pending {
  /** The terms in force are not accepted yet. */
  terms: boolean;
  /** A contact joined the account, by itself or because staff accepted it, and the person was not told. */
  news: boolean;
  /**
   * The school has another e-mail for this person than the account uses, and the person was not asked. Also where another account uses that
   * one, which only who reads it is to learn. What was answered before the last change of the password may have been somebody's who knew the
   * earlier one, and counts no more; nor does a yes of which the link was lost and is forgotten by now.
   */
  address: string | null;
}

/**
 * Asks for all of it in one statement, because every sign-in to every app does.
 *
 * @param studentDomains as of `isStudentAddress`: what never registers never becomes an account's channel either
 */
export async function pendingFor(db: Database, accountId: string, studentDomains: readonly string[]): Promise<Pending> {
  const { rows } = await sql<{ terms: boolean; news: boolean; address: string | null }>`
    select a.terms_version is distinct from ${termsVersion} as terms,
      exists (select from proven_contacts p
        where p.account_id = a.id and p.how in ('join', 'staff') and p.told_at is null) as news,
      (select c.email from proven_contacts p join contacts c on c.id = p.contact_id and c.current
        where p.account_id = a.id and c.email is not null
          and not exists (select from proven_contacts q join contacts d on d.id = q.contact_id and d.current
            where q.account_id = a.id and d.email = a.email)
          and not exists (select from address_answers n where n.account_id = a.id and n.email = c.email
            and n.answered_at >= a.password_changed_at
            and (not n.used or exists (select from account_requests r where r.account_id = a.id and r.kind = 'address'
              and r.identifier = c.email and r.ended_at is null)))
          and not exists (select from students s where s.email_normal = c.email)
          and not exists (select from unnest(${[...studentDomains]}::text[]) as d(name)
            where right('.' || split_part(c.email, '@', 2), length(d.name) + 1) = '.' || d.name)
        order by c.sis limit 1) as address
    from accounts a where a.id = ${accountId}::uuid`.execute(db);
  return rows[0] ?? { terms: false, news: false, address: null };
}

/** Writes that the person was told what joined. */
export async function tellNews(db: Database, clock: Clock, accountId: string): Promise<void> {
  await sql`update proven_contacts set told_at = ${clock()}
    where account_id = ${accountId}::uuid and how in ('join', 'staff') and told_at is null`.execute(db);
}
