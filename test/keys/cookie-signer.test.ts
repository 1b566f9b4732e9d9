import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { cookieSigner } from '../../src/keys/cookie-signer.js';

describe('the signer of cookies', () => {
  const before = cookieSigner(['old', 'older']);
  const after = cookieSigner(['new', 'old']);

  it('takes what a key before signed, and not what one that is gone did', () => {
    const signed = before.sign('pa-session=abc');
    expect(after.verify('pa-session=abc', signed)).toBe(true);
    expect(after.verify('pa-session=abd', signed)).toBe(false);
    expect(after.index('pa-session=abc', cookieSigner(['older']).sign('pa-session=abc'))).toBe(-1);
  });

  it('signs by the first, and never asks to write a signature anew', () => {
    expect(cookieSigner(['new']).verify('x', after.sign('x'))).toBe(true);
    expect(after.index('x', before.sign('x'))).toBe(0);
  });

  it('takes the signatures of earlier versions, which were those of Keygrip', () => {
    const keygrip = createHmac('sha1', 'old').update('x').digest('base64').replaceAll('/', '_').replaceAll('+', '-');
    expect(after.verify('x', keygrip.replaceAll('=', ''))).toBe(true);
  });

  it.each(['', 'é', '\u0000', 'a'.repeat(10_000)])('refuses %j as a signature', (signature) => {
    expect(after.verify('x', signature)).toBe(false);
  });

  it('wants a key', () => {
    expect(() => cookieSigner([])).toThrow('no key');
  });
});
