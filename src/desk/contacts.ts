import { parseArgs } from 'node:util';
import { acceptJoin, declineJoin, findContact, proposeJoin, undoJoin } from '../accounts/join-decisions.js';
import { listProposals, mostProposals } from '../accounts/join-proposals.js';
import type { JoinBlock, JoinProposal } from '../accounts/join-proposals.js';
import { findAccount } from '../accounts/standing.js';
import type { JoinObstacle } from '../families/join-evidence.js';
import { utcMinute } from '../locales/dates.js';
import { DeskRefused, columns } from './desk.js';
import type { Desk, DeskCommand } from './desk.js';

const options = {
  account: { type: 'string' },
  contact: { type: 'string' },
  reason: { type: 'string' },
  all: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

interface Asked {
  account?: string | undefined;
  contact?: string | undefined;
  reason?: string | undefined;
}

const againsts: Readonly<Record<JoinObstacle, string>> = {
  other_name: 'another name',
  same_sis: 'a contact of the same SIS',
  other_mailbox: 'another mailbox',
  other_phone: 'no phone in common',
  pair_not_unique: 'others have this mailbox and phone',
  rights_not_explicit: 'rights are not an explicit yes',
  somebody_restricted: 'somebody is restricted or held',
  refused_before: 'staff said no before',
};

const blocks: Readonly<Record<JoinBlock, string>> = {
  'already-theirs': 'no: the account has it',
  'another-account': 'no: another account has it',
  gone: 'no: in no feed now',
  restricted: 'no: restricted or held',
  'account-disabled': 'no: the account is stopped',
};

const actor = 'operator';

/**
 * `contacts proposals [--all] [--json]`, `contacts propose --account ACCOUNT --contact SIS:ID --reason WHY`,
 * `contacts accept|decline|undo PROPOSAL --reason WHY`, and `contacts undo --account ACCOUNT --contact SIS:ID --reason WHY`.
 */
export const contactsCommand: DeskCommand = async (desk, args) => {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const [verb, proposal, ...more] = positionals;
  if (more.length > 0) throw new DeskRefused('Say one proposal at a time.');
  switch (verb) {
    case 'proposals': {
      const time = { clock: desk.clock, timeZone: desk.config.timeZone };
      const listed = await listProposals(desk.db, time, values.all === true);
      return values.json === true ? JSON.stringify(listed) : inWords(listed);
    }
    case 'propose':
      return propose(desk, values);
    case 'accept':
    case 'decline':
      return decide(desk, verb, proposal, values.reason);
    case 'undo':
      return undo(desk, proposal, values);
    default:
      throw new DeskRefused('Say what to do: contacts proposals, propose, accept, decline or undo.');
  }
};

async function pairOf(desk: Desk, { account, contact }: Asked): Promise<{ accountId: string; contactId: string }> {
  if (account === undefined) throw new DeskRefused('Say which account: --account with its id, e-mail or sign-in name.');
  if (contact === undefined) throw new DeskRefused('Say which contact: --contact SIS:ID.');
  return { accountId: await findAccount(desk.db, account), contactId: await findContact(desk.db, contact) };
}

async function propose(desk: Desk, asked: Asked): Promise<string> {
  const pair = await pairOf(desk, asked);
  const id = await proposeJoin(partsOf(desk), pair, { actor, reason: asked.reason ?? '' });
  return `Proposed: ${id}.`;
}

async function decide(
  desk: Desk,
  verb: 'accept' | 'decline',
  proposal: string | undefined,
  reason = '',
): Promise<string> {
  if (proposal === undefined)
    throw new DeskRefused(`Say which: contacts ${verb} PROPOSAL; \`contacts proposals\` lists them.`);
  if (verb === 'decline') {
    await declineJoin(partsOf(desk), proposal, { actor, reason });
    return 'Declined: it is not proposed again while the names, mailboxes and phones stay as they are.';
  }
  await acceptJoin(partsOf(desk), proposal, { actor, reason });
  return 'Accepted: the account has this contact; the parent is told at the next sign-in.';
}

async function undo(desk: Desk, proposal: string | undefined, asked: Asked): Promise<string> {
  const named = asked.account !== undefined || asked.contact !== undefined;
  if ((proposal === undefined) !== named) {
    throw new DeskRefused('Say which, by one of them: contacts undo PROPOSAL, or --account ACCOUNT --contact SIS:ID.');
  }
  const which = proposal === undefined ? await pairOf(desk, asked) : { proposal };
  await undoJoin(partsOf(desk), which, { actor, reason: asked.reason ?? '' });
  return 'Undone: the account has this contact no more, and nobody was signed out.';
}

function partsOf({ db, clock, audit, config }: Desk) {
  return { db, clock, audit, timeZone: config.timeZone };
}

function inWords(listed: readonly JoinProposal[]): string {
  if (listed.length === 0) return 'There are none.';
  const heading = ['proposal', 'account', 'contact', 'since', 'by', 'agrees', 'stands against it', 'can be accepted'];
  const more = listed.length === mostProposals ? `\nOnly the first ${mostProposals} are shown.` : '';
  return columns([heading, ...listed.map(line)]) + more;
}

function line(proposal: JoinProposal): string[] {
  const { id, accountId, contact, proposedAt, proposedBy, agrees, obstacles, blocked, decision } = proposal;
  const answer = blocked === null ? 'yes' : blocks[blocked];
  return [
    id,
    accountId,
    `${contact.sis}:${contact.id}`,
    utcMinute(proposedAt),
    proposedBy,
    agrees.join(', ') || 'nothing',
    obstacles.map((obstacle) => againsts[obstacle]).join(', ') || 'nothing',
    decision === null
      ? answer
      : `${decision} by ${proposal.decidedBy ?? 'nobody'}: ${proposal.reason ?? 'by the rule'}`,
  ];
}
