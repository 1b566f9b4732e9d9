import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import Router from '@koa/router';
import type { RouterInstance } from '@koa/router';
import { parse } from 'node-html-parser';
import { everyCase, fuzzKinds, fuzzScene } from '../support/fuzz-cases.js';
import type { FuzzScene } from '../support/fuzz-cases.js';
import { raw } from './raw.js';
import type { RawAnswer } from './raw.js';

/** What is wrong with an answer; nothing when it is as it should be. */
function faults({ status, headers, body }: RawAnswer): string[] {
  const cookies = JSON.stringify(headers['set-cookie'] ?? '');
  const isPage = JSON.stringify(headers['content-type'] ?? '').includes('html');
  return [
    ...(status >= 500 ? [`a fault of ours: ${status}`] : []),
    ...('x-probe' in headers || cookies.includes('x-probe') ? ['a header of the sender’s making'] : []),
    ...(isPage && (body.includes('<x-probe') || parse(body).querySelector('x-probe') !== null) ? ['markup'] : []),
    ...(/\bat .+\.(ts|js):\d+|syntax error at or near|ECONN|node_modules/.test(body) ? ['our insides'] : []),
  ];
}

/** No answer is a fault of ours, and nothing that was sent comes back as markup. */
describe('whatever is sent', () => {
  let scene: FuzzScene;
  // The routers of the house itself, so that no route can be added and left out here.
  const built = jest.spyOn(Router.prototype, 'routes');
  beforeAll(async () => {
    scene = await fuzzScene();
  });
  afterAll(() => scene.house.close());

  it('goes to every route that there is', () => {
    const routes = (built.mock.contexts as RouterInstance[]).flatMap(({ stack }) => stack);
    expect(routes.length).toBeGreaterThan(30);
    const missed = routes.filter(({ methods, regexp }) => {
      const sent = methods.includes('POST') ? scene.forms : scene.pages;
      return !sent.some((path) => regexp.test(path));
    });
    expect(missed.map(({ methods, path }) => `${methods.join(' ')} ${path}`)).toEqual([]);
  });

  it.each(fuzzKinds)('%s', async (kind) => {
    const { issuer } = scene.house;
    await everyCase(kind, scene, async (request) => {
      const answer = await raw(issuer, request);
      expect(faults(answer)).toEqual([]);
      // Only an app may be led to, by the endpoint that is there for it.
      if (request.target.startsWith('/authorize')) return;
      expect(new URL(answer.headers.location ?? '/', issuer).origin).toBe(issuer);
    });
  });

  it('went to the pages of a person too, who is signed in still', async () => {
    const cookie = await scene.cookies('/devices');
    expect((await raw(scene.house.issuer, { target: '/devices', headers: { cookie } })).status).toBe(200);
  });
});
