import type { Database } from '../database/database.js';
import { utcMinute } from '../locales/dates.js';
import { after, values } from '../values.js';
import { fillSlots, loadKeys, lockKeys } from './keys.js';
import { KeysRefused, keyRows, maySignAt } from './states.js';
import type { KeyParts, KeyRow } from './states.js';

/** A span of time; `until` null where it has not ended. */
export interface Period {
  since: Date;
  until: Date | null;
}

/** What a key is to those who think of revoking it. */
export interface Suspect {
  kid: string;
  use: 'sig' | 'cookie';
  alg: string;
  state: KeyRow['state'];
  /** While it signed; null for one that never did. */
  signed: Period | null;
  /** Until when apps may not know the key that takes its place; null where they know it, or nothing takes its place. */
  unknownUntil: Date | null;
}

/**
 * A key that can be revoked.
 *
 * @throws KeysRefused where there is none, where it is gone already, and for the pairwise key
 */
export async function suspect(db: Database, kid: string, now: Date): Promise<Suspect> {
  const rows = await keyRows(db);
  const row = rows.find((each) => each.kid === kid);
  if (row === undefined) throw new KeysRefused(await whyNone(db, kid));
  const { use, alg, state } = row;
  if (use === 'pairwise') {
    throw new KeysRefused(
      'The pairwise key makes the identifiers by which vendors know parents: it never changes and cannot be revoked.',
    );
  }
  const next = rows.find((each) => each.use === use && each.alg === alg && each.state === 'next');
  const known = next === undefined ? after(now, values.keyPublished) : maySignAt(next);
  return {
    kid,
    use,
    alg,
    state,
    signed: state === 'next' ? null : { since: row.became_current_at ?? row.created_at, until: row.became_previous_at },
    unknownUntil: state === 'current' && known > now ? known : null,
  };
}

async function whyNone(db: Database, kid: string): Promise<string> {
  const gone = await db
    .selectFrom('audit_events')
    .select(['kind', 'occurred_at'])
    .where('subject', '=', `key:${kid}`)
    .where('kind', 'in', ['key.revoked', 'key.removed'])
    .executeTakeFirst();
  if (gone === undefined) {
    return `There is no key ${JSON.stringify(kid.slice(0, 64))}: see \`parent-access keys list\`.`;
  }
  return gone.kind === 'key.revoked'
    ? `The key was revoked already, on ${utcMinute(gone.occurred_at)}.`
    : `The key is gone already: its time was over on ${utcMinute(gone.occurred_at)}.`;
}

/**
 * Revokes a key, in the caller's transaction: it is neither published nor verifies any more, and where it signed, the next
 * one signs. What it could have signed is for the caller to end, in the same transaction.
 *
 * @throws KeysRefused as `suspect`
 */
export async function revokeKey(trx: Database, parts: KeyParts, kid: string, actor: string): Promise<Suspect> {
  const { sealer, clock, audit } = parts;
  await lockKeys(trx);
  // A fresh key that the other instances cannot open would stop them at their next start.
  await loadKeys(trx, sealer);
  const now = clock();
  const found = await suspect(trx, kid, now);
  const { use, alg, state, signed } = found;
  await trx.deleteFrom('signing_keys').where('kid', '=', kid).execute();
  if (state === 'current') {
    await trx
      .updateTable('signing_keys')
      .set({ state: 'current', became_current_at: now })
      .where('use', '=', use)
      .where('alg', '=', alg)
      .where('state', '=', 'next')
      .execute();
  }
  await fillSlots(trx, sealer, clock);
  await audit(trx, {
    kind: 'key.revoked',
    actor,
    subject: `key:${kid}`,
    details: { use, alg, state, since: signed?.since ?? null, until: signed?.until ?? null },
  });
  return found;
}
