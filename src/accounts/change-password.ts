import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { holdLiveSession, outdateCookies } from '../sessions/live-session.js';
import { endEverything } from './end-everything.js';
import type { PasswordHasher } from './password-hasher.js';

/** Posts the letter that tells the owner of a changed password, with the transaction that changes it. */
export type PasswordNotice = (trx: Database, accountId: string) => Promise<void>;

/**
 * Sets a new password for who is signed in. In one transaction every other session and its refresh tokens end, with
 * every recovery that is under way, and the notice goes out; the session at hand goes on, with a cookie that is to be made for it.
 *
 * @param change `generation`: the account's when the current password was checked
 * @returns whether it was set: `over` if the session at hand was ended meanwhile, by a recovery perhaps, which then has the last word;
 *   `outdated` if the password that was checked is not the current one any more, though the session goes on: a copy of its cookie would
 *   change back what its owner changes at this moment; `already` if that one is the new password: of two presses the browser shows the
 *   answer to the later one
 */
export async function changePassword(
  db: Database,
  clock: Clock,
  hasher: PasswordHasher,
  audit: RecordEvent,
  notice: PasswordNotice,
  change: { accountId: string; sessionUid: string; generation: number; password: string },
): Promise<'set' | 'over' | 'outdated' | 'already'> {
  const { accountId, sessionUid, generation, password } = change;
  const passwordHash = await hasher.hash(password);
  const outcome = await db.transaction().execute(async (trx) => {
    if (!(await holdLiveSession(trx, { uid: sessionUid, accountId }))) return 'over';
    const { numUpdatedRows } = await trx
      .updateTable('accounts')
      .set({ password_hash: passwordHash, password_changed_at: clock() })
      .where('id', '=', accountId)
      .where('session_generation', '=', generation)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return 'outdated';
    const owner = `account:${accountId}`;
    const all = { accountId, except: sessionUid, inSession: true };
    await endEverything(trx, audit, clock, all, 'password-changed', owner);
    await outdateCookies(trx, sessionUid);
    await audit(trx, { kind: 'account.password-changed', actor: owner, subject: owner });
    await notice(trx, accountId);
    return 'set';
  });
  if (outcome !== 'outdated') return outcome;
  const { password_hash: now } = await db
    .selectFrom('accounts')
    .select('password_hash')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  return (await hasher.verify(now, password)) ? 'already' : 'outdated';
}
