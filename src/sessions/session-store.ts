import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { newSecret, secretHash } from '../database/secrets.js';
import { after, values } from '../values.js';
import type { Payload } from './artifacts.js';
import { deviceOf, isOver, secondsToLive } from './session-life.js';

/** One app that a session was used for: the `sid` it knows the session by, and its grant. */
export interface Authorization {
  sid: string;
  grantId: string;
}

/** The app was taken out, and an instance that started before still knows it. */
export class AppDisabled extends Error {
  constructor() {
    super('the app is disabled');
    this.name = 'AppDisabled';
  }
}

export interface SessionStore {
  /**
   * Writes a session under its cookie id. A session that was revoked meanwhile stays revoked and nothing is written;
   * authorizations are merged, never taken away, because the library's copy may be an old one. Nor is a cookie
   * written for somebody whom the request found by one that is good no more: a request in flight makes no copy of a cookie good again.
   *
   * @returns whether the cookie id leads to the session
   */
  save(cookieId: string, payload: Payload, seconds: number): Promise<boolean>;
  /** To find a session is to use it, by its cookie or by a token: an idle limit begins anew, written once a minute. */
  find(cookieId: string): Promise<Payload | undefined>;
  findByUid(uid: string): Promise<Payload | undefined>;
  /**
   * Forgets a cookie id (it rotates at sign-in); the session itself goes on. One by which somebody was in already is good until the browser
   * shows the next: where the answer that brings it is lost, the browser has no other to sign out by.
   */
  forget(cookieId: string): Promise<void>;
  /**
   * Makes a session's newest cookie id the only one that lasts: every other, and what requests found by it bring yet, is good until the
   * browser shows the newest. Whoever had a copy of one may have got more of them.
   *
   * @param proven whether the password was shown with it: else one that comes of an outdated cookie stays outdated, because a copy that is
   *   quicker than the browser to show what it got would be the one that goes on
   * @returns whether it lasts: where another took its place in this very moment, all stays as it is
   */
  outdateOthers(uid: string, cookieId: string, proven: boolean): Promise<boolean>;
  /**
   * The one authorization of a session for an app: the first to ask makes it, all others get the same, so that two tabs
   * that open an app at once share a grant.
   * @throws AppDisabled when it was taken out meanwhile
   */
  authorize(uid: string, clientId: string, propose: () => Promise<string>): Promise<Authorization & { made: boolean }>;
}

/** By which cookie a request found a session, and whether it was somebody's then. */
interface Shown {
  idHash: string;
  somebodys: boolean;
}

interface Row {
  payload: Payload;
  last_used_at: Date;
  expires_at: Date;
  later: Payload | null;
  /** Whether the cookie id is the last that the session has, and there are earlier ones. */
  replaces: boolean;
  authorizations: Record<string, Authorization> | null;
}

/** Of two sign-ins of one person to a session the later one is what it is known by, in whatever order they come to be written. */
const older = sql`excluded.signed_in_at < sessions.signed_in_at`;

/** When a session's person proved who they are; null before anybody did. */
function signedInAt({ loginTs }: Payload): Date | null {
  return typeof loginTs === 'number' ? new Date(loginTs * 1000) : null;
}

export function sessionStore(db: Database, clock: Clock): SessionStore {
  async function read(by: 'cookie' | 'uid', value: string): Promise<Payload | undefined> {
    const { rows } = await sql<Row>`
      select a.payload, s.last_used_at, s.expires_at,
        case when s.signed_in_at > to_timestamp((a.payload->>'loginTs')::bigint) then jsonb_build_object(
          'loginTs', extract(epoch from s.signed_in_at)::bigint, 'device', s.device, 'browser', s.browser) end as later,
        not a.payload ? 'replaced' and exists (select from artifacts b
          where b.kind = 'Session' and b.uid = a.uid and b.payload ? 'replaced') as replaces, (
        select jsonb_object_agg(z.client_id, jsonb_build_object('sid', z.sid, 'grantId', z.grant_id))
        from session_authorizations z where z.session_uid = a.uid
      ) as authorizations
      from artifacts a
      join sessions s on s.uid = a.uid
      left join accounts o on o.id = s.account_id
      where a.kind = 'Session' and ${sql.ref(by === 'cookie' ? 'a.id_hash' : 'a.uid')} = ${value} and s.revoked_at is null and o.disabled_at is null
        and s.expires_at > ${clock()}
        and (o.id is null or s.generation = o.session_generation)`.execute(db);
    const row = rows[0];
    // A cookie from before a later sign-in leads to the session as it is since.
    if (row?.later) Object.assign(row.payload, row.later);
    if (row === undefined || isOver(row.payload, clock())) return undefined;
    if (row.replaces && by === 'cookie') {
      await sql`delete from artifacts where kind = 'Session' and uid = ${row.payload['uid']} and payload ? 'replaced'`.execute(
        db,
      );
    }
    const { replaced: _, outdated: __, ...payload } = row.payload;
    return {
      ...payload,
      // The library checks expiry by its own copy of it, which does not know of later use.
      exp: Math.floor((await used(row)).getTime() / 1000),
      ...(row.authorizations === null ? {} : { authorizations: row.authorizations }),
    };
  }

  /** Writes that a session was used. @returns when it ends if it is not used again */
  async function used({ payload, last_used_at: lastUsed, expires_at: expiresAt }: Row): Promise<Date> {
    const { uid, loginTs, device } = payload;
    const now = clock();
    if (typeof loginTs !== 'number' || now.getTime() - lastUsed.getTime() < values.sessionTouch * 1000)
      return expiresAt;
    const end = after(now, secondsToLive({ loginTs, device }, now));
    await sql`
      with touched as (
        update sessions set last_used_at = ${now}, expires_at = ${end} where uid = ${uid} and revoked_at is null
        returning uid
      )
      update artifacts set expires_at = ${end}::timestamptz from touched
      where artifacts.kind = 'Session' and artifacts.uid = touched.uid`.execute(db);
    return end;
  }

  async function refuseDisabled(clientId: string): Promise<void> {
    const disabled = await db
      .selectFrom('clients')
      .select('client_id')
      .where('client_id', '=', clientId)
      .where('disabled_at', 'is not', null)
      .executeTakeFirst();
    if (disabled !== undefined) throw new AppDisabled();
  }

  return {
    async save(cookieId, payload, seconds) {
      const { authorizations, jti: _, shown, ...kept } = payload;
      const rows = Object.entries((authorizations ?? {}) as Record<string, Partial<Authorization>>)
        .filter(([, { sid, grantId }]) => sid !== undefined && grantId !== undefined)
        .map(([clientId, { sid, grantId }]) => ({ client_id: clientId, sid, grant_id: grantId }));
      const now = clock();
      const accountId = kept['accountId'] ?? null;
      const idHash = secretHash(cookieId);
      const foundBy = shown as Shown | undefined;
      const needsIt = foundBy !== undefined && (foundBy.somebodys || foundBy.idHash === idHash);
      const { rows: written } = await sql`
        with owner as materialized (
          -- Who signs in while everything of the account is being ended waits for that: else the session would be
          -- missed, and could be used until it is seen to be of an earlier generation.
          select from accounts o where o.id = ${accountId}::uuid
            and not exists (select from sessions s where s.uid = ${kept['uid']} and s.account_id = o.id) for share
        ), alive as (
          insert into sessions (uid, account_id, device, created_at, last_used_at, expires_at, generation, signed_in_at, browser)
          select ${kept['uid']}, ${accountId}::uuid, ${deviceOf(kept['device'])}, ${now}::timestamptz, ${now}::timestamptz,
            ${after(now, seconds)}::timestamptz, ${Number(kept['generation'] ?? 0)}::int, ${signedInAt(kept)}::timestamptz,
            ${kept['browser'] ?? null}::text
          where (select count(*) from owner) >= 0
          on conflict (uid) do update set
            account_id = excluded.account_id, signed_in_at = greatest(excluded.signed_in_at, sessions.signed_in_at),
            device = case when ${older} then sessions.device else excluded.device end,
            browser = case when ${older} then sessions.browser else excluded.browser end,
            last_used_at = case when ${older} then sessions.last_used_at else excluded.last_used_at end,
            expires_at = case when ${older} then sessions.expires_at else excluded.expires_at end,
            -- The session at hand went along when the others ended; the library's copy does not know.
            generation = case when sessions.account_id is null
              then excluded.generation else greatest(sessions.generation, excluded.generation) end,
            -- A session begins when somebody signs in to it.
            created_at = case when sessions.account_id is null
              then excluded.created_at else sessions.created_at end
          where sessions.revoked_at is null
            -- A request from before the sign-in that ends after it knows less than the session: it writes nothing. Nor
            -- does a session ever pass to another account: of two who sign in to it at once, the first has it.
            and (sessions.account_id is null or sessions.account_id = excluded.account_id)
          returning uid, expires_at, signed_in_at
        ), good as materialized (
          -- Held, after the session, so that whoever ends or outdates it comes before or after.
          select payload ? 'outdated' as outdated from artifacts
          where kind = 'Session' and id_hash = ${foundBy?.idHash ?? ''} and (select count(*) from alive) >= 0 for update
        ), kept as (
          insert into artifacts (kind, id_hash, uid, account_id, payload, expires_at)
          select 'Session', ${idHash}, uid, ${accountId}::uuid,
            -- Also of an earlier sign-in: under a cookie id that is new, which the browser has and signs out by.
            ${JSON.stringify(kept)}::jsonb
              || case when exists (select from good where outdated) then '{"replaced": true, "outdated": true}' else '{}' end::jsonb,
            expires_at
          from alive
          where ${!needsIt} or exists (select from good)
          on conflict (kind, id_hash) do update set
            account_id = excluded.account_id, expires_at = excluded.expires_at,
            payload = excluded.payload || case when artifacts.payload ? 'replaced' then '{"replaced": true}' else '{}' end::jsonb
          returning uid
        ), merged as (
          insert into session_authorizations (session_uid, client_id, sid, grant_id, created_at)
          select alive.uid, z.client_id, z.sid, z.grant_id, ${now}::timestamptz
          from alive, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as z(client_id text, sid text, grant_id text)
          -- What was ended meanwhile is not brought back.
          where exists (select from artifacts g where g.kind = 'Grant' and g.id_hash = z.grant_id)
          -- In the order in which a revocation takes them.
          order by z.client_id
          on conflict (session_uid, client_id) do update set grant_id = excluded.grant_id
            where session_authorizations.grant_id <> excluded.grant_id
          returning client_id
        )
        -- Authorizations before artifacts, as a revocation takes them.
        select uid from kept where (select count(*) from merged) >= 0`.execute(db);
      return written.length > 0;
    },
    async find(cookieId) {
      const payload = await read('cookie', secretHash(cookieId));
      if (payload === undefined) return undefined;
      const foundBy: Shown = { idHash: secretHash(cookieId), somebodys: payload['accountId'] !== undefined };
      return { ...payload, jti: cookieId, shown: foundBy };
    },
    findByUid: (uid) => read('uid', uid),
    async forget(cookieId) {
      await sql`
        with of_nobody as (
          delete from artifacts where kind = 'Session' and id_hash = ${secretHash(cookieId)} and account_id is null
        )
        update artifacts set payload = payload || '{"replaced": true}'
        where kind = 'Session' and id_hash = ${secretHash(cookieId)} and account_id is not null`.execute(db);
    },
    async outdateOthers(uid, cookieId, proven) {
      return db.transaction().execute(async (trx) => {
        // Held first: a request that brings a cookie by one of them has brought it before the next statement looks, or brings it outdated.
        const { rows } = await sql<{ id_hash: string; outdated: boolean }>`
          select id_hash, payload ? 'outdated' as outdated from artifacts where kind = 'Session' and uid = ${uid} order by id_hash for update`.execute(
          trx,
        );
        const idHash = secretHash(cookieId);
        if (!rows.some((row) => row.id_hash === idHash && (proven || !row.outdated))) return false;
        await sql`
          update artifacts set payload = case when id_hash = ${idHash}
            then payload - 'replaced' - 'outdated' else payload || '{"replaced": true, "outdated": true}' end
          where kind = 'Session' and uid = ${uid}`.execute(trx);
        return true;
      });
    },
    async authorize(uid, clientId, propose) {
      // Also before: what one refused request left behind lets no later one in.
      await refuseDisabled(clientId);
      const existing = await db
        .selectFrom('session_authorizations as z')
        .innerJoin('artifacts as g', (join) => join.onRef('g.id_hash', '=', 'z.grant_id').on('g.kind', '=', 'Grant'))
        .select(['z.sid', 'z.grant_id'])
        .where('z.session_uid', '=', uid)
        .where('z.client_id', '=', clientId)
        .executeTakeFirst();
      if (existing !== undefined) return { sid: existing.sid, grantId: existing.grant_id, made: false };
      const proposed = { sid: newSecret(), grantId: await propose() };
      const { rows } = await sql<{ sid: string; grant_id: string }>`
        insert into session_authorizations as z (session_uid, client_id, sid, grant_id, created_at)
        values (${uid}, ${clientId}, ${proposed.sid}, ${proposed.grantId}, ${clock()}::timestamptz)
        on conflict (session_uid, client_id) do update set
          -- A row whose grant was ended gets the new one; a row that another request just made stands.
          grant_id = case when exists (select from artifacts g where g.kind = 'Grant' and g.id_hash = z.grant_id)
            then z.grant_id else excluded.grant_id end
        returning sid, grant_id`.execute(db);
      const row = rows[0];
      // Asked when the row is there for all to see: whoever takes the app out ends the row, or is seen here.
      await refuseDisabled(clientId);
      if (row === undefined) throw new AppDisabled();
      return { sid: row.sid, grantId: row.grant_id, made: row.grant_id === proposed.grantId };
    },
  };
}
