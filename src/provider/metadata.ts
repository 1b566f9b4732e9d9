import { createHash, timingSafeEqual } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';
import type { Clock } from '../database/clock.js';
import { newSecret } from '../database/secrets.js';
import { portalClient } from './app-registration.js';
import type { AppRegistration } from './app-registration.js';

/** The client with which our own pages send a person through `/authorize`: it takes nothing but the sign-in. */
export function portalApp(issuer: string): AppRegistration {
  return {
    client_id: portalClient,
    client_name: 'Parent Access',
    redirect_uris: [`${issuer}/signed-in`],
    post_logout_redirect_uris: [`${issuer}/`],
    token_endpoint_auth_method: 'none',
    grant_types: [],
    response_types: ['none'],
    scope: 'openid',
    subject_type: 'public',
    id_token_signed_response_alg: 'ES256',
    party: 'district',
    student_facts: [],
    demo: false,
  };
}

/**
 * What the library is told of an app. It never sees a secret: the digests stay with us, and in place of a secret it
 * gets a random one of this process (with a digest there, an HS256 request object signed with the published digest was
 * accepted).
 */
export function libraryMetadata(app: AppRegistration): ClientMetadata {
  const { secrets: _secrets, party: _party, student_facts: _facts, tile: _tile, demo: _demo, ...rest } = app;
  // The library accepts only https there and uses the value nowhere; our own check has read it.
  const { initiate_login_uri: _initiate, ...standard } = rest;
  const needsSecret = app.token_endpoint_auth_method.startsWith('client_secret');
  return {
    ...standard,
    ...(needsSecret ? { client_secret: newSecret() } : {}),
    ...(app.backchannel_logout_uri === undefined ? {} : { backchannel_logout_session_required: true }),
  };
}

/** The host that groups an app's addresses (OpenID Connect Core §8.1). */
export function sectorOf(app: AppRegistration): string {
  return new URL(app.sector_identifier_uri ?? app.redirect_uris[0] ?? '').host;
}

/** The addresses of an app that the provider itself may call. */
export function calledOrigins(apps: Iterable<AppRegistration>): Set<string> {
  const origins = new Set<string>();
  for (const app of apps) {
    for (const address of [app.jwks_uri, app.backchannel_logout_uri, app.sector_identifier_uri]) {
      if (address !== undefined) origins.add(new URL(address).origin);
    }
  }
  return origins;
}

/**
 * The digest of a secret that the app's registration holds and that has not expired; all are compared, in constant time.
 *
 * @returns null where it is none of them
 */
export function matchingDigest(app: AppRegistration, secret: string, clock: Clock): string | null {
  const digest = createHash('sha256').update(secret).digest();
  let found: string | null = null;
  for (const { sha256, expires_at: expiresAt } of app.secrets ?? []) {
    const live = expiresAt === undefined || new Date(expiresAt) > clock();
    if (timingSafeEqual(digest, Buffer.from(sha256, 'hex')) && live) found = sha256;
  }
  return found;
}
