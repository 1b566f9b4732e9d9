import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { proveContact } from '../../src/families/joins.js';
import { everything, now } from '../sis/extract.js';

/** Empties what a suite of this room fills, and keeps its database. */
export async function emptyAll(db: Database): Promise<void> {
  for (const table of [
    'account_requests',
    'fresh_proofs',
    'address_answers',
    'consents',
    'letters_sent',
    ...everything,
    'deliveries',
    'revocations',
    'accounts',
  ]) {
    await sql`delete from ${sql.table(table)}`.execute(db);
  }
}

/** A contact's id by the id that its SIS gave it. */
export async function contactId(db: Database, sisId: string, sis = 'elementary'): Promise<string> {
  const { rows } = await sql<{ id: string }>`select id from contacts where sis_id = ${sisId} and sis = ${sis}`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`no contact ${sisId} in ${sis}`);
  return row.id;
}

/** Whose account it is to be; the rest is the same for all. */
export interface NewAccount {
  email: string;
  password_hash?: string;
  sign_in_name?: string;
  recovery_code_hash?: string;
  disabled_at?: Date;
  disabled_as?: 'suspended' | 'closed';
}

/** An account, and the contacts that it has proven. */
export async function account(db: Database, fields: NewAccount, ...contacts: string[]): Promise<string> {
  const { id } = await db
    .insertInto('accounts')
    .values({
      email_proven_at: now,
      sign_in_name: null,
      recovery_code_hash: null,
      password_hash: 'none',
      password_changed_at: now,
      given_name: 'Rosa',
      family_name: 'López',
      locale: 'en',
      terms_version: null,
      created_at: now,
      ...fields,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const proven of contacts) await proveContact(db, { accountId: id, contactId: proven, how: 'registration', now });
  return id;
}

/** A registration request that was decided for a contact. */
export async function activationOf(
  db: Database,
  contact: string,
  createdAt: Date,
  endedAt: Date | null = null,
): Promise<void> {
  await db
    .insertInto('account_requests')
    .values({
      kind: 'registration',
      browser_hash: 'x',
      identifier: null,
      phone: null,
      locale: 'en',
      client_id: null,
      interaction_uid: null,
      outcome: 'activate',
      contact_id: contact,
      account_id: null,
      token_hash: null,
      code_hash: null,
      claim_hash: null,
      created_at: createdAt,
      expires_at: new Date(createdAt.getTime() + 86_400_000),
      code_expires_at: createdAt,
      ended_at: endedAt,
    })
    .execute();
}
