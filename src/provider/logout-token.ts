import { randomUUID } from 'node:crypto';
import { SignJWT, importJWK } from 'jose';
import type { KeyRing } from '../keys/keys.js';
import type { DueDelivery } from '../sessions/deliveries.js';
import { pairwise } from './claims.js';

/** Seconds a logout token may be used: the specification advises two minutes at most. */
const lifetime = 120;

/**
 * Makes the logout token of one try (OpenID Connect Back-Channel Logout 1.0 §2.4): who (`sub`, pairwise for a vendor) and which
 * sign-in (`sid`), for this app only, with a `jti` of its own.
 *
 * @param keys the key ring of this moment
 */
export function logoutTokens(issuer: string, keys: () => KeyRing): (delivery: DueDelivery) => Promise<string> {
  return async ({ clientId, accountId, sid, alg, sector }) => {
    const ring = keys();
    const key = ring.signing.find((candidate) => candidate.alg === alg) ?? ring.signing[0];
    if (key?.alg === undefined) throw new Error('there is no key to sign with');
    return new SignJWT({
      sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
      .setProtectedHeader({ alg: key.alg, typ: 'logout+jwt', ...(key.kid === undefined ? {} : { kid: key.kid }) })
      .setIssuer(issuer)
      .setAudience(clientId)
      .setSubject(sector === null ? accountId : pairwise(ring.pairwise, sector, accountId))
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${lifetime}s`)
      .sign(await importJWK(key, key.alg));
  };
}
