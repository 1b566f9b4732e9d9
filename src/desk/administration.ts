import { z } from 'zod';
import { endEverything } from '../accounts/end-everything.js';
import { disableAccount, findAccount, reopenAccount } from '../accounts/standing.js';
import type { RecordEvent } from '../audit/audit.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import { openDeliveries, retryDeliveries } from '../sessions/deliveries.js';
import { deliveryHealth } from '../sessions/delivery-health.js';
import { revoke } from '../sessions/revoke.js';
import { isSigningIn, liveSessions } from '../sessions/whereabouts.js';
import { DeskRefused } from './desk.js';

export interface AdministrationParts {
  db: Database;
  clock: Clock;
  audit: RecordEvent;
}

type Operation = (parts: AdministrationParts, asked: unknown) => Promise<object>;

/** An operation with what it needs to be told. */
function operation<Shape extends z.ZodType>(
  shape: Shape,
  run: (parts: AdministrationParts, asked: z.infer<Shape>) => Promise<object>,
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
const because = 'ended-by-operator';

async function knownClient({ db }: Pick<AdministrationParts, 'db'>, clientId: string): Promise<string> {
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
      const accountId = 'account' in target ? target.account : null;
      const onTheirWay = accountId !== null && (await isSigningIn(trx, clock, accountId));
      const revoked =
        accountId === null
          ? await revoke(trx, audit, clock, target, because, actor)
          : await endEverything(trx, audit, clock, { accountId }, because, actor);
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
    async ({ db, clock, audit }, asked) => {
      const client = await knownClient({ db }, asked.client);
      return db.transaction().execute(async (trx) => {
        const retried = await retryDeliveries(trx, clock, client);
        if (retried > 0) {
          await audit(trx, { kind: 'deliveries.retried', actor, subject: `client:${client}`, details: { retried } });
        }
        return { retried };
      });
    },
  ),
};

/** What an operator can end. */
type Endable = { account: string } | { app: string } | { session: string };

async function targetOf(parts: AdministrationParts, asked: z.infer<typeof one>): Promise<Endable> {
  if (asked.account !== undefined) return { account: await findAccount(parts.db, asked.account) };
  if (asked.client !== undefined) return { app: await knownClient(parts, asked.client) };
  return { session: await knownSession(parts, asked.session ?? '') };
}

function nothingLeft(target: Endable): string {
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
export async function administer(parts: AdministrationParts, name: string, asked: unknown): Promise<object> {
  const run = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (run === undefined)
    throw new DeskRefused(`Say what to do: ${operationsOf(name.split(' ')[0] ?? '').join(' or ')}.`);
  return run(parts, asked);
}

/** What can be done in one room, such as `sessions list`. */
function operationsOf(room: string): string[] {
  return Object.keys(operations).filter((name) => name.startsWith(`${room} `));
}
