import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { raw } from './raw.js';
import type { RawAnswer } from './raw.js';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

interface Assertion {
  key?: KeyPair['privateKey'] | Uint8Array;
  header?: { alg?: string; kid?: string };
  claims?: Record<string, unknown>;
}

describe('row 5: assertions by which an app says who it is', () => {
  let house: TestHouse;
  let own: KeyPair;
  let foreign: KeyPair;
  let publicJwk: string;
  let keySets: Server;
  beforeAll(async () => {
    own = await generateKeyPair('ES256', { extractable: true });
    foreign = await generateKeyPair('ES256', { extractable: true });
    publicJwk = JSON.stringify({ ...(await exportJWK(own.publicKey)), kid: 'own', use: 'sig', alg: 'ES256' });
    const neighbours = { ...(await exportJWK(foreign.publicKey)), kid: 'own', use: 'sig', alg: 'ES256' };
    const sets = new Map([
      ['/warehouse', { keys: [JSON.parse(publicJwk) as unknown] }],
      ['/neighbour', { keys: [neighbours] }],
    ]);
    keySets = createServer((asked, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(sets.get(asked.url ?? '')));
    });
    await new Promise<void>((resolve) => keySets.listen(0, '127.0.0.1', resolve));
    const address = keySets.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    house = await startTestHouse({
      apps: ['warehouse', 'neighbour'].map((id) => ({
        registration: {
          client_id: id,
          scope: 'openid',
          token_endpoint_auth_method: 'private_key_jwt',
          grant_types: ['client_credentials'],
          response_types: [],
          jwks_uri: `http://127.0.0.1:${address.port}/${id}`,
        },
      })),
    });
  });
  afterAll(async () => {
    await house.close();
    keySets.close();
  });

  const now = (): number => Math.floor(Date.now() / 1000);

  function assertion({ key, header, claims }: Assertion = {}): Promise<string> {
    const payload = {
      iss: 'warehouse',
      sub: 'warehouse',
      aud: house.issuer,
      jti: randomUUID(),
      iat: now(),
      exp: now() + 60,
      ...claims,
    };
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'own', ...header }).sign(key ?? own.privateKey);
  }

  function redeem(token: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
    return raw(house.issuer, {
      target: '/token',
      headers: { accept: 'application/json', ...headers },
      body: {
        grant_type: 'client_credentials',
        client_id: 'warehouse',
        client_assertion: token,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      },
    });
  }

  async function expectRefused(token: string): Promise<void> {
    const { status, body } = await redeem(token);
    const { error, ...rest } = JSON.parse(body) as { error: string; access_token?: string };
    expect(`${status} ${error}`).toMatch(/^(401 invalid_client|400 invalid_request)$/);
    expect(rest).not.toHaveProperty('access_token');
  }

  it('a good one is taken', async () => {
    const { status, body } = await redeem(await assertion());
    expect(status).toBe(200);
    expect(JSON.parse(body)).toHaveProperty('access_token');
  });

  it('alg none, whatever stands for a signature', async () => {
    const [, payload = '', signature = ''] = (await assertion()).split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      const head = Buffer.from(JSON.stringify({ alg, kid: 'own' })).toString('base64url');
      await expectRefused(`${head}.${payload}.`);
      await expectRefused(`${head}.${payload}.${signature}`);
    }
  });

  it('a foreign key, another registered app’s key, and the public key as a secret', async () => {
    await expectRefused(await assertion({ key: foreign.privateKey }));
    const { privateKey } = await generateKeyPair('RS256');
    await expectRefused(await assertion({ key: privateKey, header: { alg: 'RS256' } }));
    for (const secret of [publicJwk, 'own']) {
      await expectRefused(
        await assertion({ key: new TextEncoder().encode(secret.padEnd(32, '.')), header: { alg: 'HS256' } }),
      );
    }
  });

  it('a payload that was changed under its signature', async () => {
    const [head = '', , signature = ''] = (await assertion()).split('.');
    const claims = { iss: 'warehouse', sub: 'warehouse', aud: house.issuer, jti: 'x', iat: now(), exp: now() + 60 };
    await expectRefused(`${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`);
  });

  it('of another app, or for one', async () => {
    await expectRefused(await assertion({ claims: { iss: 'neighbour', sub: 'neighbour' } }));
    await expectRefused(await assertion({ claims: { sub: 'neighbour' } }));
    await expectRefused(await assertion({ claims: { iss: 'neighbour' } }));
  });

  it('one that was used before', async () => {
    const token = await assertion();
    expect((await redeem(token)).status).toBe(200);
    await expectRefused(token);
    // Signed anew, the same jti is still the same assertion.
    const jti = randomUUID();
    expect((await redeem(await assertion({ claims: { jti } }))).status).toBe(200);
    await expectRefused(await assertion({ claims: { jti, exp: now() + 50 } }));
  });

  it('one that comes twenty times at the same instant is taken once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const token = await assertion();
      const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(token)));
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
        200,
        ...Array<number>(19).fill(401),
      ]);
    }
  });

  it('without an end, without a number, without an audience', async () => {
    for (const name of ['exp', 'jti', 'aud', 'iss', 'sub']) {
      await expectRefused(await assertion({ claims: { [name]: undefined } }));
    }
  });

  it('expired, not yet good, and good for longer than an hour', async () => {
    await expectRefused(await assertion({ claims: { iat: now() - 7_200, exp: now() - 3_600 } }));
    await expectRefused(await assertion({ claims: { nbf: now() + 3_600 } }));
    await expectRefused(await assertion({ claims: { exp: now() + 2 * 3_600 } }));
    await expectRefused(await assertion({ claims: { exp: 99_999_999_999 } }));
  });

  it('for another audience, whatever the Host says', async () => {
    const audiences = [
      'https://evil.example',
      'https://evil.example/token',
      `${house.issuer}.evil.example`,
      'warehouse',
    ];
    for (const aud of audiences) await expectRefused(await assertion({ claims: { aud } }));
    for (const scheme of ['http', 'https']) {
      for (const aud of [`${scheme}://evil.example`, `${scheme}://evil.example/token`]) {
        for (const headers of [
          { host: 'evil.example' },
          { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': scheme },
          { forwarded: `host=evil.example;proto=${scheme}` },
        ]) {
          const { status, body } = await redeem(await assertion({ claims: { aud } }), headers);
          expect([401, 421]).toContain(status);
          expect(body).not.toContain('access_token');
        }
      }
    }
    expect((await redeem(await assertion({ claims: { aud: `${house.issuer}/token` } }))).status).toBe(200);
  });
});
