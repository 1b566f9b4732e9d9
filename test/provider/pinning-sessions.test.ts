import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import Provider from 'oidc-provider';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { openBrowser } from '../support/browser.js';
import { freePort } from '../support/house.js';

/*
 * What our sessions, revocation and pages rely on in oidc-provider, on a bare provider whose adapter forgets nothing by
 * itself. When a test here turns red after an upgrade, the code that leans on it is to be read again.
 */
const stored = new Map<string, AdapterPayload>();
let revocations: string[] = [];

function adapter(kind: string): Adapter {
  const key = (id: string): string => `${kind} ${id}`;
  return {
    upsert: async (id, payload) => void stored.set(key(id), { ...payload }),
    find: async (id) => stored.get(key(id)),
    findByUid: async (uid) =>
      [...stored].find(([name, payload]) => name.startsWith(`${kind} `) && payload.uid === uid)?.[1],
    findByUserCode: async () => undefined,
    consume: async (id) => void stored.set(key(id), { ...stored.get(key(id)), consumed: 1 }),
    destroy: async (id) => void stored.delete(key(id)),
    revokeByGrantId: async (grantId) => {
      revocations.push(kind);
      for (const [name, payload] of stored)
        if (name.startsWith(`${kind} `) && payload.grantId === grantId) stored.delete(name);
    },
  };
}

describe('oidc-provider’s sessions, as we know them', () => {
  let provider: Provider;
  let server: Server;
  let issuer = '';
  let callback = '';
  /** What the interaction page does; signs Maria in unless a test says otherwise. */
  let page: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://localhost:${port}`;
    callback = `${issuer}/callback`;
    provider = new Provider(issuer, {
      adapter,
      clients: [
        {
          client_id: 'app',
          client_secret: 'placeholder',
          redirect_uris: [callback],
          grant_types: ['authorization_code', 'refresh_token'],
        },
        {
          client_id: 'portal',
          redirect_uris: [callback],
          token_endpoint_auth_method: 'none',
          grant_types: [],
          response_types: ['none'],
        },
      ],
      cookies: { keys: ['a key'] },
      features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
      responseTypes: ['code', 'none'],
      issueRefreshToken: async () => true,
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
      async loadExistingGrant(ctx) {
        const { session, client, account } = ctx.oidc;
        const known = session?.grantIdFor(client?.clientId ?? '');
        if (known !== undefined) return ctx.oidc.provider.Grant.find(known);
        const grant = new ctx.oidc.provider.Grant({
          accountId: account?.accountId ?? '',
          clientId: client?.clientId ?? '',
        });
        grant.addOIDCScope('openid');
        await grant.save();
        return grant;
      },
    });
    const handle = provider.callback();
    server = createServer((request, response) => {
      if (request.url?.startsWith('/callback') === true) return void response.end('<main>app</main>');
      if (request.url?.startsWith('/interaction/') !== true) return void handle(request, response);
      return void page(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    stored.clear();
    revocations = [];
    page = (request, response) => provider.interactionFinished(request, response, { login: { accountId: 'maria' } });
  });

  const verifier = 'v'.repeat(64);
  function authorize(extra: Record<string, string> = {}): string {
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const query = {
      client_id: 'app',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: callback,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...extra,
    };
    return `${issuer}/auth?${new URLSearchParams(query)}`;
  }
  async function ask(
    path: string,
    fields: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const authorization = `Basic ${Buffer.from('app:placeholder').toString('base64')}`;
    const answer = await fetch(`${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { authorization },
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }
  const redeem = (code: string) =>
    ask('/token', { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier });
  const codeOf = (url: string): string => new URL(url).searchParams.get('code') ?? '';
  const kinds = (): string[] => [...new Set([...stored.keys()].map((name) => name.split(' ')[0] ?? ''))].sort();

  it('a session found by uid knows its cookie id only from its payload: without it, destroy() ends nothing', async () => {
    const browser = openBrowser();
    await browser.get(authorize());
    const cookie = (await browser.cookies(issuer))['_session'] ?? '';
    const payload = stored.get(`Session ${cookie}`);
    // As our store keeps it: the cookie id stands nowhere.
    const { jti: _, ...kept } = payload ?? {};
    stored.set(`Session ${cookie}`, kept);
    const session = await provider.Session.findByUid(payload?.uid ?? '');
    expect(session?.accountId).toBe('maria');
    await session?.destroy();
    expect(stored.has(`Session ${cookie}`)).toBe(true);
  });

  it('interactionResult stores the result and gives the address to go on to; it answers nothing itself', async () => {
    let returned = '';
    page = async (request, response) => {
      returned = await provider.interactionResult(request, response, { login: { accountId: 'maria' } });
      expect(response.headersSent).toBe(false);
      expect(response.getHeader('location')).toBeUndefined();
      const [, uid = ''] = /interaction\/([\w-]+)/.exec(request.url ?? '') ?? [];
      expect(stored.get(`Interaction ${uid}`)?.result).toEqual({ login: { accountId: 'maria' } });
      response.writeHead(303, { location: returned }).end();
    };
    expect(codeOf((await openBrowser().get(authorize())).url)).not.toBe('');
    expect(returned).toMatch(new RegExp(`^${issuer}/auth/[\\w-]+$`));
  });

  it('an interaction of a session that is over is not found any more: starting over is ours', async () => {
    const browser = openBrowser();
    await browser.get(authorize());
    page = async (_request, response) => void response.end('<main>sign in</main>');
    const second = await browser.get(authorize({ prompt: 'login' }));
    for (const name of stored.keys()) if (name.startsWith('Session ')) stored.delete(name);
    page = (request, response) => provider.interactionFinished(request, response, { login: { accountId: 'maria' } });
    const late = await browser.get(second.url);
    expect(late.body).toContain('SessionNotFound');
  });

  it('a sign-in as somebody else than the session’s goes through a page of the library that signs out by script: ours ends the session before', async () => {
    const browser = openBrowser();
    await browser.get(authorize());
    page = (request, response) => provider.interactionFinished(request, response, { login: { accountId: 'pedro' } });
    const between = await browser.get(authorize({ prompt: 'login' }));
    expect(between.status).toBe(200);
    expect(between.$('form')?.getAttribute('action')).toBe(`${issuer}/session/end/confirm`);
    expect(between.body).toContain('<script>');
  });

  it('response_type=none signs in and brings nothing back; the session is then read with Session.get', async () => {
    const browser = openBrowser();
    const query = new URLSearchParams({
      client_id: 'portal',
      response_type: 'none',
      scope: 'openid',
      redirect_uri: callback,
    });
    const back = await browser.get(`${issuer}/auth?${query}`);
    expect(back.url.startsWith(callback)).toBe(true);
    expect([...new URL(back.url).searchParams.keys()]).toEqual(['iss']);
    expect(kinds()).not.toContain('AuthorizationCode');
    let seen: string | undefined;
    page = async (request, response) => {
      seen = (await provider.Session.get(provider.createContext(request, response))).accountId;
      response.end('<main>portal</main>');
    };
    await browser.get(`${issuer}/interaction/any`);
    expect(seen).toBe('maria');
    await openBrowser().get(`${issuer}/interaction/any`);
    expect(seen).toBeUndefined();
  });

  it('max_age and acr_values are only for requests with the scope openid', async () => {
    const browser = openBrowser();
    const query = new URLSearchParams({
      client_id: 'portal',
      response_type: 'none',
      redirect_uri: callback,
      max_age: '60',
    });
    expect(new URL((await browser.get(`${issuer}/auth?${query}`)).url).searchParams.get('error')).toBe(
      'invalid_request',
    );
  });

  it('a code used again revokes its grant model by model, through revokeByGrantId and Grant.destroy', async () => {
    const code = codeOf((await openBrowser().get(authorize())).url);
    const { body } = await redeem(code);
    expect(body).toHaveProperty('refresh_token');
    expect(kinds()).toEqual(expect.arrayContaining(['AccessToken', 'Grant', 'RefreshToken']));
    expect((await redeem(code)).body).toMatchObject({ error: 'invalid_grant' });
    expect([...new Set(revocations)].sort()).toEqual(
      expect.arrayContaining(['AccessToken', 'AuthorizationCode', 'RefreshToken']),
    );
    expect(revocations).not.toContain('Session');
    expect(revocations).not.toContain('Grant');
    expect(kinds()).toEqual(['Session']);
  });

  it('a clock may be wrong by 15 s where what is stored is found; codes and refresh tokens end at their second', async () => {
    const now = Math.floor(Date.now() / 1000);
    const token = { kind: 'AccessToken', accountId: 'maria', clientId: 'app', iat: now - 600 };
    stored.set('AccessToken recent', { ...token, jti: 'recent', exp: now - 5 });
    stored.set('AccessToken late', { ...token, jti: 'late', exp: now - 20 });
    expect(await provider.AccessToken.find('recent')).toBeDefined();
    expect(await provider.AccessToken.find('late')).toBeUndefined();
    const code = codeOf((await openBrowser().get(authorize())).url);
    stored.set(`AuthorizationCode ${code}`, { ...stored.get(`AuthorizationCode ${code}`), exp: now - 1 });
    expect((await redeem(code)).body).toMatchObject({ error: 'invalid_grant' });
  });

  it('a code is bound to its session: an app gets nothing for one whose session is gone', async () => {
    const browser = openBrowser();
    const code = codeOf((await browser.get(authorize())).url);
    for (const name of stored.keys()) if (name.startsWith('Session ')) stored.delete(name);
    expect((await redeem(code)).body).toMatchObject({ error: 'invalid_grant' });
  });
});
