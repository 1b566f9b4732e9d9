import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { holdLiveSession } from '../sessions/live-session.js';
import { revoke } from '../sessions/revoke.js';

/** What a person allowed a vendor's app, and since when. */
export interface Consent {
  clientId: string;
  facts: string[];
  givenAt: Date;
}

/**
 * Writes what a person allowed; an earlier word about the same app gives way. A session that ends at this moment allows nothing any
 * more.
 */
export async function giveConsent(
  db: Database,
  clock: Clock,
  audit: RecordEvent,
  given: { session: { uid: string; accountId: string }; clientId: string; facts: readonly string[] },
): Promise<void> {
  const { session, clientId, facts } = given;
  const { accountId } = session;
  await db.transaction().execute(async (trx) => {
    if (!(await holdLiveSession(trx, session))) return;
    const allowed = { facts: [...facts], given_at: clock(), revoked_at: null };
    await trx
      .insertInto('consents')
      .values({ account_id: accountId, client_id: clientId, ...allowed })
      .onConflict((conflict) => conflict.columns(['account_id', 'client_id']).doUpdateSet(allowed))
      .execute();
    await audit(trx, {
      kind: 'consent.given',
      actor: `account:${accountId}`,
      subject: `account:${accountId}`,
      details: { client: clientId, facts },
    });
  });
}

/** What a person allows at this moment, the newest first. */
export async function consentsOf(db: Database, accountId: string): Promise<Consent[]> {
  const rows = await db
    .selectFrom('consents')
    .select(['client_id', 'facts', 'given_at'])
    .where('account_id', '=', accountId)
    .where('revoked_at', 'is', null)
    .orderBy('given_at', 'desc')
    .execute();
  return rows.map((row) => ({ clientId: row.client_id, facts: row.facts, givenAt: row.given_at }));
}

/** Whether a person's word covers every one of these facts. */
export async function hasConsent(
  db: Database,
  accountId: string,
  clientId: string,
  facts: readonly string[],
): Promise<boolean> {
  const row = await db
    .selectFrom('consents')
    .select('facts')
    .where('account_id', '=', accountId)
    .where('client_id', '=', clientId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined && facts.every((fact) => row.facts.includes(fact));
}

/**
 * Takes a permission back. In one transaction the app's grants and tokens of this account end, in every session, and the app is
 * to be told.
 *
 * @returns whether there was one
 */
export async function revokeConsent(
  db: Database,
  clock: Clock,
  audit: RecordEvent,
  accountId: string,
  clientId: string,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const result = await trx
      .updateTable('consents')
      .set({ revoked_at: clock() })
      .where('account_id', '=', accountId)
      .where('client_id', '=', clientId)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    if (result.numUpdatedRows === 0n) return false;
    await revoke(
      trx,
      audit,
      clock,
      { app: clientId, account: accountId },
      'permission-revoked',
      `account:${accountId}`,
    );
    await audit(trx, {
      kind: 'consent.revoked',
      actor: `account:${accountId}`,
      subject: `account:${accountId}`,
      details: { client: clientId },
    });
    return true;
  });
}
