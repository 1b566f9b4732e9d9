import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { translator } from '../locales/translate.js';
import type { Locale } from '../locales/translate.js';
import type { PostLetter } from '../mail/outbox.js';
import type { Worker } from '../jobs/jobs.js';
import { mailQueue } from '../mail/outbox.js';
import { values } from '../values.js';
import { decideRecovery } from './decide-recovery.js';
import { decideRegistration } from './decide-registration.js';
import { mayWrite } from './letter-limits.js';
import {
  activationLetter,
  alreadyAccountLetter,
  inPersonLetter,
  noMatchLetter,
  recoveryInPersonLetter,
  recoveryLetter,
  recoveryUseEarlierLetter,
} from './letters.js';
import type { WrittenLetter } from './letters.js';
import { lockMailbox } from './mailbox-lock.js';
import { newProofs } from './requests.js';

export interface SettleParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
  post: PostLetter;
  wake: (queue: string) => void;
  /** SECRETS_KEY: what codes are digested with. */
  key: Uint8Array;
  issuer: string;
  timeZone: string;
  sisOrder: readonly string[];
  studentDomains: readonly string[];
  appName: (clientId: string, locale: Locale) => string | null;
}

interface Request {
  id: string;
  kind: 'registration' | 'recovery';
  identifier: string;
  phone: string | null;
  locale: Locale;
  clientId: string | null;
}

/** What a decision writes back to the request. */
interface Settled {
  outcome: string;
  token_hash?: string;
  code_hash?: string;
  contact_id?: string;
  account_id?: string;
}

/** The request was ended, or settled by another worker, while it was decided: nothing of the decision counts. */
class Overtaken extends Error {}

/**
 * The worker that decides registrations and recoveries, apart from the web answer. One transaction holds the decision,
 * the letter and the audit; a job that comes twice finds the request settled. The request itself is written to last and held by no lock
 * before: the next answers in that browser would wait for the decision, which takes longer for somebody whom a school knows.
 */
export function settleRequests(parts: SettleParts): Worker {
  return async (payload) => {
    const { db, clock, audit } = parts;
    const decision = db.transaction().execute(async (trx) => {
      const row = await trx
        .selectFrom('account_requests')
        .select(['id', 'kind', 'identifier', 'phone', 'locale', 'client_id'])
        .where('id', '=', String(payload['request']))
        .where('kind', '<>', 'address')
        .where('outcome', 'is', null)
        .where('ended_at', 'is', null)
        .where('expires_at', '>', clock())
        .executeTakeFirst();
      if (row === undefined || row.identifier === null) return;
      const request: Request = {
        id: row.id,
        kind: row.kind === 'recovery' ? 'recovery' : 'registration',
        identifier: row.identifier,
        phone: row.phone,
        locale: row.locale === 'es' ? 'es' : 'en',
        clientId: row.client_id,
      };
      await lockMailbox(trx, request.identifier);
      const settled =
        request.kind === 'registration' ? await register(trx, parts, request) : await recover(trx, parts, request);
      await audit(trx, {
        kind: `account.${request.kind}-asked`,
        actor: 'anonymous',
        subject: `request:${request.id}`,
        details: { outcome: settled.outcome },
      });
      const keeps = settled.contact_id !== undefined || settled.account_id !== undefined;
      const { numUpdatedRows } = await trx
        .updateTable('account_requests')
        .set({ ...settled, phone: null, ...(keeps ? {} : { identifier: null }) })
        .where('id', '=', request.id)
        .where('outcome', 'is', null)
        .where('ended_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new Overtaken();
    });
    await decision.catch((error: unknown) => {
      if (!(error instanceof Overtaken)) throw error;
    });
    parts.wake(mailQueue);
  };
}

async function register(trx: Database, parts: SettleParts, request: Request): Promise<Settled> {
  const { clock, issuer, post, timeZone } = parts;
  const { identifier: email, locale } = request;
  const t = translator(locale);
  const decided = await decideRegistration(trx, clock, { ...parts, email, phone: request.phone, timeZone });
  const once = async (letter: WrittenLetter): Promise<void> => {
    if (await mayWrite(trx, clock, decided.kind, email)) await post(trx, { to: email, ...letter });
  };
  switch (decided.kind) {
    case 'activate': {
      const proofs = newProofs(parts.key, request.id);
      const link = `${issuer}/activate?token=${proofs.token}`;
      const appName = request.clientId === null ? null : parts.appName(request.clientId, locale);
      const hours = values.activationLink / 3_600;
      const minutes = values.activationCode / 60;
      await post(trx, { to: email, ...activationLetter(t, { link, code: proofs.code, hours, minutes, appName }) });
      return {
        outcome: 'activate',
        token_hash: proofs.tokenHash,
        code_hash: proofs.codeHash,
        contact_id: decided.candidate.contactId,
      };
    }
    case 'already':
      if (decided.joined !== undefined) {
        const subject = `account:${decided.accountId}`;
        await parts.audit(trx, { kind: 'contact.joined', actor: 'system', subject, details: { ...decided.joined } });
      }
      await once(alreadyAccountLetter(t, { signInLink: `${issuer}/sign-in`, recoverLink: `${issuer}/recover` }));
      break;
    case 'in-person':
      await once(inPersonLetter(t));
      break;
    case 'no-match':
      await once(noMatchLetter(t, { registerLink: `${issuer}/register` }));
      break;
    case 'silent':
      break;
  }
  return { outcome: decided.kind };
}

async function recover(trx: Database, parts: SettleParts, request: Request): Promise<Settled> {
  const { clock, issuer, post } = parts;
  const t = translator(request.locale);
  const decided = await decideRecovery(trx, request.identifier);
  switch (decided.kind) {
    case 'recover': {
      const proofs = newProofs(parts.key, request.id);
      const link = `${issuer}/recover/link?token=${proofs.token}`;
      const minutes = values.recoveryLink / 60;
      await post(trx, { to: decided.to, ...recoveryLetter(t, { link, minutes, needsCode: decided.needsCode }) });
      return { outcome: 'recover', token_hash: proofs.tokenHash, account_id: decided.accountId };
    }
    case 'in-person':
      if (await mayWrite(trx, clock, 'recovery-in-person', decided.to)) {
        await post(trx, { to: decided.to, ...recoveryInPersonLetter(t) });
      }
      break;
    case 'earlier-address':
      if (await mayWrite(trx, clock, 'earlier-address', decided.to)) {
        await post(trx, { to: decided.to, ...recoveryUseEarlierLetter(t, { recoverLink: `${issuer}/recover` }) });
      }
      break;
    case 'silent':
      break;
  }
  return { outcome: decided.kind };
}
