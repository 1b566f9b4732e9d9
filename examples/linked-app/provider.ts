import * as oidc from 'openid-client';

/** Who is signed in, and what the app may know: kept on the server, never in the browser. */
export interface SignedIn {
  subject: string;
  /** The provider's name of this sign-in; back-channel logout refers to it. */
  sid: string | undefined;
  name: string;
  email: string | undefined;
  students: Student[];
  /** When the provider was last asked. */
  checkedAt: Date;
  idToken: string;
  refreshToken: string | undefined;
}

/** A child as the `students` claim has it: an id of ours that never changes, and the facts this app is registered for. */
export interface Student {
  id: string;
  [fact: string]: unknown;
}

/** What has to be remembered between "Sign in" and the way back. */
export interface PendingSignIn {
  state: string;
  nonce: string;
  codeVerifier: string;
}

export interface ProviderOptions {
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope: string;
}

/**
 * Reads the provider's discovery document and its keys' address.
 *
 * @throws when the provider is not up, within 5 s
 */
export function connect({ issuer, clientId, clientSecret }: ProviderOptions): Promise<oidc.Configuration> {
  const isPlain = new URL(issuer).protocol === 'http:';
  return oidc.discovery(new URL(issuer), clientId, {}, oidc.ClientSecretBasic(clientSecret), {
    timeout: 5,
    // Verifies the ID token's signature as well; http is for a provider on this same machine only.
    execute: [oidc.enableNonRepudiationChecks, ...(isPlain ? [oidc.allowInsecureRequests] : [])],
  });
}

/** A new sign-in: what to remember, and where to send the browser. */
export async function beginSignIn(
  provider: oidc.Configuration,
  {
    scope,
    redirectUri,
    language,
    loginHint,
  }: { scope: string; redirectUri: string; language: string; loginHint: string | null },
): Promise<{ pending: PendingSignIn; url: URL }> {
  const pending = { state: oidc.randomState(), nonce: oidc.randomNonce(), codeVerifier: oidc.randomPKCECodeVerifier() };
  const url = oidc.buildAuthorizationUrl(provider, {
    redirect_uri: redirectUri,
    scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: 'S256',
    ui_locales: language,
    ...(loginHint === null ? {} : { login_hint: loginHint }),
  });
  return { pending, url };
}

function isStudent(value: unknown): value is Student {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

/** Asks userinfo: the only place where the provider tells of children, as the schools' records stand at this moment. */
async function askUserInfo(
  provider: oidc.Configuration,
  accessToken: string,
  subject: string,
): Promise<Pick<SignedIn, 'name' | 'email' | 'students' | 'checkedAt'>> {
  const claims = await oidc.fetchUserInfo(provider, accessToken, subject);
  const students: unknown = claims['students'];
  return {
    name: claims.name ?? claims.sub,
    email: claims.email,
    students: Array.isArray(students) ? students.filter(isStudent) : [],
    checkedAt: new Date(),
  };
}

/**
 * Ends a sign-in on the way back: checks `state`, `iss`, `nonce` and the ID token, and trades the code in.
 *
 * @param currentUrl the address that the browser came to
 * @throws AuthorizationResponseError when the provider said no
 */
export async function finishSignIn(
  provider: oidc.Configuration,
  currentUrl: URL,
  pending: PendingSignIn,
): Promise<SignedIn> {
  const tokens = await oidc.authorizationCodeGrant(provider, currentUrl, {
    pkceCodeVerifier: pending.codeVerifier,
    expectedState: pending.state,
    expectedNonce: pending.nonce,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (claims === undefined || tokens.id_token === undefined) throw new Error('The provider sent no ID token.');
  const sid = claims['sid'];
  return {
    subject: claims.sub,
    sid: typeof sid === 'string' ? sid : undefined,
    ...(await askUserInfo(provider, tokens.access_token, claims.sub)),
    idToken: tokens.id_token,
    refreshToken: tokens.refresh_token,
  };
}

/**
 * Asks again, with the refresh token. It is used up by that: the new one comes back, and two tries at once must not happen.
 *
 * @throws ResponseBodyError with `error` `invalid_grant` when the sign-in has ended
 */
export async function refresh(provider: oidc.Configuration, signedIn: SignedIn): Promise<SignedIn> {
  if (signedIn.refreshToken === undefined)
    throw new Error('This app has no refresh token; its scope needs offline_access.');
  const tokens = await oidc.refreshTokenGrant(provider, signedIn.refreshToken);
  return {
    ...signedIn,
    ...(await askUserInfo(provider, tokens.access_token, signedIn.subject)),
    idToken: tokens.id_token ?? signedIn.idToken,
    refreshToken: tokens.refresh_token ?? signedIn.refreshToken,
  };
}

/** Where to send the browser to sign out of the provider, and so of every app. */
export function signOutUrl(provider: oidc.Configuration, idToken: string, returnTo: string): URL {
  return oidc.buildEndSessionUrl(provider, { id_token_hint: idToken, post_logout_redirect_uri: returnTo });
}

/** The provider's own error code (`access_denied`, `invalid_grant` …), or null when the error is another. */
export function providerError(error: unknown): string | null {
  const isTold = error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError;
  return isTold ? error.error : null;
}
