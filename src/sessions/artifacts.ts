import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { secretHash } from '../database/secrets.js';
import { after, values } from '../values.js';

/** What the library stores of one thing: a flat JSON object; the columns beside it are for finding and ending. */
export type Payload = Record<string, unknown>;

/** A mark against replay that stood there already: of all who bring the same assertion at once, one is the first. */
export class MarkedBefore extends Error {
  constructor() {
    super('this was used before');
    this.name = 'MarkedBefore';
  }
}

export interface Artifacts {
  /** @throws MarkedBefore when it is a replay mark, and not the first */
  save(id: string, payload: Payload, seconds: number | undefined): Promise<void>;
  find(id: string): Promise<Payload | undefined>;
  findByUserCode(userCode: string): Promise<Payload | undefined>;
  /**
   * Marks as used, at once and only once. An interaction that is over is only marked: for 24 hours it still tells the way back
   * of who comes late.
   *
   * @returns whether this call was the one
   */
  consume(id: string): Promise<boolean>;
  destroy(id: string): Promise<void>;
  endGrant(grantId: string): Promise<void>;
}

/** Kinds whose id opens a door and is therefore kept as a digest; the ids of the others are no secrets. */
const bearers = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'ClientCredentials',
  'DeviceCode',
  'PushedAuthorizationRequest',
]);
/** Kinds that mean nothing once their grant is ended, so that none is written after. */
const grantBound = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Whose sign-in an interaction holds that was accepted and has not reached its app yet. */
function signedInBy({ result }: Payload): string | null {
  const { login } = (result ?? {}) as { login?: { accountId?: unknown } };
  return text(login?.accountId);
}

/** Drops what the id column holds as a digest, and the session's cookie that the library copies into an interaction. */
function withoutSecrets(kind: string, payload: Payload): Payload {
  const { jti, ...rest } = payload;
  if (kind !== 'Interaction') return bearers.has(kind) ? rest : payload;
  const session = rest['session'];
  if (typeof session !== 'object' || session === null) return payload;
  const { cookie: _, ...kept } = session as Record<string, unknown>;
  return { jti, ...rest, session: kept };
}

/**
 * The artifacts of one kind (decision 4): codes, tokens, interactions, grants, replay marks.
 *
 * @param kind the library's model name
 */
export function artifacts(db: Database, clock: Clock, kind: string): Artifacts {
  const bearer = bearers.has(kind);
  const key = (id: string): string => (bearer ? secretHash(id) : id);

  const restore = (
    row: { payload: Payload; consumed_at: Date | null } | undefined,
    id?: string,
  ): Payload | undefined => {
    if (row === undefined) return undefined;
    const { consumed_at: consumedAt } = row;
    if (kind === 'Interaction' && consumedAt !== null) return undefined;
    // A refresh token again within seconds is a retry on a bad network: unknown, but no reason to end the grant.
    if (
      kind === 'RefreshToken' &&
      consumedAt !== null &&
      clock().getTime() - consumedAt.getTime() <= values.refreshRetry * 1000
    ) {
      return undefined;
    }
    return {
      ...row.payload,
      ...(bearer && id !== undefined ? { jti: id } : {}),
      ...(consumedAt === null ? {} : { consumed: Math.floor(consumedAt.getTime() / 1000) }),
    };
  };

  return {
    async save(id, payload, seconds) {
      const grantId = text(payload['grantId']);
      const row = {
        kind,
        id_hash: key(id),
        uid: text(payload['uid']),
        grant_id: grantId,
        account_id: text(payload['accountId']) ?? signedInBy(payload),
        client_id: text(payload['clientId']),
        user_code: text(payload['userCode']),
        payload: JSON.stringify(withoutSecrets(kind, payload)),
        expires_at: seconds === undefined ? null : after(clock(), seconds),
      };
      // A token of a grant that was ended while this request ran is not written: nothing in flight undoes a revocation.
      const alive =
        grantBound.has(kind) && grantId !== null
          ? sql`where exists (select from artifacts g where g.kind = 'Grant' and g.id_hash = ${grantId})`
          : sql``;
      const replaced =
        kind === 'ReplayDetection'
          ? sql`nothing`
          : sql`update set
          uid = excluded.uid, grant_id = excluded.grant_id, account_id = excluded.account_id,
          client_id = excluded.client_id, user_code = excluded.user_code, payload = excluded.payload,
          expires_at = excluded.expires_at`;
      const { rows } = await sql`
        insert into artifacts (kind, id_hash, uid, grant_id, account_id, client_id, user_code, payload, expires_at)
        select ${row.kind}, ${row.id_hash}, ${row.uid}, ${row.grant_id}, ${row.account_id}::uuid, ${row.client_id},
          ${row.user_code}, ${row.payload}::jsonb, ${row.expires_at}::timestamptz
        ${alive}
        on conflict (kind, id_hash) do ${replaced}
        returning kind`.execute(db);
      if (kind === 'ReplayDetection' && rows.length === 0) throw new MarkedBefore();
    },
    async find(id) {
      const row = await db
        .selectFrom('artifacts')
        .select(['payload', 'consumed_at'])
        .where('kind', '=', kind)
        .where('id_hash', '=', key(id))
        .executeTakeFirst();
      return restore(row, id);
    },
    async findByUserCode(userCode) {
      const row = await db
        .selectFrom('artifacts')
        .select(['payload', 'consumed_at'])
        .where('kind', '=', kind)
        .where('user_code', '=', userCode)
        .executeTakeFirst();
      return restore(row);
    },
    async consume(id) {
      const result = await db
        .updateTable('artifacts')
        .set({ consumed_at: clock() })
        .where('kind', '=', kind)
        .where('id_hash', '=', key(id))
        .where('consumed_at', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async destroy(id) {
      await db.deleteFrom('artifacts').where('kind', '=', kind).where('id_hash', '=', key(id)).execute();
    },
    async endGrant(grantId) {
      // In the order in which a revocation takes them.
      await sql`
        delete from artifacts where (kind, id_hash) in (
          select kind, id_hash from artifacts where kind = ${kind} and grant_id = ${grantId}
          order by kind, id_hash for update)`.execute(db);
    },
  };
}

/** What an app once asked. */
export interface PastRequest {
  /** The parameters of `/authorize`. */
  params: Record<string, unknown>;
  /** The app has its answer: the same request would be of no use to it. */
  answered: boolean;
  /** Seconds since 1970. */
  beganAt: number;
}

/**
 * The request an interaction began with, also when it is over or expired.
 *
 * @returns null when it is unknown or longer ago than 24 hours
 */
export async function pastRequest(db: Database, uid: string): Promise<PastRequest | null> {
  const row = await db
    .selectFrom('artifacts')
    .select(['payload', 'consumed_at'])
    .where('kind', '=', 'Interaction')
    .where('id_hash', '=', uid)
    .executeTakeFirst();
  const params = row?.payload['params'];
  if (row === undefined || typeof params !== 'object' || params === null) return null;
  const beganAt = Number(row.payload['iat'] ?? 0);
  return { params: { ...params }, answered: row.consumed_at !== null, beganAt };
}
