import { CompactSign, compactVerify, importJWK } from 'jose';
import type { JWK } from 'jose';
import type { Database } from '../database/database.js';
import { sealer as sealerOf } from '../database/secrets.js';
import type { Sealer } from '../database/secrets.js';
import { removedAt, rotatesAt } from '../keys/states.js';
import type { KeyRow as States } from '../keys/states.js';
import { slots } from '../keys/keys.js';
import type { Clock } from '../database/clock.js';
import { after } from '../values.js';
import { failed, ok, warning } from './check.js';
import type { Check } from './check.js';

interface KeyRow extends States {
  sealed: string;
}

/** How long what is due may wait: the job that does it comes every hour, and servers have their nights off. */
const patience = 7 * 86_400;

/**
 * Each key is where it should be by now, opens with SECRETS_KEY, and each signing key signs a probe that its public half verifies.
 *
 * @param secretsKey null where none is set and the data folder holds none
 */
export async function keys(db: Database, secretsKey: Uint8Array | null, clock: Clock): Promise<Check[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['kid', 'use', 'alg', 'state', 'sealed', 'created_at', 'became_current_at', 'became_previous_at'])
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
  const checks = await Promise.all(opened.map(({ row, text }) => check(row, text)));
  return [...checks, ...missing(rows), ...overdue(rows, clock())];
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
  for (const { use, alg } of slots) {
    const kind = `key ${use === 'sig' ? alg : use}`;
    const there = (state: string): boolean =>
      rows.some((row) => row.use === use && row.alg === alg && row.state === state);
    if (!there('current'))
      found.push(warning(kind, 'There is no current one.', 'Start the server again: it makes one.'));
    else if (!there('next')) {
      found.push(
        warning(
          kind,
          'There is no next one, so it cannot be rotated.',
          'Start the server: it makes one within the hour.',
        ),
      );
    }
  }
  return found;
}

/** What the job should have done by now. */
function overdue(rows: KeyRow[], now: Date): Check[] {
  const repair = 'See in the log of the servers why the job `keys` fails; it runs every hour.';
  return rows.flatMap((row) => {
    if (row.use === 'pairwise') return [];
    const late = (due: Date): boolean => after(due, patience) < now;
    const day = (due: Date): string => due.toISOString().slice(0, 10);
    if (row.state === 'current' && late(rotatesAt(row))) {
      return [warning(nameOf(row), `It should have been rotated on ${day(rotatesAt(row))}.`, repair)];
    }
    return row.state === 'previous' && late(removedAt(row))
      ? [warning(nameOf(row), `It should have been removed on ${day(removedAt(row))}.`, repair)]
      : [];
  });
}
