import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { apps, elementary } from './family.js';

describe('attacks by what a request says of itself', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps });
  });
  afterAll(() => house.close());

  describe('row 6: forged hosts and sources', () => {
    function raw(
      headers: Record<string, string>,
      path = '/.well-known/openid-configuration',
    ): Promise<{ status: number; body: string }> {
      const { port } = new URL(house.issuer);
      return new Promise((resolve, reject) => {
        const sent = request(
          { host: '127.0.0.1', port, path, headers: { host: `localhost:${port}`, ...headers } },
          (answer) => {
            let body = '';
            answer.on('data', (chunk) => (body += String(chunk)));
            answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
          },
        );
        sent.on('error', reject);
        sent.end();
      });
    }

    it('another Host is refused', async () => {
      expect((await raw({ host: 'evil.example' })).status).toBe(421);
    });

    it('a target in absolute form is refused, whatever the Host says', async () => {
      const { port, host } = new URL(house.issuer);
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.write(
            `GET http://evil.example/.well-known/openid-configuration HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
          );
        });
        let text = '';
        socket.on('data', (chunk) => (text += String(chunk)));
        socket.on('end', () => resolve(text));
        socket.on('error', reject);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 421/);
      expect(answer).not.toContain('evil.example');
    });

    it.each(['X-Forwarded-Host', 'X-Forwarded-Server', 'X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Prefix'])(
      '%s changes nothing',
      async (name) => {
        const { body } = await raw({ [name]: 'evil.example' });
        expect(JSON.parse(body)).toMatchObject({ issuer: house.issuer, token_endpoint: `${house.issuer}/token` });
      },
    );

    it('Forwarded and X-Forwarded-Proto change nothing', async () => {
      const { body } = await raw({ Forwarded: 'host=evil.example;proto=https', 'X-Forwarded-Proto': 'https' });
      expect(JSON.parse(body)).toMatchObject({ issuer: house.issuer });
      expect(body).not.toContain('evil.example');
    });

    it('mails carry the configured origin only', async () => {
      const { port } = new URL(house.issuer);
      const body = new URLSearchParams({ email: 'pedro@example.org', phone: '(213) 555-0122' }).toString();
      await new Promise<void>((resolve, reject) => {
        const sent = request(
          {
            host: '127.0.0.1',
            port,
            path: '/register',
            method: 'POST',
            headers: {
              host: `localhost:${port}`,
              origin: house.issuer,
              'x-forwarded-host': 'evil.example',
              forwarded: 'host=evil.example',
              'content-type': 'application/x-www-form-urlencoded',
              'content-length': Buffer.byteLength(body),
            },
          },
          (answer) => answer.resume().on('end', () => resolve()),
        );
        sent.on('error', reject);
        sent.end(body);
      });
      const letter = await house.mailbox.waitFor('pedro@example.org');
      expect(letter.text).toContain(`${house.issuer}/activate`);
      expect(letter.text + letter.html).not.toContain('evil.example');
    });
  });
});
