import { afterEach, beforeEach } from '@jest/globals';
import { pino } from 'pino';
import { auditLog } from '../../src/audit/audit.js';
import type { Database } from '../../src/database/database.js';
import { artifacts } from '../../src/sessions/artifacts.js';
import { startDeliverer } from '../../src/sessions/deliverer.js';
import type { Deliverer } from '../../src/sessions/deliverer.js';
import type { DeliveryState } from '../../src/sessions/deliveries.js';
import { revoke } from '../../src/sessions/revoke.js';
import type { Revoked, Target } from '../../src/sessions/revoke.js';
import { sessionStore } from '../../src/sessions/session-store.js';
import { account, emptyAll } from '../accounts/people.js';
import type { DatabaseKind } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { useDatabase } from '../support/suite-database.js';
import { startReceiver } from '../support/receiver.js';
import type { Receiver } from '../support/receiver.js';

export const hour = 3_600;

/** Sessions of one mother, apps with receivers of their own, and the queue between them, on a clock that the test moves. */
export interface DeliveryScene {
  readonly db: Database;
  readonly mother: string;
  clock(): Date;
  advance(seconds: number): void;
  /** Registers an app with a receiver of its own. */
  app(clientId: string): Promise<Receiver>;
  register(clientId: string, address: string | null): Promise<void>;
  /** A session that these apps were opened from. */
  session(uid: string, ...apps: string[]): Promise<void>;
  end(target: Target): Promise<Revoked>;
  /** Starts a deliverer. */
  deliver(): Deliverer;
  rows(): Promise<Array<{ client_id: string; state: DeliveryState; tries: number }>>;
  tries(): Promise<Array<{ number: number; status: number | null; words: string | null }>>;
  /** The deliveries, once so many of them wait no more. */
  settled(count: number): ReturnType<DeliveryScene['rows']>;
}

/** Sets the scene before each test of a `describe`. */
export function deliveryScene(kind: DatabaseKind): DeliveryScene {
  let db: Database;
  let now: Date;
  let mother: string;
  let deliverers: Deliverer[] = [];
  let receivers: Receiver[] = [];
  const clock = (): Date => now;
  const advance = (seconds: number): void => {
    now = new Date(now.getTime() + seconds * 1000);
  };
  useDatabase(kind, (opened) => {
    db = opened;
  });
  beforeEach(async () => {
    now = new Date('2026-11-20T18:00:00Z');
    for (const table of ['artifacts', 'session_authorizations', 'sessions'] as const)
      await db.deleteFrom(table).execute();
    await emptyAll(db);
    await db.deleteFrom('clients').execute();
    mother = await account(db, { email: 'maria@example.org' });
  });
  afterEach(async () => {
    await Promise.all(deliverers.map((each) => each.stop()));
    await Promise.all(receivers.map((each) => each.close()));
    deliverers = [];
    receivers = [];
  });

  /** An app with a receiver of its own. */
  async function app(clientId: string): Promise<Receiver> {
    const receiver = await startReceiver();
    receivers.push(receiver);
    await register(clientId, receiver.address);
    return receiver;
  }
  async function register(clientId: string, address: string | null): Promise<void> {
    await db
      .insertInto('clients')
      .values({
        client_id: clientId,
        name: clientId,
        digest: '',
        first_seen_at: now,
        changed_at: now,
        backchannel_logout_uri: address,
        sector: null,
      })
      .execute();
  }
  /** A session that these apps were opened from. */
  async function session(uid: string, ...apps: string[]): Promise<void> {
    const payload = { uid, accountId: mother, loginTs: Math.floor(now.getTime() / 1000) };
    await sessionStore(db, clock).save(`cookie ${uid}`, payload, hour);
    for (const clientId of apps) {
      await sessionStore(db, clock).authorize(uid, clientId, async () => {
        await artifacts(db, clock, 'Grant').save(`grant ${uid} ${clientId}`, { accountId: mother, clientId }, hour);
        return `grant ${uid} ${clientId}`;
      });
    }
  }
  const end = (target: Target): Promise<Revoked> =>
    db.transaction().execute((trx) => revoke(trx, auditLog(clock), clock, target, 'signed-out', 'operator'));
  function deliver(): Deliverer {
    const made = startDeliverer({
      db,
      clock,
      logger: pino({ level: 'silent' }),
      fetch,
      sign: async ({ id, tries }) => `${id} ${tries}`,
      every: 20,
    });
    deliverers.push(made);
    return made;
  }
  const rows: DeliveryScene['rows'] = () =>
    db.selectFrom('deliveries').select(['client_id', 'state', 'tries']).orderBy('client_id').execute();
  const tries = () => db.selectFrom('delivery_tries').select(['number', 'status', 'words']).orderBy('number').execute();
  const settled = async (count: number) =>
    eventually(rows, (all) => all.filter(({ state }) => state !== 'waiting').length >= count);
  return {
    get db() {
      return db;
    },
    get mother() {
      return mother;
    },
    clock,
    advance,
    app,
    register,
    session,
    end,
    deliver,
    rows,
    tries,
    settled,
  };
}
