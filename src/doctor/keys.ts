import { CompactSign, compactVerify, importJWK } from 'jose';
import type { JWK } from 'jose';
import type { Database } from '../database/database.js';
import { sealer as sealerOf } from '../database/secrets.js';
import type { Sealer } from '../database/secrets.js';
import { failed, ok, warning } from './check.js';
import type { Check } from './check.js';

interface KeyRow {
  kid: string;
  use: string;
  alg: string;
  state: string;
  sealed: string;
}

/**
 * Each key opens with SECRETS_KEY, and each signing key signs a probe that its public half verifies.
 *
 * @param secretsKey null where none is set and the data folder holds none
 */
export async function keys(db: Database, secretsKey: Uint8Array | null): Promise<Check[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['kid', 'use', 'alg', 'state', 'sealed'])
    .orderBy('use')
    .orderBy('alg')
    .orderBy('state')
    .execute();
  if (rows.length === 0) {
    return [warning('keys', 'There are no keys yet.', 'Start the server once: it makes them.')];
  }
  const repair =
    'Set SECRETS_KEY to the one these keys were made with: it is where the secrets of this server are kept.';
  if (secretsKey === null) {
    return [failed('SECRETS_KEY', `It is not set, and ${rows.length} keys were sealed with one.`, repair)];
  }
  const sealer = sealerOf(secretsKey);
  const opened = await Promise.all(rows.map(async (row) => ({ row, text: await open(sealer, row) })));
  if (opened.every(({ text }) => text === null)) {
    const found = `It opens none of the ${rows.length} keys in this database: it is not the one they were made with.`;
    return [failed('SECRETS_KEY', found, repair)];
  }
  return [...(await Promise.all(opened.map(({ row, text }) => check(row, text)))), ...missing(rows)];
}

async function open(sealer: Sealer, row: KeyRow): Promise<string | null> {
  return sealer.open(row.sealed).catch(() => null);
}

function nameOf({ use, alg, kid }: KeyRow): string {
  return use === 'sig' ? `key ${alg} ${kid.slice(0, 8)}` : `key ${use} ${kid.slice(0, 8)}`;
}

async function check(row: KeyRow, text: string | null): Promise<Check> {
  const name = nameOf(row);
  const restore = 'Restore its row of signing_keys from the last backup.';
  if (text === null) return failed(name, 'SECRETS_KEY does not open it, though it opens others.', restore);
  if (row.use !== 'sig') {
    return text.length < 32
      ? failed(name, 'It is shorter than 32 characters.', restore)
      : ok(name, `It opens (${row.state}).`);
  }
  return (await signs(text, row.alg))
    ? ok(name, `It signs, and its public half verifies (${row.state}).`)
    : failed(name, 'It opens, but what it signs does not verify.', restore);
}

async function signs(text: string, alg: string): Promise<boolean> {
  try {
    const jwk = JSON.parse(text) as JWK;
    const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...publicHalf } = jwk;
    const probe = await new CompactSign(new TextEncoder().encode('parent-access doctor'))
      .setProtectedHeader({ alg })
      .sign(await importJWK(jwk, alg));
    await compactVerify(probe, await importJWK(publicHalf, alg), { algorithms: [alg] });
    return true;
  } catch {
    return false;
  }
}

/** What a start would make anew. A new pairwise key would make every vendor take known parents for strangers. */
function missing(rows: KeyRow[]): Check[] {
  const current = rows.filter((row) => row.state === 'current');
  const found: Check[] = [];
  if (!rows.some((row) => row.use === 'pairwise')) {
    found.push(
      failed(
        'key pairwise',
        'It is missing: the next start makes a new one, and vendors take every parent for a stranger.',
        'Restore its row of signing_keys from the last backup before any start.',
      ),
    );
  }
  const wanted = [
    ['ES256', current.some((row) => row.use === 'sig' && row.alg === 'ES256')],
    ['RS256', current.some((row) => row.use === 'sig' && row.alg === 'RS256')],
    ['cookie', current.some((row) => row.use === 'cookie')],
  ] as const;
  for (const [kind, there] of wanted) {
    if (!there) found.push(warning(`key ${kind}`, 'There is no current one.', 'Start the server again: it makes one.'));
  }
  return found;
}
