import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import Provider from 'oidc-provider';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { openBrowser } from '../support/browser.js';
import { freePort } from '../support/house.js';

/*
 * What we rely on in oidc-provider, and what we work around, on a bare provider with a plain adapter. When a test here turns red after an
 * upgrade, the code that leans on it is to be read again.
 */
const stored = new Map<string, AdapterPayload>();

/** As one would write it first: every call answers a little later, and nothing is decided by the database. */
function plainAdapter(kind: string): Adapter {
  const key = (id: string): string => `${kind} ${id}`;
  const find = async (id: string): Promise<AdapterPayload | undefined> => {
    await pause(2);
    return stored.get(key(id));
  };
  return {
    async upsert(id, payload) {
      await pause(2);
      stored.set(key(id), { ...payload });
    },
    find,
    findByUid: async (uid) => [...stored].find(([name, payload]) => name.startsWith(kind) && payload.uid === uid)?.[1],
    findByUserCode: async () => undefined,
    async consume(id) {
      await pause(2);
      stored.set(key(id), { ...stored.get(key(id)), consumed: Math.floor(Date.now() / 1000) });
    },
    async destroy(id) {
      stored.delete(key(id));
    },
    async revokeByGrantId(grantId) {
      for (const [name, payload] of stored)
        if (payload.grantId === grantId && name.startsWith(kind)) stored.delete(name);
    },
  };
}

describe('oidc-provider, as we know it', () => {
  let provider: Provider;
  let server: Server;
  let issuer = '';
  let callback = '';
  let logins = 0;
  const scopes: string[] = [];
  const verifier = 'v'.repeat(64);

  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://localhost:${port}`;
    callback = `${issuer}/callback`;
    provider = new Provider(issuer, {
      adapter: plainAdapter,
      clients: ['basic', 'post'].map((method) => ({
        client_id: method,
        client_secret: 'placeholder',
        redirect_uris: [callback],
        token_endpoint_auth_method: `client_secret_${method}` as 'client_secret_basic',
        grant_types: ['authorization_code', 'refresh_token'],
      })),
      cookies: { keys: ['a key'] },
      features: { devInteractions: { enabled: false } },
      scopes: ['openid', 'offline_access'],
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
      async loadExistingGrant(ctx) {
        scopes.push(String(ctx.oidc.params?.['scope']));
        const grant = new ctx.oidc.provider.Grant({
          accountId: ctx.oidc.account?.accountId ?? '',
          clientId: ctx.oidc.client?.clientId ?? '',
        });
        grant.addOIDCScope('openid offline_access');
        await grant.save();
        return grant;
      },
    });
    Object.assign(provider.Client.prototype, { compareClientSecret: (secret: string) => secret === 'the real one' });
    const handle = provider.callback();
    server = createServer((request, response) => {
      if (request.url?.startsWith('/callback') === true) return void response.end('<main>app</main>');
      if (request.url?.startsWith('/interaction/') !== true) return void handle(request, response);
      logins += 1;
      return void provider.interactionFinished(request, response, { login: { accountId: 'maria' } });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  function authorize(extra: Record<string, string> = {}): string {
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const query = {
      client_id: 'basic',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: callback,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: 's',
      ...extra,
    };
    return `${issuer}/authorize?${new URLSearchParams(query)}`.replace('/authorize', '/auth');
  }

  async function redeem(code: string, secret: string, method: 'basic' | 'post' = 'basic'): Promise<number> {
    const fields = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier };
    const answer = await fetch(`${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams(method === 'basic' ? fields : { ...fields, client_id: 'post', client_secret: secret }),
      headers:
        method === 'basic'
          ? { authorization: `Basic ${Buffer.from(`basic:${encodeURIComponent(secret)}`).toString('base64')}` }
          : {},
    });
    await answer.text();
    return answer.status;
  }

  const codeOf = (url: string): string => new URL(url).searchParams.get('code') ?? '';

  it('acr_values alone ask for nothing: step-up is our own check', async () => {
    const browser = openBrowser();
    await browser.get(authorize());
    const before = logins;
    const page = await browser.get(authorize({ acr_values: 'urn:something:stronger' }));
    expect(codeOf(page.url)).not.toBe('');
    expect(logins).toBe(before);
  });

  it('a session’s uid stays and its cookie id changes at a new sign-in', async () => {
    const browser = openBrowser();
    await browser.get(authorize());
    const cookie = (await browser.cookies(issuer))['_session'] ?? '';
    const uid = stored.get(`Session ${cookie}`)?.uid;
    await browser.get(authorize({ prompt: 'login' }));
    const next = (await browser.cookies(issuer))['_session'] ?? '';
    expect(next).not.toBe(cookie);
    expect(stored.get(`Session ${next}`)?.uid).toBe(uid);
    expect(stored.has(`Session ${cookie}`)).toBe(false);
  });

  it('an interaction holds the session’s cookie id in the clear: the adapter strips it', async () => {
    const browser = openBrowser();
    await browser.get(authorize());
    const cookie = (await browser.cookies(issuer))['_session'] ?? '';
    await browser.get(authorize({ prompt: 'login' }), { follow: false });
    const held = [...stored.values()].some(
      (payload) => payload.kind === 'Interaction' && payload.session?.cookie === cookie,
    );
    expect(held).toBe(true);
  });

  it('offline_access is dropped without prompt=consent: refresh tokens are given by registration', async () => {
    scopes.splice(0);
    await openBrowser().get(authorize({ scope: 'openid offline_access' }));
    expect(scopes.at(-1)).toBe('openid');
  });

  it('expiry is checked by the library: what the adapter still finds is of no use', async () => {
    stored.set('AccessToken old', {
      kind: 'AccessToken',
      jti: 'old',
      accountId: 'maria',
      clientId: 'basic',
      exp: 1,
      iat: 0,
    });
    expect(await provider.AccessToken.find('old')).toBeUndefined();
    expect(await provider.AccessToken.find('old', { ignoreExpiration: true })).toBeDefined();
  });

  it.each(['basic', 'post'] as const)('compareClientSecret decides for client_secret_%s', async (method) => {
    const page = await openBrowser().get(authorize({ client_id: method }));
    expect(await redeem(codeOf(page.url), 'placeholder', method)).toBe(401);
    expect(await redeem(codeOf(page.url), 'the real one', method)).toBe(200);
  });

  it('a plain adapter lets parallel redemptions of one code through: ours decides in one statement', async () => {
    const page = await openBrowser().get(authorize());
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(codeOf(page.url), 'the real one')));
    expect(answers.filter((status) => status === 200).length).toBeGreaterThan(1);
  });

  it('a target in absolute form decides what discovery says: our outer app refuses it', async () => {
    const { port, host } = new URL(issuer);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(
          `GET http://evil.example/.well-known/openid-configuration HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        );
      });
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
      });
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toContain('evil.example');
  });

  it('Session.get reads who is signed in from any request of that browser', async () => {
    const browser = openBrowser();
    await browser.get(authorize());
    const cookies = await browser.cookies(issuer);
    const header = Object.entries(cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');
    const seen = await new Promise<string | undefined>((resolve, reject) => {
      const other = createServer((request, response) => {
        provider.Session.get(provider.createContext(request, response)).then((session) => {
          response.end();
          other.close();
          resolve(session.accountId);
        }, reject);
      });
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        const at = typeof address === 'object' && address !== null ? address.port : 0;
        fetch(`http://127.0.0.1:${at}/`, { headers: { cookie: header } }).then((answer) => answer.text(), reject);
      });
    });
    expect(seen).toBe('maria');
  });
});
