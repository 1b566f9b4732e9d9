import { createServer } from 'node:http';
import type { Server } from 'node:http';
import * as client from 'openid-client';
import type { Browser } from './browser.js';
import type { TestHouse } from './house.js';

/** An app that only takes what comes back, so that a test can look at it before anything is redeemed. */
export interface RelyingParty {
  clientId: string;
  redirectUri: string;
  configuration: client.Configuration;
  /** An `/authorize` address with PKCE, state and nonce, and what redeems it. */
  request(extra?: Record<string, string>): Promise<{ url: URL; checks: client.AuthorizationCodeGrantChecks }>;
  /** Sends the browser to `/authorize` and gives the address it comes back to; the browser must be signed in. */
  authorize(
    browser: Browser,
    extra?: Record<string, string>,
  ): Promise<{ callback: URL; checks: client.AuthorizationCodeGrantChecks }>;
  /** The form with which a fresh code is redeemed, to be sent by hand; the browser must be signed in. */
  codeForm(browser: Browser): Promise<Record<string, string>>;
  /** The whole code flow. */
  tokens(
    browser: Browser,
    extra?: Record<string, string>,
  ): Promise<client.TokenEndpointResponse & client.TokenEndpointResponseHelpers>;
  close(): Promise<void>;
}

/** Listens where the app's redirects lead, and talks to the house with openid-client. */
export async function relyingParty(house: TestHouse, clientId: string): Promise<RelyingParty> {
  const registration = house.apps.get(clientId);
  const redirectUri = registration?.redirect_uris[0];
  if (registration === undefined || redirectUri === undefined) throw new Error(`${clientId} is not registered`);
  const server: Server = createServer((_request, response) => response.end('<main>back in the app</main>'));
  await new Promise<void>((resolve) => server.listen(Number(new URL(redirectUri).port), '127.0.0.1', resolve));
  const configuration = await client.discovery(
    new URL(house.issuer),
    clientId,
    undefined,
    client.ClientSecretBasic(house.secret),
    {
      execute: [client.allowInsecureRequests],
    },
  );

  async function request(extra: Record<string, string> = {}) {
    const verifier = client.randomPKCECodeVerifier();
    const checks = {
      pkceCodeVerifier: verifier,
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
    };
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri ?? '',
      scope: registration?.scope ?? 'openid',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      ...extra,
    });
    return { url, checks };
  }

  async function authorize(browser: Browser, extra?: Record<string, string>) {
    const { url, checks } = await request(extra);
    const page = await browser.get(url.href);
    if (!page.url.startsWith(redirectUri ?? '-'))
      throw new Error(`did not come back to the app: ${page.url} ${page.text}`);
    return { callback: new URL(page.url), checks };
  }

  return {
    clientId,
    redirectUri,
    configuration,
    request,
    authorize,
    async codeForm(browser) {
      const { callback, checks } = await authorize(browser);
      return {
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: checks.pkceCodeVerifier ?? '',
      };
    },
    async tokens(browser, extra) {
      const { callback, checks } = await authorize(browser, extra);
      return client.authorizationCodeGrant(configuration, callback, checks);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A form posted to an endpoint by an app, with its secret, by hand: for what no well-behaved client would send. */
export async function post(
  house: TestHouse,
  path: string,
  fields: Record<string, string>,
  credentials?: { clientId: string; secret: string },
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${house.issuer}${path}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers:
      credentials === undefined
        ? {}
        : {
            authorization: `Basic ${Buffer.from(`${credentials.clientId}:${encodeURIComponent(credentials.secret)}`).toString('base64')}`,
          },
  });
  const text = await answer.text();
  return {
    status: answer.status,
    body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text },
  };
}
