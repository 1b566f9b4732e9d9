import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import Router from '@koa/router';
import type { RouterInstance } from '@koa/router';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { apps, elementary } from './family.js';

describe('attacks through the browser', () => {
  let house: TestHouse;
  // The routers of the house itself, so that no form can be added and left out here.
  const built = jest.spyOn(Router.prototype, 'routes');
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps });
  });
  afterAll(() => house.close());

  describe('row 8: forms of other sites, and headers', () => {
    it('every form there is refuses one from elsewhere', async () => {
      const routes = (built.mock.contexts as RouterInstance[]).flatMap(({ stack }) => stack);
      const forms = routes
        .filter(({ methods }) => methods.includes('POST'))
        .map(({ path }) => String(path).replace(':uid', 'x'));
      expect(forms.length).toBeGreaterThan(15);
      // The one form of ours that the library answers.
      for (const path of [...forms, '/sign-out/confirm']) {
        for (const headers of [
          { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
          { 'sec-fetch-site': 'same-site' },
          { origin: 'https://evil.example' },
          { origin: 'null' },
          {},
        ]) {
          const answer = await fetch(`${house.issuer}${path}`, {
            method: 'POST',
            headers,
            body: new URLSearchParams({ email: 'a@example.org' }),
            redirect: 'manual',
          });
          expect([path, answer.status]).toEqual([path, 403]);
        }
      }
    });

    it.each([
      '/',
      '/register',
      '/recover',
      '/help',
      '/terms',
      '/activate?token=x',
      '/register/sent',
      '/nowhere',
      '/sign-out',
    ])('%s carries the headers', async (path) => {
      const answer = await fetch(`${house.issuer}${path}`, { redirect: 'manual', headers: { accept: 'text/html' } });
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe-inline');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
      expect(answer.headers.get('referrer-policy')).toBe('strict-origin');
      expect(answer.headers.get('permissions-policy')).toContain('camera=()');
      expect(answer.headers.get('cache-control')).toContain('no-store');
    });
  });
});
