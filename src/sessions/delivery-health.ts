import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { after } from '../values.js';

/** How an app has answered to sign-outs, of those written in the last seven days. */
export interface DeliveryHealth {
  clientId: string;
  /** Where it is told; null when it registered none. */
  address: string | null;
  disabled: boolean;
  confirmed: number;
  waiting: number;
  refused: number;
  givenUp: number;
  unreachable: number;
  /** Milliseconds of the tries it confirmed with, the middle one and the slowest. */
  medianMs: number | null;
  slowestMs: number | null;
  lastConfirmedAt: Date | null;
  /** Its latest try that was no confirmation. */
  lastFailure: { at: Date; status: number | null; words: string | null } | null;
}

const week = 7 * 86_400;

/** One row an app, or that of one app, by client id. */
export async function deliveryHealth(db: Database, clock: Clock, clientId: string | null): Promise<DeliveryHealth[]> {
  const since = after(clock(), -week);
  const { rows } = await sql<DeliveryHealth>`
    select c.client_id as "clientId", c.backchannel_logout_uri as address, c.disabled_at is not null as disabled,
      n.confirmed, n.waiting, n.refused, n."givenUp", n.unreachable, t."medianMs", t."slowestMs", n."lastConfirmedAt",
      f."lastFailure"
    from clients c
    cross join lateral (
      select count(*) filter (where d.state = 'confirmed')::int as confirmed,
        count(*) filter (where d.state = 'waiting')::int as waiting,
        count(*) filter (where d.state = 'refused')::int as refused,
        count(*) filter (where d.state = 'given-up')::int as "givenUp",
        count(*) filter (where d.state = 'unreachable')::int as unreachable,
        max(d.settled_at) filter (where d.state = 'confirmed') as "lastConfirmedAt"
      from deliveries d where d.client_id = c.client_id and d.created_at >= ${since}) n
    cross join lateral (
      select percentile_disc(0.5) within group (order by t.milliseconds)::int as "medianMs", max(t.milliseconds)::int as "slowestMs"
      from deliveries d join delivery_tries t on t.delivery_id = d.id
      where d.client_id = c.client_id and d.created_at >= ${since} and t.status in (200, 204)) t
    left join lateral (
      select jsonb_build_object('at', t.tried_at, 'status', t.status, 'words', t.words) as "lastFailure"
      from deliveries d join delivery_tries t on t.delivery_id = d.id
      where d.client_id = c.client_id and d.created_at >= ${since} and t.status is distinct from 200
        and t.status is distinct from 204 and t.milliseconds is not null
      order by t.tried_at desc limit 1) f on true
    where ${clientId}::text is null or c.client_id = ${clientId}
    order by c.client_id`.execute(db);
  return rows;
}
