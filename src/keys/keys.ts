import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import type { Database } from '../database/database.js';
import type { Clock } from '../database/clock.js';
import type { Sealer } from '../database/secrets.js';

/** What a process signs with: private JWKs and cookie keys, of each kind the one that signs first; the others verify. */
export interface KeyRing {
  /** Changes whenever a key comes, goes or changes its state. */
  version: string;
  signing: JWK[];
  cookies: string[];
  /** Makes the pairwise identifiers of vendors; it never rotates, because a `sub` never changes. */
  pairwise: string;
}

/** A place that one `current` key holds, with one `next` behind it. */
export interface Slot {
  use: 'sig' | 'cookie';
  alg: 'ES256' | 'RS256' | 'HMAC';
}

export const slots: readonly Slot[] = [
  { use: 'sig', alg: 'ES256' },
  { use: 'sig', alg: 'RS256' },
  { use: 'cookie', alg: 'HMAC' },
];

/** A key as it is written down. */
export interface MadeKey {
  kid: string;
  sealed: string;
}

/** SECRETS_KEY is not the one that the keys of this database were sealed with. */
export class WrongSecretsKey extends Error {
  constructor(cause: unknown) {
    super('SECRETS_KEY does not open the keys in this database: it is not the one they were made with.', { cause });
  }
}

/** Makes a key of a kind, sealed. */
export async function makeKey(alg: Slot['alg'], sealer: Sealer): Promise<MadeKey> {
  if (alg === 'HMAC') {
    return {
      kid: randomBytes(12).toString('base64url'),
      sealed: await sealer.seal(randomBytes(32).toString('base64url')),
    };
  }
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, sealed: await sealer.seal(JSON.stringify({ ...jwk, kid, alg, use: 'sig' })) };
}

/** Whoever changes keys does so alone, until the end of the transaction. */
export async function lockKeys(trx: Database): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('parent-access:keys'))`.execute(trx);
}

/**
 * Makes the keys that are missing: for each place one that signs and one that will, and one for pairwise identifiers.
 * Instances that start at once do it once, under a transaction lock.
 *
 * @throws WrongSecretsKey before anything is written
 */
export async function ensureKeys(db: Database, sealer: Sealer, clock: Clock): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await lockKeys(trx);
    // A key sealed with another SECRETS_KEY would stop the instances that have the right one.
    await loadKeys(trx, sealer);
    await fillSlots(trx, sealer, clock);
  });
}

/** Makes what is missing, in a transaction that holds the lock. */
export async function fillSlots(trx: Database, sealer: Sealer, clock: Clock): Promise<void> {
  const present = await trx.selectFrom('signing_keys').select(['use', 'alg', 'state']).execute();
  const created_at = clock();
  for (const { use, alg } of slots) {
    for (const state of ['current', 'next'] as const) {
      if (present.some((row) => row.use === use && row.alg === alg && row.state === state)) continue;
      const since = state === 'current' ? { became_current_at: created_at } : {};
      await trx
        .insertInto('signing_keys')
        .values({ ...(await makeKey(alg, sealer)), use, alg, state, created_at, ...since })
        .execute();
    }
  }
  if (present.some((row) => row.use === 'pairwise')) return;
  await trx
    .insertInto('signing_keys')
    .values({
      ...(await makeKey('HMAC', sealer)),
      use: 'pairwise',
      alg: 'HMAC',
      state: 'current',
      created_at,
      became_current_at: created_at,
    })
    .execute();
}

function versionOf(rows: ReadonlyArray<{ kid: string; state: string }>): string {
  return rows
    .map(({ kid, state }) => `${kid} ${state}`)
    .sort()
    .join(',');
}

/** The version of the keys there are now: of a dozen short rows, cheap enough to ask every few seconds. */
export async function keysVersion(db: Database): Promise<string> {
  return versionOf(await db.selectFrom('signing_keys').select(['kid', 'state']).execute());
}

/**
 * Reads and opens every key.
 *
 * @throws WrongSecretsKey when SECRETS_KEY is not the one the keys were sealed with
 */
export async function loadKeys(db: Database, sealer: Sealer): Promise<KeyRing> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['kid', 'use', 'alg', 'state', 'sealed'])
    .orderBy(sql`case state when 'current' then 0 when 'next' then 1 else 2 end`)
    .orderBy('alg')
    .orderBy('created_at', 'desc')
    .execute();
  const ring: KeyRing = { version: versionOf(rows), signing: [], cookies: [], pairwise: '' };
  for (const row of rows) {
    const opened = await sealer.open(row.sealed).catch((cause: unknown) => {
      throw new WrongSecretsKey(cause);
    });
    if (row.use === 'sig') ring.signing.push(JSON.parse(opened) as JWK);
    else if (row.use === 'cookie') ring.cookies.push(opened);
    else ring.pairwise = opened;
  }
  return ring;
}
