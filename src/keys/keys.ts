import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import type { Database } from '../database/database.js';
import type { Clock } from '../database/clock.js';
import type { Sealer } from '../database/secrets.js';

/** What a process signs with: private JWKs, the signing default first, and the cookie keys, newest first. */
export interface KeyRing {
  signing: JWK[];
  cookies: string[];
  /** Makes the pairwise identifiers of vendors; it never rotates, because a `sub` never changes. */
  pairwise: string;
}

const signingAlgorithms = ['ES256', 'RS256'] as const;

async function newSigningKey(alg: (typeof signingAlgorithms)[number]): Promise<JWK & { kid: string }> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' };
}

/**
 * Makes the keys that are missing: one current ES256, one RS256, one for cookies, one for
 * pairwise identifiers. Instances that start at once do it
 * once, under a transaction lock.
 */
export async function ensureKeys(db: Database, sealer: Sealer, clock: Clock): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('parent-access:keys'))`.execute(trx);
    const current = await trx
      .selectFrom('signing_keys')
      .select(['use', 'alg'])
      .where('state', '=', 'current')
      .execute();
    const present = new Set(current.map((row) => row.alg));
    for (const alg of signingAlgorithms) {
      if (present.has(alg)) continue;
      const jwk = await newSigningKey(alg);
      const sealed = await sealer.seal(JSON.stringify(jwk));
      await trx
        .insertInto('signing_keys')
        .values({ kid: jwk.kid, use: 'sig', alg, state: 'current', sealed, created_at: clock() })
        .execute();
    }
    for (const use of ['cookie', 'pairwise'] as const) {
      if (current.some((row) => row.use === use)) continue;
      const sealed = await sealer.seal(randomBytes(32).toString('base64url'));
      const kid = randomBytes(12).toString('base64url');
      await trx
        .insertInto('signing_keys')
        .values({ kid, use, alg: 'HMAC', state: 'current', sealed, created_at: clock() })
        .execute();
    }
  });
}

/**
 * Reads and opens every key.
 *
 * @throws when SECRETS_KEY is not the one the keys were sealed with
 */
export async function loadKeys(db: Database, sealer: Sealer): Promise<KeyRing> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['use', 'alg', 'state', 'sealed'])
    .orderBy(sql`case state when 'current' then 0 when 'next' then 1 else 2 end`)
    .orderBy('alg')
    .orderBy('created_at', 'desc')
    .execute();
  const ring: KeyRing = { signing: [], cookies: [], pairwise: '' };
  for (const row of rows) {
    const opened = await sealer.open(row.sealed).catch((cause: unknown) => {
      throw new Error('SECRETS_KEY does not open the keys in this database: it is not the one they were made with.', {
        cause,
      });
    });
    if (row.use === 'sig') ring.signing.push(JSON.parse(opened) as JWK);
    else if (row.use === 'cookie') ring.cookies.push(opened);
    else ring.pairwise = opened;
  }
  return ring;
}
