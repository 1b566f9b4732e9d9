import { hasConsent } from './accounts/consents.js';
import { accountExists, accountPerson } from './accounts/person.js';
import type { Clock } from './database/clock.js';
import type { Database } from './database/database.js';
import { entitledStudents } from './families/entitlement.js';
import type { ClaimSources } from './provider/claims.js';
import { isOnSharedComputer } from './sessions/shared-computer.js';

/** What the provider tells apps, out of the rooms below it: each is asked at the moment of the request. */
export function claimSources(db: Database, clock: Clock, timeZone: string): ClaimSources {
  return {
    exists: (accountId) => accountExists(db, accountId),
    person: (accountId) => accountPerson(db, accountId),
    children: async (accountId) =>
      (await entitledStudents(db, { accountId, now: clock(), timeZone })).map((child) => ({
        ...child,
        pickup: child.pickup === true,
      })),
    onSharedComputer: (uid) => isOnSharedComputer(db, uid),
    consented: (accountId, clientId, facts) => hasConsent(db, accountId, clientId, facts),
  };
}
