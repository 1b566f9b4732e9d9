import { parseArgs } from 'node:util';
import { z } from 'zod';
import { endFreshProofs } from '../accounts/fresh-proof.js';
import { disableAccount, findAccount, reopenAccount } from '../accounts/standing.js';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { openDeliveries, retryDeliveries } from '../sessions/deliveries.js';
import { deliveryHealth } from '../sessions/delivery-health.js';
import { revoke } from '../sessions/revoke.js';
import type { Target } from '../sessions/revoke.js';
import { liveSessions } from '../sessions/whereabouts.js';
import { DeskRefused } from './desk.js';
import type { DeskCommand } from './desk.js';

export interface AdministrationParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
}

type Operation = (parts: AdministrationParts, asked: unknown) => Promise<unknown>;

/** An operation with what it needs to be told. */
function operation<Shape extends z.ZodType>(
  shape: Shape,
  run: (parts: AdministrationParts, asked: z.infer<Shape>) => Promise<unknown>,
): Operation {
  return (parts, asked) => {
    const read = shape.safeParse(asked);
    if (!read.success) throw new DeskRefused(read.error.issues[0]?.message ?? 'This cannot be read.');
    return run(parts, read.data);
  };
}

const account = z.string('Say which account: --account with its id, e-mail or sign-in name.').min(1).max(320);
const reason = z.string('Say why, in a few words without names: --reason "…".');
const standing = z.object({ account, reason });
const one = z
  .object({ account: account.optional(), session: z.string().optional(), client: z.string().optional() })
  .refine((asked) => Object.values(asked).filter((value) => value !== undefined).length === 1, {
    error: 'Say what, and only one of them: --account, --session or --client.',
  });
const actor = 'operator';

async function knownClient({ db }: AdministrationParts, clientId: string): Promise<string> {
  const row = await db.selectFrom('clients').select('client_id').where('client_id', '=', clientId).executeTakeFirst();
  if (row === undefined) throw new DeskRefused('There is no such app.');
  return row.client_id;
}

/** Also one that has ended already, as long as it is known. */
async function knownSession({ db }: AdministrationParts, uid: string): Promise<string> {
  const row = await db
    .selectFrom('sessions')
    .select('uid')
    .where('uid', '=', uid)
    .where('account_id', 'is not', null)
    .executeTakeFirst();
  if (row === undefined) throw new DeskRefused('There is no such session.');
  return row.uid;
}

const disable = (as: 'suspended' | 'closed'): Operation =>
  operation(standing, async ({ db, clock, audit }, asked) => {
    const accountId = await findAccount(db, asked.account);
    const revoked = await disableAccount(db, audit, clock, { accountId, as, reason: asked.reason, actor });
    return { account: accountId, ...revoked };
  });

const operations: Record<string, Operation> = {
  'accounts suspend': disable('suspended'),
  'accounts close': disable('closed'),
  'accounts reopen': operation(standing, async ({ db, audit }, asked) => {
    const accountId = await findAccount(db, asked.account);
    await reopenAccount(db, audit, { accountId, reason: asked.reason, actor });
    return { account: accountId };
  }),
  'sessions list': operation(one, async (parts, asked) => {
    const { db, clock } = parts;
    if (asked.client !== undefined) return liveSessions(db, clock, { app: await knownClient(parts, asked.client) });
    if (asked.session !== undefined)
      return liveSessions(db, clock, { session: await knownSession(parts, asked.session) });
    return liveSessions(db, clock, { account: await findAccount(db, asked.account ?? '') });
  }),
  'sessions revoke': operation(one, async (parts, asked) => {
    const { db, clock, audit } = parts;
    const target = await targetOf(parts, asked);
    return db.transaction().execute(async (trx) => {
      const onTheirWay = 'account' in target && (await isSigningIn(trx, clock(), target.account));
      if ('account' in target && !('app' in target)) await endFreshProofs(trx, clock, target.account);
      const revoked = await revoke(trx, audit, clock, target, 'ended-by-operator', actor);
      // Thrown in the transaction: where there was nothing to end, nothing is written either.
      if (revoked.sessions === 0 && revoked.grants === 0 && !onTheirWay) throw new DeskRefused(nothingLeft(target));
      return revoked;
    });
  }),
  'clients health': operation(z.object({ client: z.string().optional() }), async (parts, asked) =>
    deliveryHealth(parts.db, parts.clock, asked.client === undefined ? null : await knownClient(parts, asked.client)),
  ),
  'deliveries list': operation(z.object({ client: z.string().optional() }), async (parts, asked) =>
    openDeliveries(parts.db, asked.client === undefined ? null : await knownClient(parts, asked.client)),
  ),
  'deliveries retry': operation(
    z.object({ client: z.string('Say which app: deliveries retry --client ID.') }),
    async (parts, asked) => ({
      retried: await retryDeliveries(parts.db, parts.clock, await knownClient(parts, asked.client)),
    }),
  ),
};

async function targetOf(parts: AdministrationParts, asked: z.infer<typeof one>): Promise<Target> {
  if (asked.account !== undefined) return { account: await findAccount(parts.db, asked.account) };
  if (asked.client !== undefined) return { app: await knownClient(parts, asked.client) };
  return { session: await knownSession(parts, asked.session ?? '') };
}

/** Whether somebody has been let in and has only to go on: that ends too, though no session is there yet. */
async function isSigningIn(trx: Database, now: Date, accountId: string | undefined): Promise<boolean> {
  const waiting = await trx
    .selectFrom('artifacts')
    .select('id_hash')
    .where('kind', '=', 'Interaction')
    .where('account_id', '=', accountId ?? null)
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', now)
    .limit(1)
    .executeTakeFirst();
  return waiting !== undefined;
}

function nothingLeft(target: Target): string {
  if ('session' in target) return 'This session had ended already.';
  return 'app' in target ? 'No session of this app is live.' : 'No session of this account is live.';
}

/**
 * Does what an operator asks.
 *
 * @param name such as `accounts suspend`
 * @returns what is to be told, as JSON can hold it
 * @throws DeskRefused, StandingRefused with one sentence; nothing is half done
 */
export async function administer(parts: AdministrationParts, name: string, asked: unknown): Promise<unknown> {
  const run = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (run === undefined) throw new DeskRefused('There is no such operation.');
  return run(parts, asked);
}

const options = {
  account: { type: 'string' },
  session: { type: 'string' },
  client: { type: 'string' },
  reason: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/**
 * The commands of one room.
 *
 * @param room `accounts`, `sessions`, `clients` or `deliveries`
 */
export function administration(room: string): DeskCommand {
  return async (desk, args) => {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
    const { json, ...asked } = values;
    const name = [room, ...positionals].join(' ');
    const answer = JSON.stringify(await administer(desk, name, asked));
    desk.tellApps();
    return json === true ? answer : inWords(name, JSON.parse(answer) as object);
  };
}

/** How many a list has at most. */
const mostShown: Readonly<Record<string, number>> = { 'sessions list': 50, 'deliveries list': 100 };

/** What is told where no JSON is asked for. */
function inWords(name: string, answer: object): string {
  if (Array.isArray(answer)) {
    if (answer.length === 0) return 'There are none.';
    const lines = answer.map((row: Record<string, unknown>) => line(row));
    if (answer.length >= (mostShown[name] ?? Infinity)) lines.push(`Only the first ${answer.length} are shown.`);
    return lines.join('\n');
  }
  return `${name}: done.\n${line(answer as Record<string, unknown>)}`;
}

function line(row: Record<string, unknown>): string {
  return Object.entries(row)
    .filter(([, value]) => value !== null)
    .map(([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('  ');
}
