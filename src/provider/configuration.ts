import type { Context } from 'koa';
import type { Adapter, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Clock } from '../database/clock.js';
import { cookieSigner } from '../keys/cookie-signer.js';
import type { KeyRing } from '../keys/keys.js';
import { secondsToLive } from '../sessions/session-life.js';
import type { LivingSession } from '../sessions/session-life.js';
import { values } from '../values.js';
import type { AppRegistration } from './app-registration.js';
import { scopes } from './app-registration.js';
import { claimsOfScope, oidcAccount, pairwise } from './claims.js';
import { refuseDeepClaims } from './claims-request.js';
import type { ClaimSources } from './claims.js';
import { consentFacts } from './consent-facts.js';
import { sectorOf } from './metadata.js';
import type { Finished } from './opened-here.js';
import type { CheckSecret } from './client-secrets.js';
import { acrRanks, policy } from './policy.js';
import type { MayKnow, PolicyQuestions } from './policy.js';

/** The pages the library asks for; made by the floors above. */
export interface ProviderPages {
  /** Shows what is wrong and the way on. `fault` is an OAuth error code; `error` its cause. */
  problem(ctx: KoaContextWithOIDC, fault: string, error: unknown): Promise<void>;
  /** Asks whether to sign out. `xsrf` goes back with the form to `action`. */
  signOut(ctx: KoaContextWithOIDC, form: { action: string; xsrf: string }): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): Promise<void>;
  /** Remembers in this browser which end it was, for the page that tells what the apps confirmed. */
  noteSignOut(ctx: KoaContextWithOIDC, revocation: string | null): Promise<void>;
}

/**
 * Ends sessions, or one app's part of one, with all it opened; the apps are told after. `accountId` is whose it was, where
 * somebody had signed in.
 *
 * @returns by what its confirmations are asked for, or null when there was nothing to end
 */
export type EndSession = (
  target: { session: string } | { sessions: readonly string[] } | { app: string; sid: string } | { grant: string },
  because: string,
  accountId: string | undefined,
) => Promise<string | null>;

/** Everything the provider is made of. */
export interface ProviderParts {
  issuer: string;
  apps: ReadonlyMap<string, AppRegistration>;
  /** The library's metadata of each app, secrets replaced by a placeholder of this process. */
  metadata: NonNullable<Configuration['clients']>;
  keys: KeyRing;
  checkSecret: CheckSecret;
  adapter: (kind: string) => Adapter;
  sources: ClaimSources;
  questions: PolicyQuestions;
  loadGrant: NonNullable<Configuration['loadExistingGrant']>;
  pages: ProviderPages;
  fetch: typeof fetch;
  endSession: EndSession;
  /** What this browser finished a page of. */
  finishedHere: (ctx: Context) => readonly Finished[];
}

const asymmetric = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const;
const signing = ['ES256', 'RS256'] as const;

function cookies(https: boolean, keys: string[]): NonNullable<Configuration['cookies']> {
  // `__Host-` wants the path `/`; the two that belong to one interaction have a path of their own.
  const host = https ? '__Host-' : '';
  const secure = https ? '__Secure-' : '';
  return {
    names: { session: `${host}pa-session`, interaction: `${secure}pa-interaction`, resume: `${secure}pa-resume` },
    keys: cookieSigner(keys),
    long: { httpOnly: true, sameSite: 'lax', secure: https, signed: true, path: '/' },
    short: { httpOnly: true, sameSite: 'lax', secure: https, signed: true },
  };
}

function features(parts: ProviderParts): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: true },
    claimsParameter: { enabled: true, assertClaimsParameter: (_ctx, claims) => refuseDeepClaims(claims) },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true },
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    resourceIndicators: {
      enabled: true,
      // No district API is registered yet: whoever asks for one hears so (RFC 8707 §2).
      getResourceServerInfo: () => {
        throw new errors.InvalidTarget('no such resource is registered');
      },
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        const xsrf = /name="xsrf" value="([^"]+)"/.exec(form)?.[1] ?? '';
        const action = /action="([^"]+)"/.exec(form)?.[1] ?? '';
        return parts.pages.signOut(ctx, { action: new URL(action).pathname, xsrf });
      },
      postLogoutSuccessSource: (ctx) => parts.pages.signedOut(ctx),
    },
  };
}

/** The session that a code or token belongs to. */
function sessionOf(token: object | undefined): string | undefined {
  return token !== undefined && 'sessionUid' in token && typeof token.sessionUid === 'string'
    ? token.sessionUid
    : undefined;
}

/** A vendor's app may know something of the person as long as their word covers all that it may receive; a district's app needs none. */
function mayKnow({ apps, sources }: ProviderParts): MayKnow {
  return async ({ oidc }) => {
    const app = apps.get(oidc.client?.clientId ?? '');
    const accountId = oidc.session?.accountId;
    if (app === undefined || app.party !== 'vendor' || accountId === undefined) return true;
    return sources.consented(accountId, app.client_id, consentFacts(app));
  };
}

/**
 * The provider's configuration, a pure function of its parts (decision 2). Every duration is stated; nothing is left to
 * a default of the library that would be looser.
 */
export function configuration(parts: ProviderParts, clock: Clock): Configuration {
  const https = parts.issuer.startsWith('https:');
  return {
    adapter: parts.adapter,
    clients: parts.metadata,
    jwks: { keys: parts.keys.signing },
    cookies: cookies(https, parts.keys.cookies),
    features: features(parts),
    scopes: [...scopes],
    // An app learns with every sign-in how and when it happened, without having to ask.
    claims: { ...claimsOfScope, openid: [...claimsOfScope.openid, 'acr', 'amr', 'auth_time', 'shared_computer'] },
    acrValues: [...acrRanks],
    responseTypes: ['code', 'none'],
    subjectTypes: ['public', 'pairwise'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: {
      clientAuthSigningAlgValues: [...asymmetric],
      idTokenSigningAlgValues: [...signing],
      requestObjectSigningAlgValues: [...asymmetric],
      dPoPSigningAlgValues: ['ES256', 'EdDSA', 'Ed25519'],
    },
    assertJwtClientAuthClaimsAndHeader: async (_ctx, claims) => {
      if (Number(claims['exp']) > Date.now() / 1000 + values.assertion) {
        throw new errors.InvalidClientAuth('the client_assertion lives too long');
      }
    },
    pkce: { required: () => true },
    conformIdTokenClaims: true,
    allowOmittingSingleRegisteredRedirectUri: false,
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    },
    discovery: {
      ui_locales_supported: ['en', 'es'],
      service_documentation: `${parts.issuer}/help`,
      op_tos_uri: `${parts.issuer}/terms`,
    },
    routes: {
      authorization: '/authorize',
      token: '/token',
      userinfo: '/userinfo',
      jwks: '/jwks',
      introspection: '/introspect',
      revocation: '/revoke',
      pushed_authorization_request: '/par',
      end_session: '/sign-out',
    },
    ttl: {
      AccessToken: values.accessToken,
      AuthorizationCode: values.authorizationCode,
      ClientCredentials: values.clientCredentials,
      Grant: values.keptSession,
      IdToken: values.idToken,
      Interaction: values.interaction,
      PushedAuthorizationRequest: values.pushedRequest,
      RefreshToken: values.refreshToken,
      Session: (_ctx, session: LivingSession) => secondsToLive(session, clock()),
    },
    interactions: {
      policy: policy(parts.questions, mayKnow(parts)),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    rotateRefreshToken: () => true,
    // The library grants offline_access only with prompt=consent; apps without consent are registered for it instead.
    // On a shared computer nothing outlives the hour.
    issueRefreshToken: async (_ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') && !(await parts.sources.onSharedComputer(sessionOf(code) ?? '')),
    expiresWithSession: async () => true,
    loadExistingGrant: parts.loadGrant,
    clientBasedCORS: (ctx, origin, client) =>
      (ctx.oidc.route === 'userinfo' || client.clientAuthMethod === 'none') &&
      (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin),
    async findAccount(ctx, accountId, token) {
      const clientId = ctx.oidc.client?.clientId ?? token?.clientId;
      const app = clientId === undefined ? undefined : parts.apps.get(clientId);
      if (app === undefined || !(await parts.sources.exists(accountId))) return undefined;
      const childId = (studentId: string): string =>
        app.subject_type === 'pairwise'
          ? pairwise(parts.keys.pairwise, sectorOf(app), `student ${studentId}`)
          : studentId;
      return oidcAccount(accountId, parts.sources, app, childId, sessionOf(token));
    },
    async pairwiseIdentifier(_ctx, accountId, client) {
      const app = parts.apps.get(client.clientId);
      if (app === undefined) throw new Error('a pairwise identifier for an unknown app');
      return pairwise(parts.keys.pairwise, sectorOf(app), accountId);
    },
    renderError: (ctx, out, error) => parts.pages.problem(ctx, out.error, error),
    fetch: parts.fetch,
    // A key set or a list of addresses has a few kilobytes; without a limit an app could send for ever.
    fetchResponseBodyLimits: { jwks_uri: 65_536, sector_identifier_uri: 65_536 },
  };
}
