import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { guardedFetch } from '../../src/provider/outgoing.js';

/** Decision 8: exact registered origins, private ones included, and nothing else. */
describe('what the provider asks of apps', () => {
  let registered: Server;
  let other: Server;
  let hits = 0;
  let app = '';
  let elsewhere = '';

  async function listen(server: Server): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
  }

  beforeAll(async () => {
    other = createServer((_request, response) => {
      hits += 1;
      response.end('{}');
    });
    elsewhere = await listen(other);
    registered = createServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: `${elsewhere}/keys` }).end();
      else response.end('{"keys":[]}');
    });
    app = await listen(registered);
  });
  afterAll(() => {
    registered.close();
    other.close();
  });

  it('reaches a registered origin, also a private one', async () => {
    const answer = await guardedFetch(new Set([app]))(`${app}/keys`);
    expect(await answer.json()).toEqual({ keys: [] });
  });

  it.each([
    ['another port', () => elsewhere],
    ['the address as one number', () => elsewhere.replace('127.0.0.1', '2130706433')],
    ['another scheme', () => app.replace('http:', 'https:')],
    ['the name of the address', () => app.replace('127.0.0.1', 'localhost')],
    ['the metadata service', () => 'http://169.254.169.254'],
  ])('refuses %s without a request', async (_, origin) => {
    await expect(guardedFetch(new Set([app]))(`${origin()}/keys`)).rejects.toThrow('not allowed');
    expect(hits).toBe(0);
  });

  it('does not follow a redirect out of the list', async () => {
    await expect(guardedFetch(new Set([app]))(`${app}/moved`)).rejects.toThrow('fetch failed');
    expect(hits).toBe(0);
  });

  it('replaces the library’s own dispatcher, which refuses every private address', async () => {
    const dispatcher = {
      dispatch(): never {
        throw new Error('the dispatcher of the library was used');
      },
    };
    const answer = await guardedFetch(new Set([app]))(`${app}/keys`, { dispatcher } as RequestInit);
    expect(answer.status).toBe(200);
  });
});
