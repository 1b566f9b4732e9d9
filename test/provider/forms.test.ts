import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { apps, elementary } from './family.js';

describe('attacks through the browser', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ elementary, apps });
  });
  afterAll(() => house.close());

  describe('row 8: forms of other sites, and headers', () => {
    const forms = [
      '/register',
      '/register/code',
      '/recover',
      '/activate',
      '/activate/password',
      '/recover/link',
      '/recover/password',
      '/interaction/x/login',
      '/interaction/x/cancel',
      '/interaction/x/terms',
      '/interaction/x/consent',
      '/sign-out/confirm',
    ];
    it.each(forms)('%s refuses a form from elsewhere', async (path) => {
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
        expect(answer.status).toBe(403);
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
