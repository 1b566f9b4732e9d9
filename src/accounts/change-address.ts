import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { newSecret, secretHash } from '../database/secrets.js';
import { isStudentAddress } from '../families/candidates.js';
import type { Translate } from '../locales/translate.js';
import type { PostLetter } from '../mail/outbox.js';
import { holdLiveSession, isLasting } from '../sessions/live-session.js';
import { after, values } from '../values.js';
import { mailboxState } from './account.js';
import { addressChangedLetter, addressLetter } from './letters.js';
import { lockMailbox } from './mailbox-lock.js';
import { pendingFor } from './pending.js';

/** What confirming a new address works with. */
export interface AddressParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
  post: PostLetter;
  issuer: string;
  /** Lower-case domain names. */
  studentDomains: readonly string[];
}

/**
 * Writes what a person answered to "the school has another e-mail for you"; each address is asked about once, and again
 * after a change of the password, or where a link was lost.
 *
 * @param session in which it is said, and by which cookie; one that ends at this moment answers nothing any more: the answer would be one
 *   after a new password. Nor does an outdated cookie, which somebody may have copied before that
 * @param use whether to send the new address a link; until that is opened nothing changes
 * @returns the address, or null when there is none to answer about
 */
export async function answerAddress(
  parts: AddressParts,
  t: Translate,
  session: { uid: string; accountId: string; cookie: string },
  use: boolean,
): Promise<string | null> {
  const { db, clock, post, issuer } = parts;
  const { accountId } = session;
  return db.transaction().execute(async (trx) => {
    // Of two tabs that answer at once the second finds it answered, because this holds the account.
    if (!(await holdLiveSession(trx, session))) return null;
    if (!(await isLasting(trx, session.cookie))) return null;
    const { address } = await pendingFor(trx, accountId, parts.studentDomains);
    if (address === null) return null;
    const now = clock();
    await trx
      .insertInto('address_answers')
      .values({ account_id: accountId, email: address, used: use, answered_at: now })
      .onConflict((conflict) => conflict.columns(['account_id', 'email']).doUpdateSet({ used: use, answered_at: now }))
      .execute();
    if (!use || (await hasLiveLink(trx, { accountId, address, now }))) return address;
    const token = newSecret();
    await trx
      .insertInto('account_requests')
      .values({
        kind: 'address',
        browser_hash: '',
        identifier: address,
        phone: null,
        locale: 'en',
        client_id: null,
        interaction_uid: null,
        outcome: 'address',
        contact_id: null,
        account_id: accountId,
        token_hash: secretHash(token),
        code_hash: null,
        claim_hash: null,
        created_at: now,
        expires_at: after(now, values.activationLink),
        code_expires_at: now,
      })
      .execute();
    await post(trx, { to: address, ...addressLetter(t, { link: `${issuer}/confirm-email?token=${token}` }) });
    return address;
  });
}

/** Whether the link of an earlier yes is good still: whoever changes the password to be asked again and again buries no mailbox in letters. */
async function hasLiveLink(
  trx: Database,
  { accountId, address, now }: { accountId: string; address: string; now: Date },
): Promise<boolean> {
  const link = await trx
    .selectFrom('account_requests')
    .select('id')
    .where('account_id', '=', accountId)
    .where('kind', '=', 'address')
    .where('identifier', '=', address)
    .where('expires_at', '>', now)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return link !== undefined;
}

export type AddressChange = { kind: 'done'; email: string } | { kind: 'expired' | 'used' | 'session' | 'taken' };

/**
 * Makes a confirmed address the account's own: proof at the new one, notice to the old one. The link is of no use in a
 * session of anybody else.
 *
 * @param session in which it is said, or null; one that ends at this moment changes nothing any more
 */
export async function confirmAddress(
  parts: AddressParts,
  t: Translate,
  token: string,
  session: { uid: string; accountId: string } | null,
): Promise<AddressChange> {
  const { db, clock, audit, post } = parts;
  return db.transaction().execute(async (trx) => {
    const now = clock();
    const accountId = session !== null && (await holdLiveSession(trx, session)) ? session.accountId : null;
    const request = await trx
      .selectFrom('account_requests')
      .select(['id', 'account_id', 'identifier', 'consumed_at'])
      .where('token_hash', '=', secretHash(token))
      .where('kind', '=', 'address')
      .where('expires_at', '>', now)
      .where('ended_at', 'is', null)
      .forUpdate()
      .executeTakeFirst();
    if (request !== undefined && request.consumed_at !== null) {
      // Where the answer was lost, or the form came twice, its owner hears what became of it.
      if (request.account_id === null || request.account_id !== accountId) return { kind: 'used' };
      const own = await trx
        .selectFrom('accounts')
        .select('email')
        .where('id', '=', accountId)
        .executeTakeFirstOrThrow();
      return { kind: 'done', email: own.email };
    }
    if (request === undefined || request.identifier === null || request.account_id === null) return { kind: 'expired' };
    if (request.account_id !== accountId) return { kind: 'session' };
    const email = request.identifier;
    // A registration by the same mailbox takes its turn.
    await lockMailbox(trx, email);
    const taken = await trx.selectFrom('accounts').select('id').where('email', '=', email).executeTakeFirst();
    // The school may have said only since the letter went out that it is a student's.
    if (taken !== undefined || (await isStudentAddress(trx, email, parts.studentDomains))) return { kind: 'taken' };
    // Nor is it theirs any more where the school corrected it since, or staff took away the contact that it came with.
    if (!(await isOfContact(trx, accountId, email))) return { kind: 'expired' };
    const before = await trx
      .selectFrom('accounts')
      .select('email')
      .where('id', '=', accountId)
      .forUpdate()
      .executeTakeFirstOrThrow();
    // Nobody else signs in by this mailbox: who had to choose a name beside somebody else's signs in by it, as the page says.
    await trx
      .updateTable('accounts')
      .set({ email, email_proven_at: now, sign_in_name: null })
      .where('id', '=', accountId)
      .execute();
    // The code stood against who shared the mailbox before.
    if (!(await mailboxState(trx, { id: accountId, email })).shared) {
      await trx.updateTable('accounts').set({ recovery_code_hash: null }).where('id', '=', accountId).execute();
    }
    await trx
      .updateTable('account_requests')
      .set({ consumed_at: now, identifier: null })
      .where('id', '=', request.id)
      .execute();
    // A recovery link that lies in the old mailbox is of no use any more.
    await trx
      .updateTable('account_requests')
      .set({ ended_at: now })
      .where('account_id', '=', accountId)
      .where('consumed_at', 'is', null)
      .where('ended_at', 'is', null)
      .execute();
    await post(trx, { to: before.email, ...addressChangedLetter(t) });
    await audit(trx, {
      kind: 'account.address-changed',
      actor: `account:${accountId}`,
      subject: `account:${accountId}`,
    });
    return { kind: 'done', email };
  });
}

/** Whether a feed gives the address to a contact of the account now. */
async function isOfContact(trx: Database, accountId: string, email: string): Promise<boolean> {
  const contact = await trx
    .selectFrom('proven_contacts')
    .innerJoin('contacts', 'contacts.id', 'proven_contacts.contact_id')
    .select('contacts.id')
    .where('proven_contacts.account_id', '=', accountId)
    .where('contacts.email', '=', email)
    .where('contacts.current', '=', true)
    .executeTakeFirst();
  return contact !== undefined;
}
