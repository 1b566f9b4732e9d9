import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { answerAddress, confirmAddress } from '../../src/accounts/change-address.js';
import type { AddressChange } from '../../src/accounts/change-address.js';
import { lockMailbox } from '../../src/accounts/mailbox-lock.js';
import { pendingFor } from '../../src/accounts/pending.js';
import { cleanRequests } from '../../src/accounts/clean-requests.js';
import { settleRequests } from '../../src/accounts/settle-request.js';
import { auditLog } from '../../src/audit/audit.js';
import { newSecret, secretHash } from '../../src/database/secrets.js';
import type { Database } from '../../src/database/database.js';
import { proveContact } from '../../src/families/joins.js';
import { translator } from '../../src/locales/translate.js';
import { revoke } from '../../src/sessions/revoke.js';
import { district, row } from '../sis/extract.js';
import type { Row } from '../sis/extract.js';
import { freshDatabase } from '../support/database.js';
import type { FreshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { contactId } from './people.js';

const now = new Date('2026-11-10T12:00:00Z');
const clock = (): Date => now;
const wanted = 'new@example.org';

async function account(db: Database, email: string): Promise<string> {
  const person = {
    password_hash: '',
    given_name: 'Maria',
    family_name: 'López',
    locale: 'en',
    recovery_code_hash: null,
  };
  const times = { email_proven_at: now, password_changed_at: now, created_at: now };
  const values = { email, sign_in_name: null, terms_version: null, ...person, ...times };
  return (await db.insertInto('accounts').values(values).returning('id').executeTakeFirstOrThrow()).id;
}

/** The link that went to the new mailbox. */
async function mailed(db: Database, accountId: string, address: string, link: string): Promise<void> {
  await db
    .insertInto('account_requests')
    .values({
      kind: 'address',
      browser_hash: '',
      identifier: address,
      phone: null,
      locale: 'en',
      client_id: null,
      interaction_uid: null,
      outcome: 'address',
      contact_id: null,
      account_id: accountId,
      token_hash: secretHash(link),
      code_hash: null,
      claim_hash: null,
      created_at: now,
      expires_at: new Date(now.getTime() + 60_000),
      code_expires_at: now,
    })
    .execute();
}

/** A contact of the account, to which the school gives the address. */
async function told(db: Database, accountId: string, email: string): Promise<void> {
  const person = { given_name: 'Maria', family_name: 'López', name_key: 'maria lopez' };
  const contact = { sis: 'elementary', sis_id: email, email, facts_loaded_at: now, ...person };
  const { id } = await db.insertInto('contacts').values(contact).returning('id').executeTakeFirstOrThrow();
  await proveContact(db, { accountId, contactId: id, how: 'registration', now });
}

/** What somebody typed to recover, not decided yet. */
async function askedToRecover(db: Database, identifier: string): Promise<{ id: string }> {
  const nothing = {
    phone: null,
    client_id: null,
    interaction_uid: null,
    outcome: null,
    contact_id: null,
    account_id: null,
  };
  const times = { created_at: now, expires_at: new Date(now.getTime() + 60_000), code_expires_at: now };
  return await db
    .insertInto('account_requests')
    .values({
      kind: 'recovery',
      browser_hash: 'a browser',
      identifier,
      locale: 'en',
      token_hash: null,
      code_hash: null,
      claim_hash: null,
      ...nothing,
      ...times,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
}

/** What goes on beside a transaction, as soon as it has to wait for it or has not to. */
async function begun<T>(db: Database, end: Promise<T>): Promise<{ end: Promise<T> }> {
  let done = false;
  end.finally(() => (done = true)).catch(() => {});
  const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await eventually(
    async () => done || (await waiting.execute(db)).rows.length > 0,
    (reached) => reached,
  );
  return { end };
}

/** A session of the account, `uid` and all. */
async function session(db: Database, accountId: string) {
  const [uid, cookie] = [newSecret(), newSecret()];
  const times = { created_at: now, last_used_at: now, expires_at: new Date(now.getTime() + 60_000) };
  const opened = { uid, account_id: accountId, ...times };
  await db.insertInto('sessions').values(opened).execute();
  const kept = { kind: 'Session', id_hash: secretHash(cookie), uid, payload: '{}' };
  await db.insertInto('artifacts').values(kept).execute();
  return { uid, accountId, cookie };
}

function partsOf(db: Database) {
  const parts = { db, clock, audit: auditLog(clock), issuer: 'http://localhost:3000' };
  return { ...parts, post: async () => {}, studentDomains: ['students.example.org'] };
}

describe('confirming an address', () => {
  let database: FreshDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.close());

  it('while somebody registers by the same mailbox waits for them, and finds it taken', async () => {
    const { db } = database;
    const accountId = await account(db, 'old@example.org');
    await mailed(db, accountId, wanted, 'the link');
    const here = await session(db, accountId);
    const parts = partsOf(db);
    const registration = Promise.withResolvers<void>();
    const registering = db.transaction().execute(async (trx) => {
      await lockMailbox(trx, wanted);
      await account(trx, wanted);
      registration.resolve();
      // Until the other one stands at the door, and is told to wait.
      for (let waiting = 0; waiting === 0;) {
        const { rows } = await database.pool.query<{ count: string }>(
          `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        waiting = Number(rows[0]?.count);
      }
    });
    await registration.promise;
    expect(await confirmAddress(parts, translator('en'), 'the link', here)).toEqual({ kind: 'taken' });
    await registering;
  });

  it('is of no use in a session that ends at this moment, and leaves the link to its owner', async () => {
    const { db } = database;
    const accountId = await account(db, 'owner@example.org');
    await told(db, accountId, 'moved@example.org');
    await mailed(db, accountId, 'moved@example.org', 'another link');
    const parts = partsOf(db);
    const confirm = (at: { uid: string; accountId: string }) =>
      confirmAddress(parts, translator('en'), 'another link', at);
    const thief = await session(db, accountId);
    await db
      .transaction()
      .execute((trx) => revoke(trx, parts.audit, clock, { session: thief.uid }, 'test', 'operator'));
    expect(await confirm(thief)).toEqual({ kind: 'session' });
    expect(await confirm(await session(db, accountId))).toEqual({ kind: 'done', email: 'moved@example.org' });
  });

  it('and a recovery that is decided at this moment leave no link in the earlier mailbox', async () => {
    const { db } = database;
    const accountId = await account(db, 'earlier@example.org');
    await told(db, accountId, 'later@example.org');
    await mailed(db, accountId, 'later@example.org', 'a fourth link');
    const here = await session(db, accountId);
    const { id } = await askedToRecover(db, 'earlier@example.org');
    let confirming: { end: Promise<AddressChange> } | undefined;
    const letters: string[] = [];
    const parts = { db, clock, audit: auditLog(clock), issuer: 'http://localhost:3000', studentDomains: [] };
    const settle = settleRequests({
      ...parts,
      wake: () => {},
      key: Buffer.alloc(32),
      timeZone: 'UTC',
      sisOrder: [],
      appName: () => null,
      post: async (_trx, { to }) => {
        letters.push(to);
        const parted = { ...parts, post: async () => {} };
        confirming = await begun(db, confirmAddress(parted, translator('en'), 'a fourth link', here));
      },
    });
    await settle({ request: id });
    expect(letters).toEqual(['earlier@example.org']);
    expect(await confirming?.end).toEqual({ kind: 'done', email: 'later@example.org' });
    const open = db
      .selectFrom('account_requests')
      .select('id')
      .where('kind', '=', 'recovery')
      .where('ended_at', 'is', null);
    expect(await open.execute()).toEqual([]);
  });

  it('answered in two tabs at once is answered once', async () => {
    const { db } = database;
    const opened = await district(database);
    await opened.load([row('Ana', 'Rosa', { email: 'school@example.org' })]);
    const accountId = await account(db, 'mine@example.org');
    await proveContact(db, { accountId, contactId: await contactId(db, 'Rosa'), how: 'registration', now });
    let other: { end: Promise<string | null> } | undefined;
    const here = await session(db, accountId);
    const answer = (post: () => Promise<void>) => answerAddress({ ...partsOf(db), post }, translator('en'), here, true);
    const twice = (): Promise<void> => Promise.reject(new Error('a second letter'));
    const first = await answer(async () => {
      other = await begun(db, answer(twice));
    });
    expect([first, await other?.end]).toEqual(['school@example.org', null]);
  });

  it('is asked about again after a change of the password, because who knew the earlier one may have answered, and where the link is forgotten', async () => {
    const { db } = database;
    const accountId = await account(db, 'lena@example.org');
    await told(db, accountId, 'lena.new@example.org');
    const asked = async () => (await pendingFor(db, accountId, [])).address;
    const letters: string[] = [];
    const parts = { ...partsOf(db), post: async (_trx: unknown, { to }: { to: string }) => void letters.push(to) };
    const here = await session(db, accountId);
    const answer = (use: boolean) => answerAddress(parts, translator('en'), here, use);
    const later = (ms: number) =>
      db
        .updateTable('accounts')
        .set({ password_changed_at: new Date(now.getTime() + ms) })
        .where('id', '=', accountId)
        .execute();
    await answer(false);
    expect(await asked()).toBeNull();
    await later(1);
    expect(await asked()).toBe('lena.new@example.org');
    await answer(true);
    await answer(true);
    expect(letters).toEqual(['lena.new@example.org']);
    await later(0);
    expect(await asked()).toBeNull();
    await cleanRequests(db, () => new Date(now.getTime() + 3 * 86_400_000));
    expect(await asked()).toBe('lena.new@example.org');
  });

  it('is answered by no session that is over meanwhile, by a change of the password perhaps, before which all answers count no more', async () => {
    const { db } = database;
    const accountId = await account(db, 'nora@example.org');
    await told(db, accountId, 'nora.new@example.org');
    const parts = partsOf(db);
    const [thief, owner] = [await session(db, accountId), await session(db, accountId)];
    let late: { end: Promise<string | null> } | undefined;
    await db.transaction().execute(async (trx) => {
      await revoke(trx, parts.audit, clock, { account: accountId, except: owner.uid }, 'password-changed', 'owner');
      late = await begun(db, answerAddress(parts, translator('en'), thief, false));
    });
    expect(await late?.end).toBeNull();
    expect((await pendingFor(db, accountId, [])).address).toBe('nora.new@example.org');
    expect(await answerAddress(parts, translator('en'), owner, false)).toBe('nora.new@example.org');
  });

  it('is of no use for one that the school corrected since, nor for one of a contact that staff took away', async () => {
    const { db } = database;
    const opened = await district(database);
    const load = (...rows: Row[]) => opened.load(rows, 'elementary', now, { delta: true });
    await load(row('Ana', 'Eva', { email: 'typo@example.org' }), row('Tom', 'Ida'));
    const ours = { accountId: await account(db, 'eva@example.org'), how: 'registration', now };
    for (const name of ['Eva', 'Ida']) await proveContact(db, { ...ours, contactId: await contactId(db, name) });
    const confirm = async (link: string) =>
      confirmAddress(partsOf(db), translator('en'), link, await session(db, ours.accountId));
    await mailed(db, ours.accountId, 'typo@example.org', 'to a typo');
    await load(row('Ana', 'Eva', { email: 'right@example.org' }));
    expect(await confirm('to a typo')).toEqual({ kind: 'expired' });
    await mailed(db, ours.accountId, 'ida@example.org', 'to Ida');
    await db
      .deleteFrom('proven_contacts')
      .where('contact_id', '=', await contactId(db, 'Ida'))
      .execute();
    expect(await confirm('to Ida')).toEqual({ kind: 'expired' });
    await mailed(db, ours.accountId, 'right@example.org', 'to Eva');
    expect(await confirm('to Eva')).toEqual({ kind: 'done', email: 'right@example.org' });
  });

  it('of a student is refused, also where the letter went out before it was one', async () => {
    const { db } = database;
    const accountId = await account(db, 'parent@example.org');
    await mailed(db, accountId, 'ana@students.example.org', 'a third link');
    const parts = partsOf(db);
    expect(await confirmAddress(parts, translator('en'), 'a third link', await session(db, accountId))).toEqual({
      kind: 'taken',
    });
  });
});
