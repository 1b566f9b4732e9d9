import Provider, { errors } from 'oidc-provider';
import { secretHash } from '../database/secrets.js';
import type { EndSession } from './configuration.js';

/** An interaction that a browser finished a page of, with the digest of the mark that it got for it. */
export interface Finished {
  uid: string;
  finishedAs: string;
}

/**
 * The uid of the session that a sign-in opens where nobody was in one. It comes from the mark that the browser got before, so that this
 * browser can end the session also where the answer with its cookie is still on its way.
 */
function sessionOpenedBy(finishedAs: string): string {
  return secretHash(`session ${finishedAs}`);
}

/** Lets sessions be known by the sign-in that opens them. */
export function nameSessions(provider: Provider): void {
  const login = provider.Session.prototype.loginAccount;
  provider.Session.prototype.loginAccount = function loginAccount(details) {
    const finishedAs = Provider.ctx?.oidc.entities.Interaction?.result?.['finishedAs'];
    if (this.accountId === undefined && typeof finishedAs === 'string') this.uid = sessionOpenedBy(finishedAs);
    login.call(this, details);
  };
}

/**
 * Ends the session that a browser is in with all that was opened in this browser for the same person, or, where it is in none, for
 * anybody: by an answer that the network holds back it would be in that session later, and its person is gone then.
 *
 * @param finished what this browser finished a page of
 * @returns by what the confirmations are asked for, or null when there was nothing to end
 */
export async function endHere(
  provider: Provider,
  endSession: EndSession,
  finished: readonly Finished[],
  { uid, accountId }: { uid: string; accountId?: string | undefined },
  because: string,
): Promise<string | null> {
  const isTheirs = (whose: unknown): boolean =>
    typeof whose === 'string' && (accountId === undefined || whose === accountId);
  const owned = new Map<string, string[]>(accountId === undefined ? [] : [[accountId, [uid]]]);
  for (const each of finished) {
    // First what did not go on yet: what goes on in this moment has a session after.
    const waiting = await provider.Interaction.find(each.uid);
    if (waiting?.result?.['finishedAs'] === each.finishedAs && isTheirs(waiting.result.login?.accountId)) {
      await waiting.destroy().catch((error: unknown) => {
        if (!(error instanceof errors.SessionNotFound)) throw error;
      });
    }
    const opened = await provider.Session.findByUid(sessionOpenedBy(each.finishedAs));
    if (opened?.accountId === undefined || !isTheirs(opened.accountId) || opened.uid === uid) continue;
    owned.set(opened.accountId, [...(owned.get(opened.accountId) ?? []), opened.uid]);
  }
  let first: string | null = null;
  for (const [owner, uids] of owned) {
    const [only = ''] = uids;
    const ended = await endSession(uids.length === 1 ? { session: only } : { sessions: uids }, because, owner);
    first ??= ended;
  }
  return first;
}
