import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { argon2id, hash } from 'argon2';
import { passwordHasher } from '../../src/accounts/password-hasher.js';
import type { PasswordHasher } from '../../src/accounts/password-hasher.js';
import { signIn } from '../../src/accounts/sign-in.js';
import type { SignIn } from '../../src/accounts/sign-in.js';
import { auditLog } from '../../src/audit/audit.js';
import type { Database } from '../../src/database/database.js';
import { throttles } from '../../src/http/throttle.js';
import { databases, freshDatabase } from '../support/database.js';
import { account, emptyAll } from './people.js';

const password = 'a long way to school';

describe.each(databases)('the sign-in, on %s', (kind) => {
  let db: Database;
  let close: () => Promise<void>;
  let hasher: PasswordHasher;
  let desk: SignIn;
  beforeAll(async () => {
    const opened = await freshDatabase(kind);
    db = opened.db;
    close = () => opened.close();
    hasher = await passwordHasher(2, 100);
    desk = signIn(
      db,
      hasher,
      throttles(opened.pool, 1_000, Buffer.alloc(32, 1)),
      auditLog(() => new Date()),
      Buffer.alloc(32, 2),
    );
  });
  afterAll(() => close());
  beforeEach(() => emptyAll(db));

  const stored = async (id: string): Promise<string> =>
    (await db.selectFrom('accounts').select('password_hash').where('id', '=', id).executeTakeFirstOrThrow())
      .password_hash;

  it('makes a hash of old parameters anew, with the password that was just right', async () => {
    const old = await hash(password, { type: argon2id, memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    const id = await account(db, { email: 'rosa@example.org', password_hash: old });
    expect(await desk.check('rosa@example.org', 'a wrong password', '127.0.0.1')).toBeNull();
    expect(await stored(id)).toBe(old);
    expect(await desk.check('rosa@example.org', password, '127.0.0.1')).toMatchObject({
      accountId: id,
      disabled: false,
    });
    const fresh = await stored(id);
    expect(hasher.isOutdated(fresh)).toBe(false);
    expect(await desk.check('rosa@example.org', password, '127.0.0.1')).toMatchObject({
      accountId: id,
      disabled: false,
    });
    expect(await stored(id)).toBe(fresh);
  });

  it('takes the e-mail however it is written, and the sign-in name in any case', async () => {
    const made = await hasher.hash(password);
    const first = await account(db, { email: 'rosa@example.org', password_hash: made });
    const second = await account(db, { email: 'rosa@example.org', sign_in_name: 'luis.lopez', password_hash: made });
    expect(await desk.check(' Rosa@EXAMPLE.org', password, '127.0.0.1')).toMatchObject({ accountId: first });
    expect(await desk.check('LUIS.Lopez', password, '127.0.0.1')).toMatchObject({ accountId: second });
  });

  it('answers alike to nobody, to a wrong password and to a wrong password of a suspended account', async () => {
    const made = await hasher.hash(password);
    await account(db, { email: 'rosa@example.org', password_hash: made });
    await account(db, {
      email: 'gone@example.org',
      password_hash: made,
      disabled_at: new Date(),
      disabled_as: 'suspended',
    });
    expect(await desk.check('nobody@example.org', password, '127.0.0.1')).toBeNull();
    expect(await desk.check('rosa@example.org', 'a wrong password', '127.0.0.1')).toBeNull();
    expect(await desk.check('gone@example.org', 'a wrong password', '127.0.0.1')).toBeNull();
    expect(await desk.check('gone@example.org', password, '127.0.0.1')).toMatchObject({ disabled: true });
  });

  it('takes the password to its last character: no tail is cut off', async () => {
    const long = 'a long way to school '.repeat(48).slice(0, 1_000);
    const id = await account(db, { email: 'rosa@example.org', password_hash: await hasher.hash(long) });
    expect(await desk.check('rosa@example.org', `${long.slice(0, 999)}X`, '127.0.0.1')).toBeNull();
    expect(await desk.check('rosa@example.org', long, '127.0.0.1')).toMatchObject({ accountId: id });
  });
});
