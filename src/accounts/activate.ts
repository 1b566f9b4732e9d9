import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { isStudentAddress, mailboxSharers, registrationCandidates } from '../families/candidates.js';
import { joinContacts, markJoinsDue, proveContact } from '../families/joins.js';
import { leaveFreshProof } from './fresh-proof.js';
import { lockMailbox } from './mailbox-lock.js';
import type { PasswordHasher } from './password-hasher.js';
import { recoveryCodeHash, recoveryCodeOf } from './recovery-code.js';
import { consumeRequest } from './claims.js';
import type { ClaimedRequest } from './requests.js';

/** What the parent is asked for beside a password, because the mailbox is not theirs alone. */
export interface ActivationNeeds {
  /** Another account signs in by this mailbox. */
  signInName: boolean;
  /** More than one person is on this mailbox: recovery will ask for a code that is shown now, and never later. */
  recoveryCode: boolean;
}

/**
 * @param request a claimed registration: its identifier is the address that its letter went to
 * @returns null where the school has another address for the contact by now: who reads the earlier one proves nothing of it, and learns
 *   nothing of it
 */
export async function activationNeeds(
  db: Database,
  { contactId, identifier: email }: Pick<ClaimedRequest, 'contactId' | 'identifier'>,
): Promise<(ActivationNeeds & { email: string }) | null> {
  if (contactId === null || email === null) return null;
  const contact = await db
    .selectFrom('contacts')
    .select('id')
    .where('id', '=', contactId)
    .where('email', '=', email)
    .executeTakeFirst();
  if (contact === undefined) return null;
  const accounts = await db.selectFrom('accounts').select('id').where('email', '=', email).execute();
  const persons = await mailboxSharers(db, email);
  return { email, signInName: accounts.length > 0, recoveryCode: accounts.length > 0 || persons.length > 1 };
}

const namePattern = /^[a-z0-9.-]{4,30}$/;

/** A sign-in name as it is kept, or null when it is unsuitable: 4 to 30 of `a-z 0-9 . -`. */
function signInName(typed: string): string | null {
  const name = typed.trim().toLowerCase();
  return namePattern.test(name) ? name : null;
}

export type Activated =
  | { kind: 'done'; accountId: string; proof: string; recoveryCode: string | null }
  /** The link is used up, or the school's record changed since it was sent. */
  | { kind: 'gone' }
  /** Taken and unsuitable read alike. */
  | { kind: 'name-refused' };

export interface Activation {
  request: ClaimedRequest;
  password: string;
  /** As typed; null where none is asked. */
  signInName: string | null;
  locale: string;
  timeZone: string;
  /** Lower-case domain names. */
  studentDomains: readonly string[];
  /** Chosen on a shared computer. */
  shared: boolean;
  secretsKey: Uint8Array;
}

/**
 * Makes the account of a claimed registration: one transaction for the account, its proven contact, what joins by
 * itself, the used-up request, the audit and the proof for this browser's next login prompt. What the school says is
 * asked once more: a contact that was restricted, proven or lost its right since the mail went out makes no account, nor does one whose
 * address was corrected, or is a student's or of several people by now.
 */
export async function activate(
  db: Database,
  clock: Clock,
  hasher: PasswordHasher,
  audit: RecordEvent,
  activation: Activation,
): Promise<Activated> {
  const passwordHash = await hasher.hash(activation.password);
  const { contactId } = activation.request;
  if (contactId === null) return { kind: 'gone' };
  return db.transaction().execute(async (trx) => {
    const now = clock();
    // Two requests for one mailbox at once take turns, so that the second sees the first's account.
    const contact = await lockContact(trx, contactId);
    if (contact === null || !(await stillRegistrable(trx, clock, contact, activation))) return { kind: 'gone' };
    const needs = await activationNeeds(trx, activation.request);
    if (needs === null) return { kind: 'gone' };
    const name = needs.signInName ? signInName(activation.signInName ?? '') : null;
    if (needs.signInName && (name === null || (await isTaken(trx, name)))) return { kind: 'name-refused' };
    if (!(await consumeRequest(trx, clock, activation.request.id))) return { kind: 'gone' };

    const recoveryCode = needs.recoveryCode ? recoveryCodeOf(activation.secretsKey, activation.request.id) : null;
    const { id: accountId } = await trx
      .insertInto('accounts')
      .values({
        email: needs.email,
        email_proven_at: now,
        sign_in_name: name,
        recovery_code_hash: recoveryCode === null ? null : recoveryCodeHash(recoveryCode),
        password_hash: passwordHash,
        password_changed_at: now,
        given_name: contact.given_name,
        family_name: contact.family_name,
        locale: activation.locale,
        terms_version: null,
        created_at: now,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await proveContact(trx, { accountId, contactId, how: 'registration', now });
    const joined = await joinContacts(trx, { accountId, contactId, now, timeZone: activation.timeZone });
    await markJoinsDue(trx, accountId);
    await endOtherRequests(trx, clock, contactId);
    await audit(trx, {
      kind: 'account.activated',
      actor: `account:${accountId}`,
      subject: `account:${accountId}`,
      details: { contact: contactId, joined },
    });
    const proof = await leaveFreshProof(trx, clock, accountId, {
      shared: activation.shared,
      browser: activation.request.browser,
    });
    return { kind: 'done', accountId, proof, recoveryCode };
  });
}

interface LockedContact {
  id: string;
  email: string;
  given_name: string;
  family_name: string;
}

async function lockContact(trx: Database, contactId: string): Promise<LockedContact | null> {
  const contact = await trx
    .selectFrom('contacts')
    .select(['id', 'email', 'given_name', 'family_name'])
    .where('id', '=', contactId)
    .where('current', '=', true)
    .executeTakeFirst();
  if (contact === undefined || contact.email === null) return null;
  await lockMailbox(trx, contact.email);
  return { ...contact, email: contact.email };
}

/** Whether the candidate rule would still send this activation, by any of the contact's phones. */
async function stillRegistrable(
  trx: Database,
  clock: Clock,
  contact: LockedContact,
  { timeZone, studentDomains }: Pick<Activation, 'timeZone' | 'studentDomains'>,
): Promise<boolean> {
  if (await isStudentAddress(trx, contact.email, studentDomains)) return false;
  const phones = await trx
    .selectFrom('contact_phones')
    .select('e164')
    .where('contact_id', '=', contact.id)
    .where('e164', 'is not', null)
    .execute();
  const question = { email: contact.email, now: clock(), timeZone };
  for (const { e164 } of phones) {
    const candidates = await registrationCandidates(trx, { ...question, e164: e164 ?? '' });
    const own = candidates.find((candidate) => candidate.contactId === contact.id);
    const clear = candidates.every(
      ({ restricted, provenBy, nameKey }) => !restricted && provenBy === null && nameKey === own?.nameKey,
    );
    if (own?.hasRight === true && clear) return true;
  }
  return false;
}

async function isTaken(trx: Database, name: string): Promise<boolean> {
  const row = await trx.selectFrom('accounts').select('id').where('sign_in_name', '=', name).executeTakeFirst();
  return row !== undefined;
}

/** Other live links to the same contact are of no use any more. */
async function endOtherRequests(trx: Database, clock: Clock, contactId: string): Promise<void> {
  await trx
    .updateTable('account_requests')
    .set({ ended_at: clock() })
    .where('contact_id', '=', contactId)
    .where('consumed_at', 'is', null)
    .where('ended_at', 'is', null)
    .execute();
}
