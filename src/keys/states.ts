import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import type { Sealer } from '../database/secrets.js';
import { utcMinute } from '../locales/dates.js';
import { after, values } from '../values.js';
import { fillSlots, loadKeys, lockKeys, makeKey, slots } from './keys.js';
import type { Slot } from './keys.js';

/*
 *   (made) -> next -> current -> previous -> (gone)
 *              |         |           |
 *        published   signs too   verifies only
 *
 * A key is published before it signs, so that no app and no instance meets a signature that it cannot verify; and it
 * verifies after it signed, as long as anything that it signed may come back.
 */

/** What changes keys: the lock is taken inside, and the event written in the same transaction. */
export interface KeyParts {
  db: Database;
  sealer: Sealer;
  clock: Clock;
  audit: RecordEvent;
}

/** A change of keys was refused; the message is one sentence. */
export class KeysRefused extends Error {}

export interface KeyRow {
  kid: string;
  use: 'sig' | 'cookie' | 'pairwise';
  alg: string;
  state: 'next' | 'current' | 'previous';
  created_at: Date;
  became_current_at: Date | null;
  became_previous_at: Date | null;
}

/** A key as people see it. */
export interface ListedKey {
  kid: string;
  use: KeyRow['use'];
  alg: string;
  state: KeyRow['state'];
  createdAt: Date;
  becameCurrentAt: Date | null;
  /** What comes next by itself; null for the pairwise key, which never changes. */
  nextStep: 'signs' | 'verifies only' | 'is removed' | null;
  nextStepAt: Date | null;
}

/** Every key, without what it signs with. */
export async function keyRows(db: Database): Promise<KeyRow[]> {
  return db
    .selectFrom('signing_keys')
    .select(['kid', 'use', 'alg', 'state', 'created_at', 'became_current_at', 'became_previous_at'])
    .orderBy('use', 'desc')
    .orderBy('alg')
    .orderBy('created_at', 'desc')
    .orderBy('kid')
    .execute();
}

function inSlot(rows: readonly KeyRow[], { use, alg }: { use: string; alg: string }, state: KeyRow['state']) {
  return rows.find((row) => row.use === use && row.alg === alg && row.state === state);
}

/** When a `current` key is to be replaced. */
export function rotatesAt(row: KeyRow): Date {
  return after(row.became_current_at ?? row.created_at, values.keyRotation);
}

/** When a `next` key has been published long enough to sign. */
export function maySignAt(row: KeyRow): Date {
  return after(row.created_at, values.keyPublished);
}

/** When nothing that a `previous` key signed can come back any more. */
export function removedAt(row: KeyRow): Date {
  return after(row.became_previous_at ?? row.created_at, values.keyVerifies);
}

/** Every key with what comes next and when, those that sign first. */
export async function listKeys(db: Database): Promise<ListedKey[]> {
  const rows = await keyRows(db);
  const step = (row: KeyRow): [ListedKey['nextStep'], Date | null] => {
    if (row.use === 'pairwise') return [null, null];
    if (row.state === 'previous') return ['is removed', removedAt(row)];
    if (row.state === 'current') return ['verifies only', rotatesAt(row)];
    const current = inSlot(rows, row, 'current');
    const due = current === undefined ? maySignAt(row) : rotatesAt(current);
    return ['signs', due > maySignAt(row) ? due : maySignAt(row)];
  };
  return rows.map((row) => {
    const [nextStep, nextStepAt] = step(row);
    const { kid, use, alg, state, created_at: createdAt, became_current_at: becameCurrentAt } = row;
    return { kid, use, alg, state, createdAt, becameCurrentAt, nextStep, nextStepAt };
  });
}

/** A place whose key changed: who signed, and who does. */
export interface Rotated extends Slot {
  from: string;
  to: string;
  /** It was not published long enough. */
  early: boolean;
}

/** In a transaction that holds the lock: `next` signs, `current` verifies, and a fresh one is published. */
async function rotateSlot(
  trx: Database,
  { sealer, clock, audit }: KeyParts,
  { use, alg }: Slot,
  rows: readonly KeyRow[],
  actor: string,
): Promise<Rotated | null> {
  const [current, next] = [inSlot(rows, { use, alg }, 'current'), inSlot(rows, { use, alg }, 'next')];
  if (current === undefined || next === undefined) return null;
  const now = clock();
  const early = maySignAt(next) > now;
  const become = (kid: string, change: { state: 'current' | 'previous' } & Partial<KeyRow>) =>
    trx.updateTable('signing_keys').set(change).where('kid', '=', kid).execute();
  await become(current.kid, { state: 'previous', became_previous_at: now });
  await become(next.kid, { state: 'current', became_current_at: now });
  await trx
    .insertInto('signing_keys')
    .values({ ...(await makeKey(alg, sealer)), use, alg, state: 'next', created_at: now })
    .execute();
  await audit(trx, {
    kind: 'key.rotated',
    actor,
    subject: `key:${next.kid}`,
    details: { use, alg, before: current.kid, early },
  });
  return { use, alg, from: current.kid, to: next.kid, early };
}

/**
 * Rotates the keys of one use, or all; all of them or none.
 *
 * @param now also where a key has not been published long enough: what that costs is for the caller to say
 * @throws KeysRefused naming when it may be done
 * @throws WrongSecretsKey before anything is written
 */
export async function rotateKeys(
  parts: KeyParts,
  { use, now, actor }: { use?: Slot['use'] | undefined; now: boolean; actor: string },
): Promise<Rotated[]> {
  const { db, sealer, clock } = parts;
  const wanted = slots.filter((slot) => use === undefined || slot.use === use);
  return db.transaction().execute(async (trx) => {
    await lockKeys(trx);
    // A fresh key that the other instances cannot open would stop them at their next start.
    await loadKeys(trx, sealer);
    const rows = await keyRows(trx);
    const waiting = wanted.map((slot) => inSlot(rows, slot, 'next'));
    if (waiting.some((row) => row === undefined)) {
      throw new KeysRefused('There is no next key yet: it is made within the hour, or at the next start of a server.');
    }
    const ready = waiting.flatMap((row) => (row === undefined ? [] : [maySignAt(row)])).sort((a, b) => +b - +a)[0];
    if (!now && ready !== undefined && ready > clock()) {
      throw new KeysRefused(
        `The next key has not been published long enough for every app to know it: rotate at ${utcMinute(after(ready, 60))} or later, or now with --now, which may cost sign-ins for up to ${values.jwksCache / 60} minutes.`,
      );
    }
    const done: Rotated[] = [];
    for (const slot of wanted) {
      const rotated = await rotateSlot(trx, parts, slot, rows, actor);
      if (rotated !== null) done.push(rotated);
    }
    return done;
  });
}

/** What a turn of `tendKeys` did, by key id. */
export interface Tended {
  rotated: Rotated[];
  removed: string[];
}

/** The job's turn: removes what nothing needs any more, makes what is missing, and rotates what is due. */
export async function tendKeys(parts: KeyParts): Promise<Tended> {
  const { db, sealer, clock, audit } = parts;
  return db.transaction().execute(async (trx) => {
    await lockKeys(trx);
    await loadKeys(trx, sealer);
    const tended: Tended = { rotated: [], removed: [] };
    const now = clock();
    for (const { kid, use, alg } of (await keyRows(trx)).filter(
      (row) => row.state === 'previous' && removedAt(row) <= now,
    )) {
      await trx.deleteFrom('signing_keys').where('kid', '=', kid).execute();
      await audit(trx, { kind: 'key.removed', actor: 'system', subject: `key:${kid}`, details: { use, alg } });
      tended.removed.push(kid);
    }
    await fillSlots(trx, sealer, clock);
    const rows = await keyRows(trx);
    for (const slot of slots) {
      const [current, next] = [inSlot(rows, slot, 'current'), inSlot(rows, slot, 'next')];
      if (current === undefined || next === undefined || rotatesAt(current) > now || maySignAt(next) > now) continue;
      const rotated = await rotateSlot(trx, parts, slot, rows, 'system');
      if (rotated !== null) tended.rotated.push(rotated);
    }
    return tended;
  });
}
