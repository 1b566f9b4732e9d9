import Provider, { errors } from 'oidc-provider';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { artifacts } from '../sessions/artifacts.js';
import type { Payload } from '../sessions/artifacts.js';
import { sessionStore } from '../sessions/session-store.js';
import type { SessionStore } from '../sessions/session-store.js';
import { values } from '../values.js';

/** Kinds whose second use is a fraud or a race, never a retry to be forgiven. */
const singleUse = new Set(['AuthorizationCode', 'RefreshToken']);

/** Leaves this browser the cookie that it has by now: the one that the library is about to write anew leads nowhere any more. */
function keepLaterCookie(): void {
  const { response } = Provider.ctx ?? {};
  const cookies = [response?.get('Set-Cookie') ?? []].flat();
  const others = cookies.filter((cookie) => !/^(__Host-)?pa-session(\.sig)?=/.test(cookie));
  if (others.length < cookies.length) response?.set('Set-Cookie', others);
}

function sessionAdapter(store: SessionStore): Adapter {
  return {
    async upsert(id, payload, expiresIn) {
      if (!(await store.save(id, { ...payload }, expiresIn ?? values.session))) keepLaterCookie();
    },
    find: (id) => store.find(id),
    findByUid: (uid) => store.findByUid(uid),
    destroy: (id) => store.forget(id),
    findByUserCode: async () => undefined,
    consume: async () => {},
    revokeByGrantId: async () => {},
  };
}

function artifactAdapter(db: Database, clock: Clock, kind: string): Adapter {
  const store = artifacts(db, clock, kind);
  const payload = (found: Payload | undefined): AdapterPayload | undefined => found;
  return {
    async upsert(id, value, expiresIn) {
      // The database keeps no null character: what an app or a browser sent with one is a bad request, not our fault.
      if (JSON.stringify(value).includes('\\u0000')) throw new errors.InvalidRequest('there is a null character');
      await store.save(id, { ...value }, expiresIn);
    },
    find: async (id) => payload(await store.find(id)),
    findByUid: async () => undefined,
    findByUserCode: async (userCode) => payload(await store.findByUserCode(userCode)),
    async consume(id) {
      const first = await store.consume(id);
      // Decided in one statement, at once: of all who come together one wins, and the others hear invalid_grant.
      if (!first && singleUse.has(kind)) throw new errors.InvalidGrant('already used');
      if (!first) throw new errors.InvalidRequestUri('already used');
    },
    async destroy(id) {
      if (kind !== 'Interaction') return store.destroy(id);
      // One sign-in opens one session: of several that come back from it at once one goes on.
      if (!(await store.consume(id))) throw new errors.SessionNotFound('the interaction is over');
    },
    revokeByGrantId: (grantId) => store.endGrant(grantId),
  };
}

/** Where the library keeps what it issues: one factory for all its models, on the rooms of `src/sessions`. */
export function adapterFactory(db: Database, clock: Clock): (kind: string) => Adapter {
  const sessions = sessionStore(db, clock);
  return (kind) => (kind === 'Session' ? sessionAdapter(sessions) : artifactAdapter(db, clock, kind));
}
