import { describe, expect, it } from '@jest/globals';
import { argon2id, hash } from 'argon2';
import { HasherBusy, passwordHasher } from '../../src/accounts/password-hasher.js';

describe('the password hasher', () => {
  it('makes argon2id with the parameters of the design, a salt of its own for each', async () => {
    const hasher = await passwordHasher(2, 10);
    const [one, other] = await Promise.all([hasher.hash('a long way home'), hasher.hash('a long way home')]);
    const [, kind, , parameters = ''] = one.split('$');
    expect(kind).toBe('argon2id');
    expect(parameters.split(',').sort()).toEqual(['m=19456', 'p=1', 't=2']);
    expect(one).not.toBe(other);
    expect(await hasher.verify(one, 'a long way home')).toBe(true);
    expect(await hasher.verify(one, 'a long way hom3')).toBe(false);
    expect(hasher.isOutdated(one)).toBe(false);
  });

  it('knows a hash of weaker parameters, and still compares with it', async () => {
    const hasher = await passwordHasher(1, 10);
    const weak = await hash('a long way home', { type: argon2id, memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    expect(hasher.isOutdated(weak)).toBe(true);
    expect(await hasher.verify(weak, 'a long way home')).toBe(true);
  });

  it('takes the same password from every keyboard', async () => {
    const hasher = await passwordHasher(1, 10);
    const composed = await hasher.hash('un café con leche');
    expect(await hasher.verify(composed, 'un cafe\u0301 con leche')).toBe(true);
  });

  it('compares with nothing where there is nobody, and is never right then', async () => {
    const hasher = await passwordHasher(1, 10);
    expect(await hasher.verify(null, 'a long way home')).toBe(false);
    expect(await hasher.verify(null, 'nobody has this password')).toBe(false);
  });

  it('lets as many wait as the queue is long and tells the others when to come again', async () => {
    const hasher = await passwordHasher(2, 3);
    const answers = await Promise.allSettled(Array.from({ length: 12 }, () => hasher.verify(null, 'a long way home')));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    expect(answers).toHaveLength(12);
    expect(refused).toHaveLength(7);
    for (const reason of refused) {
      expect(reason).toBeInstanceOf(HasherBusy);
      expect(reason).toMatchObject({ status: 503, retryAfter: 5 });
    }
  });

  it('has all its places again after a storm and after a fault', async () => {
    const hasher = await passwordHasher(1, 1);
    await Promise.allSettled(Array.from({ length: 8 }, () => hasher.hash('a long way home')));
    await expect(hasher.verify('not a hash at all', 'a long way home')).rejects.toBeInstanceOf(Error);
    const both = await Promise.all([hasher.hash('a long way home'), hasher.hash('a long way home')]);
    expect(both).toHaveLength(2);
  });
});
