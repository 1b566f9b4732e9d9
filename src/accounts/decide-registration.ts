import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { feedHolds, isStudentAddress, registrationCandidates } from '../families/candidates.js';
import type { RegistrationCandidate } from '../families/candidates.js';
import { joinContacts } from '../families/joins.js';
import { after, values } from '../values.js';
import { mailboxState } from './account.js';
import { accountExists } from './person.js';

/** What a registration leads to; told by mail only. */
export type RegistrationOutcome =
  | { kind: 'activate'; candidate: RegistrationCandidate }
  /** `joined`: the contacts that joined the account now, as they are like one of its own. */
  | { kind: 'already'; accountId: string; joined?: { like: string; joined: string[] } }
  | { kind: 'in-person' }
  | { kind: 'no-match' }
  | { kind: 'silent' };

export interface RegistrationQuestion {
  /** Normalised. */
  email: string;
  /** E.164, or null when what was typed is no phone: then nobody matches. */
  phone: string | null;
  /** SIS names, first feed first. */
  sisOrder: readonly string[];
  studentDomains: readonly string[];
  timeZone: string;
}

/**
 * The rule of registration, clause by clause (the design's "Registration"):
 * (1) a restricted candidate or several people: in person; (2) a person who has an account: told so, and what else is
 * theirs joins; (3) one person: activation; (4) nobody: told only where an account has the mailbox still, or a feed holds it.
 */
export async function decideRegistration(
  trx: Database,
  clock: Clock,
  question: RegistrationQuestion,
): Promise<RegistrationOutcome> {
  const { email, phone, timeZone } = question;
  const now = clock();
  if (await isStudentAddress(trx, email, question.studentDomains)) return { kind: 'silent' };
  const candidates = phone === null ? [] : await registrationCandidates(trx, { email, e164: phone, now, timeZone });

  const persons = new Set(candidates.map((candidate) => candidate.nameKey));
  if (candidates.some((candidate) => candidate.restricted) || persons.size > 1) return { kind: 'in-person' };

  const proven = candidates.find((candidate) => candidate.provenBy !== null);
  if (proven !== undefined && proven.provenBy !== null) {
    // One that is suspended or closed gets nothing; when it is reopened its contacts are due.
    const { provenBy: accountId, contactId: like } = proven;
    const joined = (await accountExists(trx, accountId))
      ? await joinContacts(trx, { accountId, contactId: like, now, timeZone })
      : [];
    return { kind: 'already', accountId, ...(joined.length === 0 ? {} : { joined: { like, joined } }) };
  }

  const [first] = candidates.toSorted((a, b) => question.sisOrder.indexOf(a.sis) - question.sisOrder.indexOf(b.sis));
  if (first !== undefined) {
    return (await liveActivations(trx, clock, first.contactId)) < values.activationsPerContactADay
      ? { kind: 'activate', candidate: first }
      : { kind: 'silent' };
  }

  const once = await trx
    .selectFrom('accounts')
    .select(['id', 'email'])
    .where('email', '=', email)
    .orderBy('created_at')
    .executeTakeFirst();
  // Whoever has the mailbox now is not told of who had it before.
  if (once !== undefined && !(await mailboxState(trx, once)).suspended) return { kind: 'already', accountId: once.id };
  return { kind: (await feedHolds(trx, email)) ? 'no-match' : 'silent' };
}

/** Activations of a contact that are still good, of the last day: strangers cannot fill a mailbox with them. */
async function liveActivations(trx: Database, clock: Clock, contactId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('account_requests')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('contact_id', '=', contactId)
    .where('created_at', '>', after(clock(), -86_400))
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}
