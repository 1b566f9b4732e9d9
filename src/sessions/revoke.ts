import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { writeDeliveries } from './deliveries.js';
import type { EndedAuthorization } from './deliveries.js';

/** How many authorizations are taken at once. */
const batch = 5_000;

/**
 * What ends. `sessions`: these sessions. `account`: every session of an account, but perhaps the one at hand. `app`: what one
 * app holds, of one account or of everybody; the sessions go on. `sid`: one app's part of one session. `grant`:
 * the same by its grant, as when a code comes twice.
 */
export type Target =
  | { session: string }
  | { sessions: readonly string[] }
  | { account: string; except?: string }
  | { app: string; account?: string }
  | { app: string; sid: string }
  | { grant: string }
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
 * Of revocations that meet, none waits for another that waits for it: rows are locked in one order, which is account, sessions,
 * authorizations, artifacts, and of several of one table by their keys. Whoever else locks several of them keeps to it.
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
  const everything = 'account' in target && !('app' in target) ? target : null;
  if (everything !== null) await raiseGeneration(trx, now, everything);
  const over = await endSessions(trx, now, target, because);
  const uids = over.map(({ uid }) => uid);
  const owners = new Set(over.flatMap(({ accountId }) => accountId ?? []));
  if (everything !== null) owners.add(everything.account);
  const id = randomUUID();
  const noteIt = async (): Promise<void> => {
    const accountId = 'account' in target ? (target.account ?? null) : null;
    await trx
      .insertInto('revocations')
      .values({ id, because, actor, account_id: accountId, created_at: now })
      .execute();
  };
  let noted = uids.length > 0 || 'account' in target;
  if (noted) await noteIt();
  const grants: string[] = [];
  let deliveries = 0;
  // An app may be in hundreds of thousands of sessions.
  for (let more = true; more;) {
    const ended = await takeAuthorizations(trx, target, uids);
    more = ended.length === batch;
    if (ended.length === 0) break;
    if (!noted) await noteIt();
    noted = true;
    deliveries += await writeDeliveries(trx, now, id, ended);
    for (const { grantId } of ended) grants.push(grantId);
  }
  grants.push(...(await looseGrants(trx, target)));
  await endArtifacts(trx, now, {
    uids,
    grants,
    accounts: [...owners],
    app: 'app' in target && !('account' in target) && !('sid' in target) ? target.app : null,
  });
  if (!noted) return { id: null, sessions: 0, grants: 0, deliveries: 0 };
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
}

interface EndedSession {
  uid: string;
  accountId: string | null;
}

/** @returns the sessions that ended now, and whose they were */
async function endSessions(trx: Database, now: Date, target: Target, because: string): Promise<EndedSession[]> {
  if ('app' in target || 'apps' in target || 'grant' in target) return [];
  const which =
    'account' in target
      ? sql`account_id = ${target.account} and uid <> ${target.except ?? ''}`
      : sql`uid = any(${'session' in target ? [target.session] : target.sessions}::text[])`;
  const { rows } = await sql<EndedSession>`
    update sessions set revoked_at = ${now}, revoked_because = ${because}
    where revoked_at is null and ${which} returning uid, account_id as "accountId"`.execute(trx);
  return rows;
}

/** Takes away what apps hold of the ended sessions, or what the target names: so many at once. */
async function takeAuthorizations(trx: Database, target: Target, uids: string[]): Promise<EndedAuthorization[]> {
  const { rows } = await sql<EndedAuthorization>`
    with locked as materialized (
      select z.session_uid, z.client_id from session_authorizations z where ${authorizationsOf(target, uids)}
      order by z.session_uid, z.client_id limit ${batch} for update
    ), taken as (
      delete from session_authorizations z using locked l
      where z.session_uid = l.session_uid and z.client_id = l.client_id
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
  if ('grant' in target) return sql`z.grant_id = ${target.grant}`;
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

/** What is to end among the artifacts. */
interface Ending {
  /** Sessions: the cookies that lead to them. */
  uids: readonly string[];
  /** Grants, with all that was issued under them. */
  grants: readonly string[];
  /**
   * Accounts: each sign-in of theirs that was accepted and waits to go on. Its answer was lost perhaps, and it would sign them in
   * again for who comes next; or it was made with the old password.
   */
  accounts: readonly string[];
  /** An app: also what it holds in no session, such as its own tokens. */
  app: string | null;
}

/** Ends what was issued. A page that stands open is over too, but still tells which app its person came from. */
async function endArtifacts(trx: Database, now: Date, { uids, grants, accounts, app }: Ending): Promise<void> {
  await sql`
    with locked as materialized (
      select kind, id_hash from artifacts
      where grant_id = any(${grants}::text[])
        or (kind = 'Grant' and id_hash = any(${grants}::text[]))
        or (kind = 'Session' and uid = any(${uids}::text[]))
        ${accounts.length === 0 ? sql`` : sql`or (kind = 'Interaction' and account_id = any(${accounts}::uuid[]))`}
        ${app === null ? sql`` : sql`or (kind <> 'Interaction' and client_id = ${app})`}
      order by kind, id_hash for update
    ), over as (
      update artifacts a set consumed_at = ${now} from locked l
      where a.kind = l.kind and a.id_hash = l.id_hash and a.kind = 'Interaction' and a.consumed_at is null
    )
    delete from artifacts a using locked l
    where a.kind = l.kind and a.id_hash = l.id_hash and a.kind <> 'Interaction'`.execute(trx);
}
