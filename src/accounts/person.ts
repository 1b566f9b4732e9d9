import { sql } from 'kysely';
import type { Database } from '../database/database.js';
import { mailboxState } from './account.js';

/** A person as the claims tell of them. */
export interface AccountPerson {
  accountId: string;
  givenName: string;
  familyName: string;
  locale: string;
  email: string;
  /** Only for an unshared, proven mailbox that no feed gave to somebody else. */
  emailVerified: boolean;
  /** The first phone a school holds for the person; nobody has proved it. */
  phone: string | null;
  updatedAt: Date;
}

/** Whether there is such an account and it is not disabled. */
export async function accountExists(db: Database, accountId: string): Promise<boolean> {
  const row = await db
    .selectFrom('accounts')
    .select('id')
    .where('id', '=', accountId)
    .where('disabled_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** @returns null when there is no such account or it is disabled */
export async function accountPerson(db: Database, accountId: string): Promise<AccountPerson | null> {
  const { rows } = await sql<{
    id: string;
    given_name: string;
    family_name: string;
    locale: string;
    email: string;
    phone: string | null;
    updated_at: Date;
  }>`
    select a.id, a.given_name, a.family_name, a.locale, a.email, greatest(a.created_at, a.email_proven_at) as updated_at,
      (select n.e164 from proven_contacts p
        join contacts c on c.id = p.contact_id and c.current
        join contact_phones n on n.contact_id = c.id and n.e164 is not null
        where p.account_id = a.id order by p.proven_at, c.sis, n.position limit 1) as phone
    from accounts a where a.id = ${accountId}::uuid and a.disabled_at is null`.execute(db);
  const row = rows[0];
  if (row === undefined) return null;
  const { shared, suspended } = await mailboxState(db, row);
  return {
    accountId: row.id,
    givenName: row.given_name,
    familyName: row.family_name,
    locale: row.locale,
    email: row.email,
    emailVerified: !shared && !suspended,
    phone: row.phone,
    updatedAt: row.updated_at,
  };
}
