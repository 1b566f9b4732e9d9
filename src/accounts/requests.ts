import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { newSecret, secretHash } from '../database/secrets.js';
import type { Jobs } from '../jobs/jobs.js';
import { after, values } from '../values.js';
import { newClaim } from './claims.js';

export const requestQueue = 'account-request';
/** The outcome of a recovery that somebody ended from a session. */
const outweighed = 'outweighed';
export type RequestKind = 'registration' | 'recovery' | 'address';

/** What a person typed to register or to recover, and where they came from. */
export interface NewRequest {
  kind: RequestKind;
  /** The browser's own random cookie. */
  browser: string;
  identifier: string;
  phone: string | null;
  locale: string;
  clientId: string | null;
  interactionUid: string | null;
}

/**
 * Writes a request and the job that decides it. The same statements run for everybody, whoever they are: what the
 * decision finds is told by mail only, so neither the answer nor its time says anything. A new request ends the earlier
 * ones of the same browser for the same person, and no other: a stranger's may be all that its owner gets that day.
 */
export async function placeRequest(db: Database, jobs: Jobs, clock: Clock, request: NewRequest): Promise<void> {
  const now = clock();
  await db.transaction().execute(async (trx) => {
    // Of two sent at once the later one sees the earlier.
    const browser = `browser ${secretHash(request.browser)}`;
    await sql`select pg_advisory_xact_lock(hashtextextended(${browser}, 0))`.execute(trx);
    await trx
      .updateTable('account_requests')
      .set({ ended_at: now })
      .where('browser_hash', '=', secretHash(request.browser))
      .where('kind', '=', request.kind)
      .where('identifier', '=', request.identifier)
      .where('ended_at', 'is', null)
      .execute();
    const link = request.kind === 'registration' ? values.activationLink : values.recoveryLink;
    const { id } = await trx
      .insertInto('account_requests')
      .values({
        kind: request.kind,
        browser_hash: secretHash(request.browser),
        identifier: request.identifier,
        phone: request.phone,
        locale: request.locale,
        client_id: request.clientId,
        interaction_uid: request.interactionUid,
        outcome: null,
        contact_id: null,
        account_id: null,
        token_hash: null,
        code_hash: null,
        claim_hash: null,
        created_at: now,
        expires_at: after(now, link),
        code_expires_at: after(now, values.activationCode),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await jobs.send(trx, requestQueue, { request: id });
  });
  jobs.wake(requestQueue);
}

/** A request whose link or code was just used in a browser. */
export interface ClaimedRequest {
  id: string;
  kind: RequestKind;
  clientId: string | null;
  interactionUid: string | null;
  contactId: string | null;
  accountId: string | null;
  identifier: string | null;
  /** The digest of the browser's own random name, under which link or code was used. */
  browser: string | null;
}

const claimed = [
  'id',
  'kind',
  'client_id',
  'interaction_uid',
  'contact_id',
  'account_id',
  'identifier',
  'claim_browser',
] as const;

interface ClaimedRow {
  id: string;
  kind: RequestKind;
  client_id: string | null;
  interaction_uid: string | null;
  contact_id: string | null;
  account_id: string | null;
  identifier: string | null;
  claim_browser: string | null;
}

function claimedRequest(row: ClaimedRow): ClaimedRequest {
  return {
    id: row.id,
    kind: row.kind,
    clientId: row.client_id,
    interactionUid: row.interaction_uid,
    contactId: row.contact_id,
    accountId: row.account_id,
    identifier: row.identifier,
    browser: row.claim_browser,
  };
}

export type LinkProblem = 'unknown' | 'expired' | 'used';

/**
 * Binds a mailed link to the browser that pressed its button. The link itself stays good until its end for that browser
 * alone; to look at it changes nothing.
 * @param browser the browser's own random name for what is pressed
 * @param claim its claim secret so far, or null
 * @returns the claim secret for the browser's cookie, or why the link is of no use
 */
export async function claimLink(
  db: Database,
  clock: Clock,
  kind: RequestKind,
  token: string,
  browser: string,
  claim: string | null,
): Promise<{ claim: string } | { problem: LinkProblem }> {
  const now = clock();
  const live = db
    .updateTable('account_requests')
    .where('token_hash', '=', secretHash(token))
    .where('kind', '=', kind)
    .where('expires_at', '>', now)
    .where('ended_at', 'is', null)
    .where('consumed_at', 'is', null)
    .returning('id');
  if (claim !== null) {
    const mine = live.set({ claimed_at: now }).where('claim_hash', '=', secretHash(claim));
    if ((await mine.executeTakeFirst()) !== undefined) return { claim };
  }
  const fresh = newClaim(browser);
  const first = live.set({ claimed_at: now, ...fresh.kept }).where('claim_hash', 'is', null);
  if ((await first.executeTakeFirst()) !== undefined) return { claim: fresh.claim };
  return { problem: await linkProblem(db, clock, kind, token) };
}

/** Why a link is of no use, for the page that offers a new one. */
async function linkProblem(db: Database, clock: Clock, kind: RequestKind, token: string): Promise<LinkProblem> {
  const row = await db
    .selectFrom('account_requests')
    .select(['expires_at', 'ended_at', 'consumed_at'])
    .where('token_hash', '=', secretHash(token))
    .where('kind', '=', kind)
    .executeTakeFirst();
  if (row === undefined) return 'unknown';
  if (row.consumed_at !== null) return 'used';
  if (row.expires_at <= clock() || row.ended_at !== null) return 'expired';
  return 'used';
}

/** The digest of a code: keyed, because six digits are few enough to try all. */
function codeDigest(key: Uint8Array, requestId: string, code: string): Buffer {
  return createHmac('sha256', key).update(`code ${requestId} ${code}`).digest();
}

/** A link's token and a code of six digits, with what the database keeps of them. */
export function newProofs(
  key: Uint8Array,
  requestId: string,
): { token: string; code: string; tokenHash: string; codeHash: string } {
  const token = newSecret();
  const code = String(randomInt(0, 1_000_000)).padStart(6, '0');
  return {
    token,
    code,
    tokenHash: secretHash(token),
    codeHash: codeDigest(key, requestId, code).toString('base64url'),
  };
}

/**
 * Tries a typed code against this browser's last request. A try counts before it is compared; after five the code is
 * over, the link is not. A request that led to nobody counts and refuses in the same way, and so does one that ended meanwhile: whoever asked
 * for somebody else's account would learn that its owner used the link. Who has the right code reads the mailbox.
 * @param browser `asked`: the cookie by which its request is known; `presses`: its name for what is pressed
 */
export async function claimCode(
  db: Database,
  clock: Clock,
  key: Uint8Array,
  browser: { asked: string; presses: string },
  code: string,
): Promise<{ claim: string } | { problem: 'wrong' | 'over' }> {
  const now = clock();
  const row = await db
    .updateTable('account_requests')
    .set((eb) => ({ code_tries: eb('code_tries', '+', 1) }))
    // Of two that were asked at one moment the first was ended by the second.
    .where(
      'id',
      '=',
      sql<string>`(select id from account_requests where browser_hash = ${secretHash(browser.asked)} and kind = 'registration'
        order by created_at desc, ended_at desc nulls first limit 1)`,
    )
    .where('code_expires_at', '>', now)
    .where('code_tries', '<', values.activationCodeTries)
    .returning(['id', 'code_hash', 'code_tries'])
    .executeTakeFirst();
  if (row === undefined) return { problem: 'over' };
  const expected = Buffer.from(row.code_hash ?? '', 'base64url');
  const given = codeDigest(key, row.id, code.replaceAll(/[\s-]/g, ''));
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) {
    return { problem: row.code_tries >= values.activationCodeTries ? 'over' : 'wrong' };
  }
  const { claim, kept } = newClaim(browser.presses);
  // Nor one that is finished in this very moment by the link: what is shown once more there is that browser's.
  const { numUpdatedRows } = await db
    .updateTable('account_requests')
    .set({ claimed_at: now, ...kept })
    .where('id', '=', row.id)
    .where('ended_at', 'is', null)
    .where('consumed_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 0n ? { problem: 'over' } : { claim };
}

/** The request that this browser may finish now, or null when its hour is over or it is finished. */
export async function claimedBy(
  db: Database,
  clock: Clock,
  kind: RequestKind,
  claim: string,
): Promise<ClaimedRequest | null> {
  const row = await db
    .selectFrom('account_requests')
    .select(claimed)
    .where('claim_hash', '=', secretHash(claim))
    .where('kind', '=', kind)
    .where('claimed_at', '>', after(clock(), -values.claim))
    .where('ended_at', 'is', null)
    .where('consumed_at', 'is', null)
    .executeTakeFirst();
  return row === undefined ? null : claimedRequest(row);
}

/** Why this browser may not finish what it claimed, or claimed nothing. */
export async function claimProblem(db: Database, kind: RequestKind, claim = ''): Promise<LinkProblem> {
  const finished = await db
    .selectFrom('account_requests')
    .select('id')
    .where('claim_hash', '=', secretHash(claim))
    .where('kind', '=', kind)
    .where('consumed_at', 'is not', null)
    .executeTakeFirst();
  return finished === undefined ? 'expired' : 'used';
}

/**
 * Ends every recovery of an account that waits for its new password, also where the link was pressed already: a later
 * change of the password outweighs them.
 *
 * @param inSession said by whoever is signed in, who may be a thief and say so again and again: what is asked within the hour after they
 *   ended one stands, because the mailbox has the last word
 */
export async function endRecoveries(trx: Database, clock: Clock, accountId: string, inSession: boolean): Promise<void> {
  await trx
    .updateTable('account_requests as r')
    .set({ ended_at: clock() })
    .where('r.account_id', '=', accountId)
    .where('r.kind', '=', 'recovery')
    .where('r.consumed_at', 'is', null)
    .where('r.ended_at', 'is', null)
    .$if(inSession, (query) =>
      query.set({ outcome: outweighed }).where(
        sql<boolean>`not exists (select from account_requests e where e.account_id = r.account_id and e.outcome = ${outweighed}
          and e.ended_at > ${after(clock(), -values.recoveryStands)} and e.ended_at <= r.created_at)`,
      ),
    )
    .execute();
}
