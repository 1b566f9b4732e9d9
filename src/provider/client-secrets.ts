import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { after, values } from '../values.js';
import type { AppRegistration } from './app-registration.js';
import { matchingDigest } from './metadata.js';

/** Whether a secret is one of the app's that are good now. */
export type CheckSecret = (app: AppRegistration, secret: string) => Promise<boolean>;

/**
 * Compares a secret with every unexpired one of its app, in constant time. One that an operator ended is not good from that moment on at
 * every instance, whatever the file of each says; its use is written down, at most once a minute.
 */
export function checkSecret(db: Database, clock: Clock): CheckSecret {
  return async (app, secret) => {
    const sha256 = matchingDigest(app, secret, clock);
    if (sha256 === null) return false;
    const now = clock();
    const known = await db
      .selectFrom('client_secrets')
      .select(['ends_at', 'last_used_at'])
      .where('client_id', '=', app.client_id)
      .where('sha256', '=', sha256)
      .executeTakeFirst();
    if (known?.ends_at !== null && known?.ends_at !== undefined && known.ends_at <= now) return false;
    const late = after(now, -values.secretTouch);
    if (known?.last_used_at === null || known?.last_used_at === undefined || known.last_used_at <= late) {
      await db
        .insertInto('client_secrets')
        .values({ client_id: app.client_id, sha256, last_used_at: now })
        .onConflict((conflict) =>
          conflict
            .columns(['client_id', 'sha256'])
            .doUpdateSet({ last_used_at: now })
            .where(sql<boolean>`client_secrets.last_used_at is null or client_secrets.last_used_at <= ${late}`),
        )
        .execute();
    }
    return true;
  };
}

/** A secret as people see it: never itself, nor its digest. */
export interface ListedSecret {
  name: string;
  state: 'in force' | 'expires soon' | 'ended';
  /** The earlier of what the file and an operator say; null where neither says anything. */
  endsAt: Date | null;
  /** An operator ended it earlier than the file says. */
  endedByOperator: boolean;
  lastUsedAt: Date | null;
}

/** The secrets of an app, as the file lists them. */
export async function listSecrets(db: Database, app: AppRegistration, now: Date): Promise<ListedSecret[]> {
  const rows = await db.selectFrom('client_secrets').selectAll().where('client_id', '=', app.client_id).execute();
  return (app.secrets ?? []).map(({ name, sha256, expires_at: expiresAt }) => {
    const row = rows.find((each) => each.sha256 === sha256);
    const file = expiresAt === undefined ? null : new Date(expiresAt);
    const operator = row?.ends_at ?? null;
    const endedByOperator = operator !== null && (file === null || operator < file);
    const endsAt = endedByOperator ? operator : file;
    const state =
      endsAt === null || endsAt > after(now, values.secretWarning)
        ? 'in force'
        : endsAt > now
          ? 'expires soon'
          : 'ended';
    return { name, state, endsAt, endedByOperator, lastUsedAt: row?.last_used_at ?? null };
  });
}

/** Every secret that expires soon, with its app. */
export async function expiringSecrets(
  db: Database,
  apps: Iterable<AppRegistration>,
  now: Date,
): Promise<Array<{ client: string; secret: string; expiresAt: Date | null; lastUsedAt: Date | null }>> {
  const found = [];
  for (const app of apps) {
    for (const { name, state, endsAt, lastUsedAt } of await listSecrets(db, app, now)) {
      if (state === 'expires soon') found.push({ client: app.client_id, secret: name, expiresAt: endsAt, lastUsedAt });
    }
  }
  return found;
}

/**
 * Ends a secret, in the caller's transaction, by its digest: taken into the file again under another name it stays ended.
 *
 * @returns whether it was good until now
 */
export async function endSecret(
  trx: Database,
  clientId: string,
  sha256: string,
  at: Date,
  now: Date,
): Promise<boolean> {
  const written = await trx
    .insertInto('client_secrets')
    .values({ client_id: clientId, sha256, ends_at: at })
    .onConflict((conflict) =>
      conflict
        .columns(['client_id', 'sha256'])
        .doUpdateSet({ ends_at: at })
        .where(sql<boolean>`client_secrets.ends_at is null or client_secrets.ends_at > ${now}`),
    )
    .returning('sha256')
    .executeTakeFirst();
  return written !== undefined;
}
