import { sql } from 'kysely';
import { termsVersion } from '../src/accounts/account.js';
import { passwordHasher } from '../src/accounts/password-hasher.js';
import { systemClock } from '../src/database/clock.js';
import type { Database } from '../src/database/database.js';
import { artifacts } from '../src/sessions/artifacts.js';
import { sessionStore } from '../src/sessions/session-store.js';
import { openBrowser } from '../test/support/browser.js';
import type { Browser } from '../test/support/browser.js';

export const password = 'a long way to school';

/** Makes accounts that have accepted the terms and have no children. @returns their e-mails */
export async function parents(db: Database, count: number, name = 'parent'): Promise<string[]> {
  const hash = await (await passwordHasher(1, 1)).hash(password);
  const { rows } = await sql<{ email: string }>`
    insert into accounts (email, email_proven_at, password_hash, password_changed_at, given_name, family_name, locale,
      terms_version, terms_accepted_at, created_at)
    select ${name} || n || '@example.org', now(), ${hash}, now(), 'Rosa', 'López', 'en', ${termsVersion}, now(), now()
    from generate_series(1, ${count}::int) n returning email`.execute(db);
  return rows.map(({ email }) => email);
}

/** A new browser in which a parent has signed in by the password, and which shows the portal. @throws when it does not */
export async function signedIn(issuer: string, identifier: string, secret = password): Promise<Browser> {
  const browser = openBrowser();
  await browser.get(`${issuer}/sign-in`);
  const page = await browser.submit({ identifier, password: secret });
  if (page.url !== `${issuer}/`)
    throw new Error(`${identifier} is not signed in: ${page.status} ${page.url} ${page.text}`);
  return browser;
}

/** A session, and by which `sid` each app knows it. */
export interface OpenedApps {
  session: string;
  /** By client id. */
  sids: Record<string, string>;
}

/**
 * Opens apps from the live session of an account, as `/authorize` does it: in the session store, without the ways through the
 * browser.
 */
export async function openApps(db: Database, email: string, clientIds: readonly string[]): Promise<OpenedApps> {
  const { uid, account_id: accountId } = await db
    .selectFrom('sessions')
    .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
    .select(['uid', 'account_id'])
    .where('accounts.email', '=', email)
    .where('revoked_at', 'is', null)
    .orderBy('sessions.created_at', 'desc')
    .executeTakeFirstOrThrow();
  const sids: Record<string, string> = {};
  for (const clientId of clientIds) {
    const { sid } = await sessionStore(db, systemClock).authorize(uid, clientId, async () => {
      const grant = `grant-${uid}-${clientId}`;
      await artifacts(db, systemClock, 'Grant').save(grant, { accountId, clientId }, 3_600);
      return grant;
    });
    sids[clientId] = sid;
  }
  return { session: uid, sids };
}
