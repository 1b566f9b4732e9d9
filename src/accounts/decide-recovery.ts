import type { Database } from '../database/database.js';
import { mailboxSharers } from '../families/candidates.js';
import { normaliseEmail } from '../families/email.js';
import { accountByIdentifier, mailboxState, needsRecoveryCode } from './account.js';

/** What a recovery leads to; told by mail only. */
export type RecoveryOutcome =
  | { kind: 'recover'; accountId: string; to: string; needsCode: boolean }
  | { kind: 'in-person'; to: string }
  | { kind: 'earlier-address'; to: string }
  | { kind: 'silent' };

/**
 * The rule of recovery: only by the mailbox that the account proved. A mailbox that a feed gave to another person is no
 * channel; a shared one, or one that was shared when the account was made, needs the recovery code too; an address that only a feed holds for a known contact leads to the
 * earlier one. Accounts whose children are gone recover too.
 */
export async function decideRecovery(trx: Database, typed: string): Promise<RecoveryOutcome> {
  const account = await heldAccount(trx, typed);
  if (account !== null) {
    const mailbox = await mailboxState(trx, account);
    if (mailbox.suspended) return { kind: 'silent' };
    // A suspended or closed account is opened again by people, never by a letter.
    if (account.disabled_at !== null) return { kind: 'in-person', to: account.email };
    const needsCode = needsRecoveryCode(mailbox, account);
    if (needsCode && account.recovery_code_hash === null) return { kind: 'in-person', to: account.email };
    return { kind: 'recover', accountId: account.id, to: account.email, needsCode };
  }
  const normal = normaliseEmail(typed);
  if (!('email' in normal)) return { kind: 'silent' };
  // Confirmed, and yet nobody signs in by it: only the sign-in name leads further, and the school knows whose it is.
  const named = await trx
    .selectFrom('accounts')
    .select(['id', 'email'])
    .where('email', '=', normal.email)
    .executeTakeFirst();
  if (named !== undefined && !(await mailboxState(trx, named)).suspended)
    return { kind: 'in-person', to: normal.email };
  const persons = await mailboxSharers(trx, normal.email);
  const known = persons.some(({ contacts }) => contacts.some(({ provenBy }) => provenBy !== null));
  return known ? { kind: 'earlier-address', to: normal.email } : { kind: 'silent' };
}

/**
 * The account of what was typed, held to the end of the transaction: a change of its address at this moment is waited for and then
 * seen, or waits itself, and ends the link of which a letter goes to the earlier one.
 */
async function heldAccount(trx: Database, typed: string): ReturnType<typeof accountByIdentifier> {
  const found = await accountByIdentifier(trx, typed);
  if (found === null) return null;
  await trx.selectFrom('accounts').select('id').where('id', '=', found.id).forShare().execute();
  return accountByIdentifier(trx, typed);
}
