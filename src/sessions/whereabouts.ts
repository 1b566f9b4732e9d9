import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { after, values } from '../values.js';
import type { Confirmation, DeliveryState } from './deliveries.js';
import type { Device } from './session-life.js';

/** Most sessions that are listed of each kind. */
const listed = 50;

/** One place where a person is or was signed in. */
export interface Whereabouts {
  uid: string;
  accountId: string;
  device: Device;
  /** Coarse words, such as "Chrome, Android"; null when nothing is known. */
  browser: string | null;
  signedInAt: Date;
  lastUsedAt: Date;
}

export interface LiveSession extends Whereabouts {
  /** The apps that were opened from it, by client id, and since when. */
  apps: Array<{ clientId: string; name: string; since: Date }>;
}

export interface EndedSession extends Whereabouts {
  endedAt: Date;
  because: string;
  /** What each app that was reached said. */
  apps: Confirmation[];
}

interface Row {
  uid: string;
  account_id: string;
  device: Device;
  browser: string | null;
  created_at: Date;
  last_used_at: Date;
  revoked_at: Date;
  revoked_because: string;
  apps: Array<{ clientId: string; name: string; since: string; state: DeliveryState }> | null;
}

function whereabouts(row: Row): Whereabouts {
  const { uid, device, browser } = row;
  return {
    uid,
    accountId: row.account_id,
    device,
    browser,
    signedInAt: row.created_at,
    lastUsedAt: row.last_used_at,
  };
}

/** Live sessions of an account, or those that an app was reached from; the last used first, fifty at most. */
export async function liveSessions(
  db: Database,
  clock: Clock,
  of: { account: string } | { app: string } | { session: string },
): Promise<LiveSession[]> {
  const which =
    'account' in of
      ? sql`s.account_id = ${of.account}::uuid`
      : 'session' in of
        ? sql`s.uid = ${of.session}`
        : sql`s.uid in (select session_uid from session_authorizations where client_id = ${of.app})`;
  const { rows } = await sql<Row>`
    select s.uid, s.account_id, s.device, s.browser, s.created_at, s.last_used_at, (
      select jsonb_agg(jsonb_build_object('clientId', c.client_id, 'name', c.name, 'since', z.created_at) order by z.created_at)
      from session_authorizations z join clients c on c.client_id = z.client_id where z.session_uid = s.uid) as apps
    from sessions s join accounts o on o.id = s.account_id
    where ${which} and s.revoked_at is null and s.expires_at > ${clock()} and s.generation = o.session_generation
      and o.disabled_at is null
    order by s.last_used_at desc, s.uid limit ${listed}`.execute(db);
  return rows.map((row) => ({
    ...whereabouts(row),
    apps: (row.apps ?? []).map(({ clientId, name, since }) => ({ clientId, name, since: new Date(since) })),
  }));
}

/** Sessions of an account that ended within the last week, the latest first, with what each app confirmed. */
export async function endedSessions(db: Database, clock: Clock, accountId: string): Promise<EndedSession[]> {
  const { rows } = await sql<Row>`
    select s.uid, s.account_id, s.device, s.browser, s.created_at, s.last_used_at, s.revoked_at, s.revoked_because, (
      select jsonb_agg(jsonb_build_object('clientId', c.client_id, 'name', c.name, 'state', d.state) order by c.name, d.created_at)
      from deliveries d join clients c on c.client_id = d.client_id
      where d.account_id = s.account_id and d.session_uid = s.uid) as apps
    from sessions s
    where s.account_id = ${accountId}::uuid and s.revoked_at > ${after(clock(), -values.endedShown)}
    order by s.revoked_at desc, s.uid limit ${listed}`.execute(db);
  return rows.map((row) => ({
    ...whereabouts(row),
    endedAt: row.revoked_at,
    because: row.revoked_because,
    apps: (row.apps ?? []).map(({ clientId, name, state }) => ({ clientId, name, state })),
  }));
}

/** Whether somebody was let in to an account and has only to go on: a sign-in, though no session is there yet. */
export async function isSigningIn(db: Database, clock: Clock, accountId: string): Promise<boolean> {
  const waiting = await db
    .selectFrom('artifacts')
    .select('id_hash')
    .where('kind', '=', 'Interaction')
    .where('account_id', '=', accountId)
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', clock())
    .limit(1)
    .executeTakeFirst();
  return waiting !== undefined;
}
