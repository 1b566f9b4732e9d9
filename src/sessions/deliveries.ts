import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { after, values } from '../values.js';

/** What an app held of a session that has ended. */
export interface EndedAuthorization {
  sessionUid: string;
  clientId: string;
  sid: string;
  grantId: string;
  accountId: string | null;
}

/**
 * `waiting`: not told yet, tried again. `confirmed`: the app said it ended its session. `refused`: it said 400, with a reason for
 * people. `given-up`: it did not answer for 24 hours. `unreachable`: it registered no address for this.
 */
export type DeliveryState = 'waiting' | 'confirmed' | 'refused' | 'given-up' | 'unreachable';

/**
 * Writes one delivery per app that was reached, in the transaction that ended what it had: either both are or neither.
 *
 * @returns how many there are to be told
 */
export async function writeDeliveries(
  trx: Database,
  now: Date,
  revocationId: string,
  ended: readonly EndedAuthorization[],
): Promise<number> {
  if (ended.length === 0) return 0;
  const { numAffectedRows } = await sql`
    insert into deliveries (revocation_id, client_id, account_id, session_uid, sid, state, created_at, next_try_at, settled_at)
    select ${revocationId}, c.client_id, e."accountId", e."sessionUid", e.sid,
      case when c.backchannel_logout_uri is null then 'unreachable' else 'waiting' end, ${now}::timestamptz, ${now}::timestamptz,
      case when c.backchannel_logout_uri is null then ${now}::timestamptz end
    from jsonb_to_recordset(${JSON.stringify(ended)}::jsonb)
        as e("accountId" uuid, "sessionUid" text, "clientId" text, sid text)
      join clients c on c.client_id = e."clientId"
    where e."accountId" is not null`.execute(trx);
  return Number(numAffectedRows ?? 0);
}

/** A delivery whose turn it is, with what its app registered. */
export interface DueDelivery {
  id: string;
  clientId: string;
  accountId: string;
  sid: string;
  /** This try's number, from 1. */
  tries: number;
  createdAt: Date;
  address: string;
  alg: string;
  /** The host that groups a vendor's addresses, for its pairwise `sub`; null where the `sub` is public. */
  sector: string | null;
}

/**
 * Takes deliveries whose turn it is, as this process's for a while: if it dies they come up again, and the try that died with it is
 * recorded. Other instances take others. An app has a bounded number at once, so that a slow one delays nobody else.
 *
 * @param busy how many this process has in flight, by client id
 */
export async function takeDueDeliveries(
  db: Database,
  clock: Clock,
  busy: ReadonlyMap<string, number>,
): Promise<DueDelivery[]> {
  const now = clock();
  const { rows } = await sql<DueDelivery>`
    with due as (
      select turn.id from clients c cross join lateral (
        select d.id from deliveries d
        where d.client_id = c.client_id and d.state = 'waiting' and d.next_try_at <= ${now}
        order by d.next_try_at
        limit greatest(0, ${values.deliveriesAtOnce}::int - coalesce((${JSON.stringify(Object.fromEntries(busy))}::jsonb ->> c.client_id)::int, 0))
        for update skip locked
      ) turn
    ), taken as (
      update deliveries d set tries = d.tries + 1, next_try_at = ${after(now, values.deliveryLease)}
      from clients c
      -- As an array, which is known to be short: joined, a long queue was read from its beginning to its end.
      where d.id = any(array(select id from due)) and c.client_id = d.client_id
      returning d.id, d.client_id as "clientId", d.account_id as "accountId", d.sid, d.tries, d.created_at as "createdAt",
        coalesce(c.backchannel_logout_uri, '') as address, c.logout_alg as alg, c.sector
    ), died as (
      insert into delivery_tries (delivery_id, number, tried_at, words)
      select id, tries - 1, ${now}::timestamptz, 'the server ended before the answer' from taken
      where tries > 1 and not exists (
        select from delivery_tries t where t.delivery_id = taken.id and t.number = taken.tries - 1)
      on conflict do nothing
    )
    select * from taken`.execute(db);
  return rows;
}

/** What came of one try. */
export interface Try {
  triedAt: Date;
  /** The HTTP status; null when there was none. */
  status: number | null;
  milliseconds: number;
  /** What the app or the network said, short. */
  words: string | null;
}

/** Seconds until the next try, a little earlier or later so that many do not come together. */
export function waitAfter(tries: number, random: () => number = Math.random): number {
  const { deliveryWaits } = values;
  const wait = deliveryWaits[Math.min(tries, deliveryWaits.length) - 1] ?? deliveryWaits[0];
  return wait * (0.8 + 0.4 * random());
}

/** 200 and 204 are confirmations, 400 is the app's refusal (Back-Channel Logout 1.0 §2.8); everything else is tried again. */
function stateAfter(delivery: DueDelivery, { status }: Try, now: Date): DeliveryState {
  if (status === 200 || status === 204) return 'confirmed';
  if (status === 400) return 'refused';
  return now >= after(delivery.createdAt, values.deliveryTime) ? 'given-up' : 'waiting';
}

/** How many each confirmation hastens: more than is taken at once, and no long statement where very many wait. */
const hastened = 64;

/** Records a try and what follows from it. An app that confirms again hears at once what had to wait. */
export async function recordTry(db: Database, clock: Clock, delivery: DueDelivery, made: Try): Promise<DeliveryState> {
  const now = clock();
  const state = stateAfter(delivery, made, now);
  const settled = state === 'waiting' ? null : now;
  const next = after(now, waitAfter(delivery.tries));
  await sql`
    with tried as (
      insert into delivery_tries (delivery_id, number, tried_at, status, milliseconds, words)
      values (${delivery.id}, ${delivery.tries}, ${made.triedAt}, ${made.status}, ${made.milliseconds}, ${made.words})
      on conflict (delivery_id, number) do update set tried_at = excluded.tried_at, status = excluded.status,
        milliseconds = excluded.milliseconds, words = excluded.words
    )
    update deliveries set state = ${state}, settled_at = ${settled}::timestamptz, next_try_at = ${next}
    where id = ${delivery.id} and state = 'waiting'`.execute(db);
  if (state === 'confirmed') {
    await sql`
      update deliveries set next_try_at = ${now}
      where id = any(array(
        select id from deliveries
        where client_id = ${delivery.clientId} and state = 'waiting' and next_try_at > ${after(now, values.deliveryLease)}
        order by next_try_at limit ${hastened} for update skip locked))`.execute(db);
  }
  return state;
}

/** A delivery that no app has confirmed. */
export interface OpenDelivery {
  id: string;
  clientId: string;
  accountId: string;
  state: 'waiting' | 'refused' | 'given-up';
  since: Date;
  tries: number;
  nextTryAt: Date | null;
  lastStatus: number | null;
  lastWords: string | null;
}

/** The list for people: what is not confirmed, the oldest first, a hundred at most. */
export async function openDeliveries(db: Database, clientId: string | null): Promise<OpenDelivery[]> {
  const { rows } = await sql<OpenDelivery>`
    select d.id, d.client_id as "clientId", d.account_id as "accountId", d.state, d.created_at as since, d.tries,
      case when d.state = 'waiting' then d.next_try_at end as "nextTryAt", t.status as "lastStatus", t.words as "lastWords"
    from deliveries d
    left join lateral (
      select status, words from delivery_tries where delivery_id = d.id order by number desc limit 1) t on true
    where d.state in ('waiting', 'refused', 'given-up') and (${clientId}::text is null or d.client_id = ${clientId})
    order by d.created_at, d.id limit 100`.execute(db);
  return rows;
}

/**
 * Has an app told now: what it refused or what was given up, with another 24 hours, and what would wait longer than a try takes.
 *
 * @returns how many deliveries that are
 */
export async function retryDeliveries(db: Database, clock: Clock, clientId: string): Promise<number> {
  const now = clock();
  const { numAffectedRows } = await sql`
    update deliveries set state = 'waiting', settled_at = null, next_try_at = ${now}::timestamptz,
      created_at = case state when 'waiting' then created_at else ${now}::timestamptz end
    where client_id = ${clientId} and (state in ('given-up', 'refused')
      or state = 'waiting' and next_try_at > ${after(now, values.deliveryLease)})`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** What one app has said to one end. */
export interface Confirmation {
  clientId: string;
  /** As the app was last registered. */
  name: string;
  state: DeliveryState;
}

/**
 * What the apps reached by a revocation have said so far; nothing of one that is unknown, reached none, or is older.
 *
 * @param notBefore the earliest moment of the revocation
 */
export async function confirmationsOf(db: Database, revocationId: string, notBefore: Date): Promise<Confirmation[]> {
  const { rows } = await sql<Confirmation>`
    select d.client_id as "clientId", c.name, d.state
    from deliveries d join clients c on c.client_id = d.client_id
    where d.revocation_id = ${revocationId}::uuid and d.created_at >= ${notBefore}
    order by c.name, d.session_uid`.execute(db);
  return rows;
}
