import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { markJoinsDue } from '../families/joins.js';
import type { Revoked } from '../sessions/revoke.js';
import { accountByIdentifier } from './account.js';
import { endEverything } from './end-everything.js';

/** What an operator asked of an account cannot be done; the message is one sentence. */
export class StandingRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StandingRefused';
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** The longest reason, in characters. */
const longestReason = 200;

/**
 * Finds an account by its id, its e-mail or its sign-in name.
 *
 * @returns its id
 * @throws StandingRefused when there is none, or two have that e-mail: whoever gave it need not be the one who signs in by it. What was typed
 *   is not repeated
 */
export async function findAccount(db: Database, typed: string): Promise<string> {
  const byId = uuid.test(typed);
  const found = byId
    ? await db
        .selectFrom('accounts')
        .select(['id', 'email', 'sign_in_name'])
        .where('id', '=', typed.toLowerCase())
        .executeTakeFirst()
    : await accountByIdentifier(db, typed);
  if (found === undefined || found === null) throw new StandingRefused('There is no such account.');
  if (!byId && found.sign_in_name === null) await refuseShared(db, found.email);
  return found.id;
}

async function refuseShared(db: Database, email: string): Promise<void> {
  const accounts = await db
    .selectFrom('accounts')
    .select(['id', 'sign_in_name'])
    .where('email', '=', email)
    .orderBy('id')
    .execute();
  if (accounts.length < 2) return;
  const each = accounts.map(({ id, sign_in_name: name }) => `${id} (${name ?? 'signs in by the e-mail'})`).join(', ');
  throw new StandingRefused(`${accounts.length} accounts have this e-mail; say the id of the one you mean: ${each}.`);
}

/** Suspends an account (it can be reopened) or closes it; either way nothing of it works from this moment, and the apps are told. */
export async function disableAccount(
  db: Database,
  audit: RecordEvent,
  clock: Clock,
  change: { accountId: string; as: 'suspended' | 'closed'; reason: string; actor: string },
): Promise<Revoked> {
  const { accountId, as, actor } = change;
  const reason = readReason(change.reason);
  return db.transaction().execute(async (trx) => {
    const account = await trx
      .selectFrom('accounts')
      .select(['disabled_as', 'disabled_at'])
      .where('id', '=', accountId)
      // No stronger: what refers to the account, as deliveries do, is written meanwhile.
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (account === undefined) throw new StandingRefused('There is no such account.');
    if (account.disabled_as === as || account.disabled_as === 'closed') {
      throw new StandingRefused(`The account is ${account.disabled_as} already.`);
    }
    await trx
      .updateTable('accounts')
      .set({ disabled_at: clock(), disabled_as: as, disabled_reason: reason })
      .where('id', '=', accountId)
      .execute();
    const subject = `account:${accountId}`;
    await audit(trx, { kind: `account.${as}`, actor, subject, details: { reason } });
    return endEverything(trx, audit, clock, { accountId }, as, actor);
  });
}

/** Lets a suspended or closed account sign in again: same `sub`, same password. Nothing that was ended comes back. */
export async function reopenAccount(
  db: Database,
  audit: RecordEvent,
  change: { accountId: string; reason: string; actor: string },
): Promise<void> {
  const { accountId, actor } = change;
  const reason = readReason(change.reason);
  await db.transaction().execute(async (trx) => {
    const result = await trx
      .updateTable('accounts')
      .set({ disabled_at: null, disabled_as: null, disabled_reason: null })
      .where('id', '=', accountId)
      .where('disabled_at', 'is not', null)
      .executeTakeFirst();
    if (result.numUpdatedRows === 0n) throw new StandingRefused('The account is neither suspended nor closed.');
    // What its contacts came to be alike with in the meantime.
    await markJoinsDue(trx, accountId);
    await audit(trx, { kind: 'account.reopened', actor, subject: `account:${accountId}`, details: { reason } });
  });
}

/**
 * Why an operator does something, on one line.
 *
 * @throws StandingRefused when nothing is said, or more than 200 characters
 */
export function readReason(typed: string): string {
  const reason = typed.replace(/[\p{C}\s]+/gu, ' ').trim();
  if (reason === '') throw new StandingRefused('Say why, in a few words without names: --reason "…".');
  if (reason.length > longestReason) throw new StandingRefused(`A reason has ${longestReason} characters at most.`);
  return reason;
}
