import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { values } from '../values.js';
import { mailboxState, needsRecoveryCode } from './account.js';
import type { PasswordNotice } from './change-password.js';
import { endEverything } from './end-everything.js';
import { leaveFreshProof } from './fresh-proof.js';
import type { PasswordHasher } from './password-hasher.js';
import { recoveryCodeHash } from './recovery-code.js';
import { consumeRequest } from './claims.js';
import type { ClaimedRequest } from './requests.js';

/** Whether the account of a claimed recovery must show its recovery code, because its mailbox is shared, or was. */
export async function recoveryNeedsCode(db: Database, accountId: string): Promise<boolean> {
  const account = await db
    .selectFrom('accounts')
    .select(['id', 'email', 'recovery_code_hash'])
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  return needsRecoveryCode(await mailboxState(db, account), account);
}

export type Recovered =
  | { kind: 'done'; accountId: string; proof: string }
  | { kind: 'gone' }
  | { kind: 'code-refused' };

export interface Recovery {
  request: ClaimedRequest;
  password: string;
  /** As typed; null where none is asked. */
  recoveryCode: string | null;
  /** Chosen on a shared computer. */
  shared: boolean;
}

/**
 * Sets a new password by a claimed recovery. In one transaction every session and refresh token of the account ends and
 * the notice goes out; this browser gets a proof for its next login prompt.
 *
 * @param notice posts the letter that tells the owner
 */
export async function recover(
  db: Database,
  clock: Clock,
  hasher: PasswordHasher,
  audit: RecordEvent,
  notice: PasswordNotice,
  recovery: Recovery,
): Promise<Recovered> {
  const { accountId } = recovery.request;
  if (accountId === null) return { kind: 'gone' };
  const passwordHash = await hasher.hash(recovery.password);
  return db.transaction().execute(async (trx) => {
    const account = await trx
      .selectFrom('accounts')
      .select(['id', 'email', 'recovery_code_hash', 'disabled_at'])
      .where('id', '=', accountId)
      // No stronger: what refers to the account, as deliveries do, is written meanwhile.
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow();
    const mailbox = await mailboxState(trx, account);
    if (mailbox.suspended || account.disabled_at !== null) return { kind: 'gone' };
    if (needsRecoveryCode(mailbox, account)) {
      if (!(await spendCodeTry(trx, recovery.request.id))) return { kind: 'gone' };
      const given = recoveryCodeHash(recovery.recoveryCode ?? '');
      if (account.recovery_code_hash !== given) return { kind: 'code-refused' };
    }
    if (!(await consumeRequest(trx, clock, recovery.request.id))) return { kind: 'gone' };
    const now = clock();
    await trx
      .updateTable('accounts')
      .set({ password_hash: passwordHash, password_changed_at: now })
      .where('id', '=', accountId)
      .execute();
    await endEverything(trx, audit, clock, { accountId }, 'recovered', `account:${accountId}`);
    await audit(trx, { kind: 'account.recovered', actor: `account:${accountId}`, subject: `account:${accountId}` });
    await notice(trx, accountId);
    const at = { shared: recovery.shared, browser: recovery.request.browser };
    return { kind: 'done', accountId, proof: await leaveFreshProof(trx, clock, accountId, at) };
  });
}

/** Counts a try of the recovery code before it is compared; after five the link is over. */
async function spendCodeTry(trx: Database, requestId: string): Promise<boolean> {
  const row = await trx
    .updateTable('account_requests')
    .set((eb) => ({ code_tries: eb('code_tries', '+', 1) }))
    .where('id', '=', requestId)
    .where('code_tries', '<', values.activationCodeTries)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
