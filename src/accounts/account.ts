import type { Database } from '../database/database.js';
import { isStudentAddress, mailboxSharers } from '../families/candidates.js';
import { normaliseEmail } from '../families/email.js';

/** The terms of use in force; who accepted another version is asked again. */
export const termsVersion = '2026-11-01';

/** What an account's mailbox is worth at this moment. */
export interface MailboxState {
  /** Two current contacts who are not one person, two accounts, or this one and a student are on it. */
  shared: boolean;
  /** A feed gave it to another person, or to a student, and took it from this one: it is no channel of this account any more. */
  suspended: boolean;
}

/**
 * Judges an account's mailbox by what the feeds and the accounts say now, so that no stored flag can be out of date.
 */
export async function mailboxState(db: Database, account: { id: string; email: string }): Promise<MailboxState> {
  const persons = await mailboxSharers(db, account.email);
  const others = persons.filter(({ contacts }) => contacts.every(({ provenBy }) => provenBy !== account.id));
  const isHeld = others.length < persons.length;
  // The domains of students make no difference here: nobody registers by them, and no feed moves an account to one.
  const ofStudent = await isStudentAddress(db, account.email, []);
  const accounts = await db
    .selectFrom('accounts')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('email', '=', account.email)
    .executeTakeFirstOrThrow();
  return {
    shared: persons.length > 1 || Number(accounts.count) > 1 || (ofStudent && isHeld),
    suspended: !isHeld && (others.length > 0 || ofStudent),
  };
}

/**
 * Whether a recovery must show the account's recovery code. One that has a code shared its mailbox: whoever was on it may read it still,
 * whatever the feeds say of them now.
 */
export function needsRecoveryCode({ shared }: MailboxState, account: { recovery_code_hash: string | null }): boolean {
  return shared || account.recovery_code_hash !== null;
}

/**
 * The account that signs in with what was typed: an e-mail (the mailbox's earlier account) or a sign-in name.
 *
 * @returns null when there is none
 */
export async function accountByIdentifier(db: Database, typed: string) {
  const query = db
    .selectFrom('accounts')
    .select([
      'id',
      'email',
      'sign_in_name',
      'password_hash',
      'recovery_code_hash',
      'locale',
      'given_name',
      'disabled_at',
      'session_generation',
    ]);
  if (!typed.normalize('NFKC').includes('@')) {
    return (await query.where('sign_in_name', '=', typed.trim().toLowerCase()).executeTakeFirst()) ?? null;
  }
  const normal = normaliseEmail(typed);
  if (!('email' in normal)) return null;
  return (await query.where('email', '=', normal.email).where('sign_in_name', 'is', null).executeTakeFirst()) ?? null;
}

/** One form of what was typed, for limits: the same mailbox written in two ways is one key. */
export function identifierKey(typed: string): string {
  const normal = normaliseEmail(typed);
  return 'email' in normal ? normal.email : typed.trim().toLowerCase().slice(0, 320);
}

/** Writes that an account accepts the terms in force. */
export async function acceptTerms(db: Database, accountId: string, now: Date): Promise<void> {
  await db
    .updateTable('accounts')
    .set({ terms_version: termsVersion, terms_accepted_at: now })
    .where('id', '=', accountId)
    .execute();
}
