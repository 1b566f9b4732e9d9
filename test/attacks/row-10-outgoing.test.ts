import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, generateKeyPair } from 'jose';
import { register } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { elementary } from '../provider/family.js';
import { raw } from './raw.js';
import type { RawAnswer } from './raw.js';

/** More than any key set needs. */
const megabyte = 1_048_576;

/** Row 10, through the house: what an app or a stranger names is asked only where it is registered, and never without an end. */
describe('row 10: addresses that the house is asked to call', () => {
  let house: TestHouse;
  let keySets: Server;
  let inside: Server;
  let origin = '';
  let hits: string[] = [];
  let sent = 0;
  const opened: Server[] = [];

  async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push(server);
    return server;
  }
  const portOf = (server: Server): number => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };

  /** What the registered place answers for each app, by the app's name. */
  const answers: Record<string, (response: ServerResponse) => void> = {
    moved: (response) => response.writeHead(302, { location: `${origin}/keys` }).end(),
    'moved-for-good': (response) => response.writeHead(308, { location: `${origin}/keys` }).end(),
    endless: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"keys":[');
      const more = (): void => {
        if (response.destroyed) return;
        sent += 65_536;
        response.write(' '.repeat(65_536));
        setTimeout(more, 1);
      };
      more();
    },
    slow: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"keys":[');
      const more = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(more));
    },
    silent: () => undefined,
  };

  beforeAll(async () => {
    inside = await listen((request, response) => {
      hits.push(request.url ?? '');
      response.end('{"keys":[]}');
    });
    origin = `http://127.0.0.1:${portOf(inside)}`;
    keySets = await listen((request, response) => answers[(request.url ?? '').slice(1)]?.(response));
    house = await startTestHouse({
      elementary,
      apps: [
        ...Object.keys(answers).map((id) => ({
          registration: {
            client_id: id,
            scope: 'openid',
            token_endpoint_auth_method: 'private_key_jwt' as const,
            grant_types: ['client_credentials' as const],
            response_types: [],
            jwks_uri: `http://127.0.0.1:${portOf(keySets)}/${id}`,
          },
        })),
        { registration: { client_id: 'bulletin', scope: 'openid profile' } },
      ],
    });
    await register(openBrowser(), house, 'maria@example.org');
    hits = [];
  });
  afterAll(async () => {
    await house.close();
    for (const server of opened) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function redeem(clientId: string): Promise<RawAnswer> {
    const { privateKey } = await generateKeyPair('ES256');
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: clientId, sub: clientId, aud: house.issuer, jti: randomUUID(), iat: now, exp: now + 60 };
    return raw(house.issuer, {
      target: '/token',
      headers: { accept: 'application/json' },
      body: {
        grant_type: 'client_credentials',
        client_id: clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'x' }).sign(privateKey),
      },
    });
  }

  it.each(['moved', 'moved-for-good'])(
    'a key set that has %s is not followed to where nobody registered',
    async (app) => {
      expect((await redeem(app)).status).toBe(401);
      expect(hits).toEqual([]);
    },
  );

  it.each(['endless', 'slow', 'silent'])('a key set that is %s is cut, and the house serves meanwhile', async (app) => {
    sent = 0;
    const [answer, page] = await Promise.all([redeem(app), raw(house.issuer, { target: '/help' })]);
    expect([answer.status, page.status]).toEqual([401, 200]);
    // Nothing is still being read.
    const before = sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sent - before).toBeLessThanOrEqual(megabyte);
    expect(await promisify(keySets.getConnections.bind(keySets))()).toBe(0);
  });

  it('what a request names is never called: request_uri, and metadata that it brings along', async () => {
    const port = portOf(inside);
    const places = [
      `${origin}/x`,
      `http://localhost:${port}/x`,
      `http://2130706433:${port}/x`,
      `http://0x7f.1:${port}/x`,
      `http://[::ffff:127.0.0.1]:${port}/x`,
      `http://127.0.0.1.nip.io:${port}/x`,
      `${house.issuer}@127.0.0.1:${port}/x`,
      'http://169.254.169.254/latest/meta-data/',
    ];
    for (const place of places) {
      const asked = new URLSearchParams({
        client_id: 'bulletin',
        redirect_uri: house.apps.get('bulletin')?.redirect_uris[0] ?? '',
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
        request_uri: place,
      });
      for (const name of ['jwks_uri', 'logo_uri', 'sector_identifier_uri', 'backchannel_logout_uri', 'client_uri'])
        asked.set(name, place);
      const { status } = await raw(house.issuer, { target: `/authorize?${asked}` });
      expect([place, status < 500]).toEqual([place, true]);
      const pushed = await raw(house.issuer, {
        target: '/par',
        headers: { authorization: `Basic ${Buffer.from(`bulletin:${house.secret}`).toString('base64')}` },
        body: Object.fromEntries(asked),
      });
      expect([place, pushed.status]).toEqual([place, 400]);
    }
    expect(hits).toEqual([]);
  });
});
