import type { RecordEvent } from '../audit/audit.js';
import type { Database } from '../database/database.js';
import type { MakeThrottle, Throttle } from '../http/throttle.js';
import { values } from '../values.js';
import { accountByIdentifier, identifierKey } from './account.js';
import type { PasswordHasher } from './password-hasher.js';

export interface SignIn {
  /**
   * Checks a password. Tries are counted before anything is looked up, and an unknown person takes as long as a wrong
   * password.
   *
   * @param source the address the request comes from
   * @returns the account's id, or null when the pair is not right (or the account is disabled: the answer is the same)
   * @throws Throttled, HasherBusy
   */
  check(identifier: string, password: string, source: string): Promise<string | null>;
}

export function signIn(db: Database, hasher: PasswordHasher, throttle: MakeThrottle, audit: RecordEvent): SignIn {
  const perAccount: Throttle = throttle('password-account', values.throttles.passwordPerAccountAndSource);
  const perSource: Throttle = throttle('password-source', values.throttles.passwordPerSource);
  return {
    async check(identifier, password, source) {
      const key = `${identifierKey(identifier)} ${source}`;
      await perSource.spend(source);
      await perAccount.spend(key);
      const account = await accountByIdentifier(db, identifier);
      const matches = await hasher.verify(
        account?.password_hash ?? null,
        password.slice(0, values.passwordMaximum * 4),
      );
      if (!matches || account === null || account.disabled_at !== null) return null;
      await perAccount.clear(key);
      await perSource.refund(source);
      await audit(db, {
        kind: 'account.password-accepted',
        actor: `account:${account.id}`,
        subject: `account:${account.id}`,
      });
      if (hasher.isOutdated(account.password_hash)) {
        const fresh = await hasher.hash(password);
        await db
          .updateTable('accounts')
          .set({ password_hash: fresh })
          .where('id', '=', account.id)
          .where('password_hash', '=', account.password_hash)
          .execute();
      }
      return account.id;
    },
  };
}
