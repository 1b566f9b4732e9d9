import type { RecordEvent } from '../audit/audit.js';
import type { Database } from '../database/database.js';
import { Throttled } from '../http/throttle.js';
import type { MakeThrottle, Throttle } from '../http/throttle.js';
import { values } from '../values.js';
import { accountByIdentifier, identifierKey } from './account.js';
import { knownDevice } from './known-device.js';
import type { PasswordHasher } from './password-hasher.js';

export interface SignIn {
  /**
   * Checks a password. Tries are counted before anything is looked up, and an unknown person takes as long as a wrong
   * password.
   *
   * @param source the address the request comes from
   * @param deviceCookie what this browser kept of an earlier sign-in (`rememberDevice`): a known device has limits of its
   *   own, so that a stranger at the limit does not lock the owner out
   * @returns whose password it is, or null when the pair is not right
   * @throws Throttled, HasherBusy
   */
  check(identifier: string, password: string, source: string, deviceCookie?: string): Promise<Accepted | null>;
}

/** A password that was right. */
export interface Accepted {
  accountId: string;
  /** The account's generation when the password was looked up: if its sessions end meanwhile, this sign-in does too. */
  generation: number;
  /** The account is suspended or closed: who knows its password may be told so, and goes no further. */
  disabled: boolean;
}

/** Counts a try, and says whether it was within the limit. */
async function isWithin(throttle: Throttle, key: string): Promise<boolean> {
  try {
    await throttle.spend(key);
    return true;
  } catch (error) {
    if (error instanceof Throttled) return false;
    throw error;
  }
}

/** @param key SECRETS_KEY: what known devices are recognised by */
export function signIn(
  db: Database,
  hasher: PasswordHasher,
  throttle: MakeThrottle,
  audit: RecordEvent,
  key: Uint8Array,
): SignIn {
  const perAccount: Throttle = throttle('password-account', values.throttles.passwordPerAccountAndSource);
  const perDevice: Throttle = throttle('password-device', values.throttles.passwordPerKnownDevice);
  const perOwner: Throttle = throttle('password-owner', values.throttles.passwordPerAllKnownDevices);
  const perSource: Throttle = throttle('password-source', values.throttles.passwordPerSource);
  return {
    async check(identifier, password, source, deviceCookie) {
      const who = identifierKey(identifier);
      const known = knownDevice(key, deviceCookie, who);
      const atDevice = `${who} ${known}`;
      const atSource = `${who} ${source}`;
      // A device's own limit comes first: one that is tried again and again takes from the others no more than its own.
      // Who knew the password once may have collected many such cookies: together they have one limit too. Beyond either it is a stranger, and
      // not refused: who copied its cookie, and tries passwords from elsewhere, keeps its owner out no more than any stranger does.
      const mayTry = known !== null && (await isWithin(perDevice, atDevice)) && (await isWithin(perOwner, who));
      const device = mayTry ? known : null;
      if (device === null) {
        await perSource.spend(source);
        await perAccount.spend(atSource);
      }
      const account = await accountByIdentifier(db, identifier);
      const matches = await hasher.verify(
        account?.password_hash ?? null,
        password.slice(0, values.passwordMaximum * 4),
      );
      if (!matches || account === null) return null;
      if (known !== null) await perDevice.clear(atDevice);
      if (device !== null) await perOwner.refund(who);
      else {
        await perAccount.clear(atSource);
        await perSource.refund(source);
      }
      const accepted = {
        accountId: account.id,
        generation: account.session_generation,
        disabled: account.disabled_at !== null,
      };
      if (accepted.disabled) return accepted;
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
      return accepted;
    },
  };
}
