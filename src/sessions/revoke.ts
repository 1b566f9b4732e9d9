import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { writeDeliveries } from './deliveries.js';
import type { EndedAuthorization } from './deliveries.js';

/**
 * What ends. `sessions`: these sessions. `account`: every session of an account, but perhaps the one at hand. `app`: what one
 * app holds, of one account or of everybody; the sessions go on. `sid`: one app's part of one session.
 */
export type Target =
  | { session: string }
  | { sessions: readonly string[] }
  | { account: string; except?: string }
  | { app: string; account?: string }
  | { app: string; sid: string }
  | { apps: readonly string[]; accounts: readonly string[] };

/** What a revocation reached. */
export interface Revoked {
  /** By which its confirmations are asked for; null when there was nothing to end. */
  id: string | null;
  sessions: number;
  grants: number;
  /** How many apps are to be told. */
  deliveries: number;
}

/**
 * Ends sessions or parts of them with all they opened, in the caller's transaction: sessions become tombstones, which no save
 * of a request in flight revives; their cookies, grants, codes and tokens are gone; and for each app that was reached one
 * delivery is written, which survives whatever happens to this process.
 *
 * @param because a word for the audit and the person: `signed-out`, `done`, `switched`, `password-changed`, `recovered`, …
 */
export async function revoke(
  trx: Database,
  audit: RecordEvent,
  clock: Clock,
  target: Target,
  because: string,
  actor: string,
): Promise<Revoked> {
  const now = clock();
  if ('account' in target && !('app' in target)) await raiseGeneration(trx, now, target);
  const uids = await endSessions(trx, now, target, because);
  const ended = await takeAuthorizations(trx, target, uids);
  const grants = [...ended.map((row) => row.grantId), ...(await looseGrants(trx, target))];
  if ('app' in target && !('account' in target) && !('sid' in target)) await endApp(trx, target.app);
  await endGrants(trx, now, grants);
  await trx
    .deleteFrom('artifacts')
    .where('kind', '=', 'Session')
    .where('uid', '=', sql<string>`any(${uids}::text[])`)
    .execute();
  if (uids.length === 0 && ended.length === 0 && !('account' in target)) {
    return { id: null, sessions: 0, grants: 0, deliveries: 0 };
  }
  const id = randomUUID();
  await trx
    .insertInto('revocations')
    .values({ id, because, actor, account_id: 'account' in target ? (target.account ?? null) : null, created_at: now })
    .execute();
  const deliveries = await writeDeliveries(trx, now, id, ended);
  await audit(trx, {
    kind: 'sessions.revoked',
    actor,
    subject: subjectOf(target, id),
    details: { because, revocation: id, sessions: uids.length, grants: grants.length, deliveries },
  });
  return { id, sessions: uids.length, grants: grants.length, deliveries };
}

function subjectOf(target: Target, id: string): string {
  if ('session' in target) return `session:${target.session}`;
  if ('account' in target && target.account !== undefined) return `account:${target.account}`;
  return 'app' in target ? `client:${target.app}` : `revocation:${id}`;
}

/**
 * Whatever was proved before now, and is on its way for this account, is dead on arrival: a sign-in counts only under the
 * generation it was proved in. The session at hand, if one is kept, goes along.
 */
async function raiseGeneration(
  trx: Database,
  now: Date,
  { account, except }: { account: string; except?: string },
): Promise<void> {
  await sql`
    with raised as (
      update accounts set session_generation = session_generation + 1, sessions_not_before = ${now}
      where id = ${account} returning session_generation
    )
    update sessions set generation = raised.session_generation from raised
    where uid = ${except ?? ''} and account_id = ${account}`.execute(trx);
  // A sign-in that was accepted with the old password, and waits to go on, is over as well.
  await trx
    .updateTable('artifacts')
    .set({ consumed_at: now })
    .where('kind', '=', 'Interaction')
    .where('account_id', '=', account)
    .where('consumed_at', 'is', null)
    .execute();
}

/** @returns the uids of the sessions that ended now */
async function endSessions(trx: Database, now: Date, target: Target, because: string): Promise<string[]> {
  if ('app' in target || 'apps' in target) return [];
  const which =
    'account' in target
      ? sql`account_id = ${target.account} and uid <> ${target.except ?? ''}`
      : sql`uid = any(${'session' in target ? [target.session] : target.sessions}::text[])`;
  const { rows } = await sql<{ uid: string }>`
    update sessions set revoked_at = ${now}, revoked_because = ${because}
    where revoked_at is null and ${which} returning uid`.execute(trx);
  return rows.map((row) => row.uid);
}

/** Takes away what apps hold of the ended sessions, or what the target names. */
async function takeAuthorizations(trx: Database, target: Target, uids: string[]): Promise<EndedAuthorization[]> {
  const { rows } = await sql<EndedAuthorization>`
    with taken as (
      delete from session_authorizations z where ${authorizationsOf(target, uids)}
      returning z.session_uid, z.client_id, z.sid, z.grant_id
    )
    select t.session_uid as "sessionUid", t.client_id as "clientId", t.sid, t.grant_id as "grantId",
      coalesce(s.account_id, g.account_id) as "accountId"
    from taken t left join sessions s on s.uid = t.session_uid
      left join artifacts g on g.kind = 'Grant' and g.id_hash = t.grant_id`.execute(trx);
  return rows;
}

function authorizationsOf(target: Target, uids: string[]) {
  const ofAccounts = (accounts: readonly string[]) =>
    sql`z.session_uid in (select uid from sessions where account_id = any(${accounts}::uuid[]))`;
  if ('apps' in target) return sql`z.client_id = any(${target.apps}::text[]) and ${ofAccounts(target.accounts)}`;
  if (!('app' in target)) return sql`z.session_uid = any(${uids}::text[])`;
  if ('sid' in target) return sql`z.client_id = ${target.app} and z.sid = ${target.sid}`;
  if (target.account !== undefined) return sql`z.client_id = ${target.app} and ${ofAccounts([target.account])}`;
  return sql`z.client_id = ${target.app}`;
}

/** Grants of the target that no session has any more. */
async function looseGrants(trx: Database, target: Target): Promise<string[]> {
  if ('sid' in target || !('account' in target) || target.account === undefined || !('app' in target)) return [];
  const rows = await trx
    .selectFrom('artifacts')
    .select('id_hash')
    .where('kind', '=', 'Grant')
    .where('account_id', '=', target.account)
    .where('client_id', '=', target.app)
    .execute();
  return rows.map((row) => row.id_hash);
}

/** Everything an app holds that is in no session: its own tokens, and what it is in the middle of. */
async function endApp(trx: Database, clientId: string): Promise<void> {
  await sql`delete from artifacts where client_id = ${clientId} and kind <> 'Interaction'`.execute(trx);
}

/** Ends what grants opened, and the grants. A page that stands open is over too, but still tells which app its person came from. */
async function endGrants(trx: Database, now: Date, grants: string[]): Promise<void> {
  await trx
    .updateTable('artifacts')
    .set({ consumed_at: now })
    .where('grant_id', '=', sql<string>`any(${grants}::text[])`)
    .where('kind', '=', 'Interaction')
    .where('consumed_at', 'is', null)
    .execute();
  await trx
    .deleteFrom('artifacts')
    .where('grant_id', '=', sql<string>`any(${grants}::text[])`)
    .where('kind', '<>', 'Interaction')
    .execute();
  await trx
    .deleteFrom('artifacts')
    .where('kind', '=', 'Grant')
    .where('id_hash', '=', sql<string>`any(${grants}::text[])`)
    .execute();
}
