import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Configuration } from 'openid-client';
import { logoutTokenVerifier } from './logout-token.js';
import type { EndedSignIn } from './logout-token.js';
import { contentSecurityPolicy, problemPage, signedInPage, signedOutPage } from './pages.js';
import type { Surroundings } from './pages.js';
import { beginSignIn, connect, finishSignIn, providerError, refresh, signOutUrl } from './provider.js';
import type { PendingSignIn, SignedIn } from './provider.js';
import { languageOf, words } from './words.js';
import type { Language } from './words.js';

export interface LinkedAppOptions {
  /** What people read on top of every page. */
  name: string;
  clientId: string;
  clientSecret: string;
  port: number;
  /** Where people reach the app; `http://localhost:PORT` unless told otherwise. Its `/callback` is registered. */
  url?: string;
  issuer: string;
  scope: string;
  /** The facts of a child to show; all that come unless told otherwise. */
  facts?: string[];
  /** Always this language; the browser's unless told otherwise. */
  language?: Language;
}

export interface LinkedApp {
  url: string;
  close(): Promise<void>;
}

/** A browser that may be between "Sign in" and the way back. */
interface Pending extends PendingSignIn {
  browser: string;
  startedAt: number;
}

const pendingFor = 60 * 60 * 1000;
const mostPending = 10_000;
const largestBody = 64 * 1024;

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > largestBody) throw new Error('the body is too large');
  }
  return text;
}

function redirect(response: ServerResponse, location: URL | string): void {
  response.writeHead(303, { location: String(location), 'cache-control': 'no-store' }).end();
}

/**
 * Starts an app that signs people in with the provider. It keeps its sessions in memory and comes up before the provider does.
 *
 * @throws when the port is taken
 */
export async function startLinkedApp(options: LinkedAppOptions): Promise<LinkedApp> {
  const url = options.url ?? `http://localhost:${options.port}`;
  const isLoopback = ['localhost', '127.0.0.1'].includes(new URL(url).hostname);
  const redirectUri = `${url}/callback`;
  const hue = Buffer.from(options.clientId).reduce((sum, byte) => (sum * 31 + byte) % 360, 7);
  // Cookies know no ports: apps on one host need names of their own.
  const cookieName = options.clientId.replaceAll(/[^\w-]/g, '_');
  const flags = `Path=/; HttpOnly; SameSite=Lax${url.startsWith('https:') ? '; Secure' : ''}`;

  const sessions = new Map<string, SignedIn>();
  const refreshing = new Map<string, Promise<SignedIn>>();
  const pending = new Map<string, Pending>();
  let provider: Configuration | null = null;
  let verifyLogout: ((token: string) => Promise<EndedSignIn>) | null = null;

  async function connected(): Promise<Configuration> {
    if (provider !== null) return provider;
    const found = await connect(options);
    const { issuer, jwks_uri: keys } = found.serverMetadata();
    if (keys === undefined) throw new Error('the provider names no jwks_uri');
    verifyLogout ??= logoutTokenVerifier({ issuer, clientId: options.clientId, keys: new URL(keys) });
    provider = found;
    return found;
  }

  function around(request: IncomingMessage): Surroundings {
    const language = options.language ?? languageOf(request.headers['accept-language']);
    return { appName: options.name, language, words: words[language], hue };
  }

  function show(response: ServerResponse, status: number, html: string, cookie?: string): void {
    response
      .writeHead(status, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': contentSecurityPolicy(hue, options.issuer),
        'cache-control': 'no-store',
        'referrer-policy': 'strict-origin',
        'x-content-type-options': 'nosniff',
        ...(cookie === undefined ? {} : { 'set-cookie': cookie }),
      })
      .end(html);
  }

  function home(request: IncomingMessage, response: ServerResponse): void {
    const id = cookieOf(request, `${cookieName}-session`);
    const session = id === undefined ? undefined : sessions.get(id);
    const surroundings = around(request);
    if (session !== undefined) return show(response, 200, signedInPage(surroundings, session, options.facts));
    const notice = id === undefined ? null : surroundings.words.ended;
    show(response, 200, signedOutPage(surroundings, notice), `${cookieName}-session=; ${flags}; Max-Age=0`);
  }

  /** `/login`, and `/login?iss=…` as the provider's portal calls it (OpenID Connect Core §4). */
  async function login(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const iss = query.get('iss');
    const surroundings = around(request);
    if (iss !== null && iss !== options.issuer) {
      return show(response, 400, problemPage(surroundings, surroundings.words.wrongIssuer, 'home'));
    }
    const begun = await beginSignIn(await connected(), {
      scope: options.scope,
      redirectUri,
      language: surroundings.language,
      loginHint: query.get('login_hint'),
    });
    const browser = cookieOf(request, `${cookieName}-browser`) ?? randomBytes(24).toString('base64url');
    const now = Date.now();
    for (const [state, { startedAt }] of pending) {
      if (now - startedAt < pendingFor && pending.size < mostPending) break;
      pending.delete(state);
    }
    pending.set(begun.pending.state, { ...begun.pending, browser, startedAt: now });
    response.setHeader('set-cookie', `${cookieName}-browser=${browser}; ${flags}; Max-Age=${pendingFor / 1000}`);
    redirect(response, begun.url);
  }

  async function callback(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const surroundings = around(request);
    const state = query.get('state') ?? '';
    const found = pending.get(state);
    // The answer counts only in the browser that asked for it.
    if (found === undefined || found.browser !== cookieOf(request, `${cookieName}-browser`)) {
      return show(response, 400, problemPage(surroundings, surroundings.words.stale, 'tryAgain'));
    }
    pending.delete(state);
    try {
      const signedIn = await finishSignIn(await connected(), new URL(`${redirectUri}?${query}`), found);
      const id = randomBytes(32).toString('base64url');
      const former = cookieOf(request, `${cookieName}-session`);
      if (former !== undefined) sessions.delete(former);
      sessions.set(id, signedIn);
      response.setHeader('set-cookie', `${cookieName}-session=${id}; ${flags}`);
      redirect(response, '/');
    } catch (error) {
      const cancelled = providerError(error) === 'access_denied';
      console.error(`${options.name}: sign-in failed:`, error instanceof Error ? error.message : error);
      const { words: texts } = surroundings;
      show(
        response,
        cancelled ? 200 : 502,
        problemPage(surroundings, cancelled ? texts.cancelled : texts.failed, 'tryAgain'),
      );
    }
  }

  async function checkAgain(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = cookieOf(request, `${cookieName}-session`) ?? '';
    const session = sessions.get(id);
    if (session === undefined) return redirect(response, '/');
    // A refresh token works once: a second press waits for the first one's answer.
    const running = refreshing.get(id) ?? refresh(await connected(), session).finally(() => refreshing.delete(id));
    refreshing.set(id, running);
    try {
      const renewed = await running;
      // Ended in the meantime: it stays ended.
      if (sessions.has(id)) sessions.set(id, renewed);
    } catch (error) {
      if (providerError(error) !== 'invalid_grant') throw error;
      sessions.delete(id);
    }
    redirect(response, '/');
  }

  async function signOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = cookieOf(request, `${cookieName}-session`) ?? '';
    const session = sessions.get(id);
    sessions.delete(id);
    response.setHeader('set-cookie', `${cookieName}-session=; ${flags}; Max-Age=0`);
    redirect(response, session === undefined ? '/' : signOutUrl(await connected(), session.idToken, `${url}/`));
  }

  /** The provider says that a sign-in has ended, wherever that happened (OpenID Connect Back-Channel Logout §2.5). */
  async function backchannelLogout(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, body: string): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
    };
    try {
      const token = new URLSearchParams(await bodyOf(request)).get('logout_token');
      await connected();
      if (token === null || verifyLogout === null) throw new Error('no logout token');
      const ended = await verifyLogout(token);
      for (const [id, session] of sessions) {
        const isMeant = ended.sid === undefined ? session.subject === ended.subject : session.sid === ended.sid;
        if (isMeant) sessions.delete(id);
      }
      answer(200, '');
    } catch (error) {
      console.error(`${options.name}: logout token refused:`, error instanceof Error ? error.message : error);
      answer(400, JSON.stringify({ error: 'invalid_request' }));
    }
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const step = `${request.method === 'HEAD' ? 'GET' : request.method} ${pathname}`;
    if (step === 'POST /backchannel-logout') return backchannelLogout(request, response);
    const surroundings = around(request);
    if (request.method === 'POST' && request.headers.origin !== new URL(url).origin) {
      return show(response, 403, problemPage(surroundings, surroundings.words.forbidden, 'home'));
    }
    switch (step) {
      case 'GET /':
        return home(request, response);
      case 'GET /login':
        return login(request, response, searchParams);
      case 'GET /callback':
        return callback(request, response, searchParams);
      case 'POST /refresh':
        return checkAgain(request, response);
      case 'POST /sign-out':
        return signOut(request, response);
      default:
        return show(response, 404, problemPage(surroundings, surroundings.words.notFound, 'home'));
    }
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      console.error(`${options.name}:`, error instanceof Error ? error.message : error);
      const surroundings = around(request);
      if (response.headersSent) response.destroy();
      else show(response, 503, problemPage(surroundings, surroundings.words.notUp, 'home'));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, isLoopback ? '127.0.0.1' : undefined, resolve);
  });
  return {
    url,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
