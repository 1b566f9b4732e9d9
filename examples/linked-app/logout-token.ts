import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { JWTVerifyGetKey } from 'jose';

/** Which sign-ins have ended: the one named by `sid`, or all of the person `sub`. */
export interface EndedSignIn {
  sid: string | undefined;
  subject: string | undefined;
}

const event = 'http://schemas.openid.net/event/backchannel-logout';
// Long enough for a clock that runs differently and a delivery that is tried again.
const oldest = 10 * 60;

/**
 * A verifier of logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6): signature by the provider's current keys,
 * `typ`, `iss`, `aud`, `iat`, `events`, no `nonce`, and each `jti` once.
 *
 * @returns a function that throws on a token that does not hold
 */
export function logoutTokenVerifier(options: {
  issuer: string;
  clientId: string;
  keys: URL | JWTVerifyGetKey;
}): (token: string) => Promise<EndedSignIn> {
  const keys = options.keys instanceof URL ? createRemoteJWKSet(options.keys) : options.keys;
  const used = new Map<string, number>();

  return async (token) => {
    const { payload } = await jwtVerify(token, keys, {
      issuer: options.issuer,
      audience: options.clientId,
      typ: 'logout+jwt',
      algorithms: ['ES256', 'RS256'],
      maxTokenAge: oldest,
      clockTolerance: 30,
      requiredClaims: ['iat', 'jti', 'events'],
    });
    const { jti, events, sub, sid } = payload;
    if (typeof events !== 'object' || events === null || !(event in events)) throw new Error('no logout event');
    if ('nonce' in payload) throw new Error('a logout token has no nonce');
    if (typeof sub !== 'string' && typeof sid !== 'string') throw new Error('neither sub nor sid');

    const now = Date.now();
    for (const [seen, at] of used) if (now - at > 2 * oldest * 1000) used.delete(seen);
    if (jti === undefined || used.has(jti)) throw new Error('this logout token was used before');
    used.set(jti, now);
    return { sid: typeof sid === 'string' ? sid : undefined, subject: sub };
  };
}
