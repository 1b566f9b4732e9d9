import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Browser } from '../test/support/browser.js';
import { eventually } from '../test/support/eventually.js';
import { planned, share } from './house.js';
import type { Finding } from './house.js';
import { listeners } from './listeners.js';
import type { Listener } from './listeners.js';
import { openApps, parents, signedIn } from './parents.js';
import type { OpenedApps } from './parents.js';
import { layStage } from './program.js';
import type { Stage } from './program.js';

const rounds = planned(50);
const perRound = 16;
/** The portal, from which they sign in, is an app of the session too, and has nothing to be told. */
const apps = ['echoices', 'cafeteria', 'tutoring'];
/** Milliseconds: sign-outs come within the first, and the process is killed within the second. */
const [spread, mostLife] = [300, 450];
/** The longest that an app takes to answer, in milliseconds. */
const answering = 150;

interface Parent {
  opened: OpenedApps;
  browser: Browser;
  acknowledged: boolean;
}

async function arrive(stage: Stage, emails: readonly string[]): Promise<Parent[]> {
  const all: Parent[] = [];
  const queue = [...emails];
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let email = queue.pop(); email !== undefined; email = queue.pop()) {
        const browser = await signedIn(stage.issuer, email);
        all.push({ opened: await openApps(stage.database.db, email, apps), browser, acknowledged: false });
      }
    }),
  );
  return all;
}

/** Parents sign out by the button of the portal, and the process is killed in the middle. */
async function killedRound(stage: Stage, emails: readonly string[]): Promise<Parent[]> {
  const program = await stage.start();
  const all = await arrive(stage, emails);
  const leaving = all.map(async (parent) => {
    await pause(randomInt(spread));
    // Who got no answer may have signed out or not.
    const page = await parent.browser.submit({}, { form: 'header form', follow: false }).catch(() => null);
    parent.acknowledged = page?.headers.location === '/signed-out';
  });
  await pause(randomInt(mostLife));
  program.kill('SIGKILL');
  await program.ended;
  await Promise.all(leaving);
  return all;
}

interface State {
  uid: string;
  ended: boolean;
  open: number;
  due: number;
}

/** What the database says of sessions: whether each has ended, what is open of it, and what is to be told. */
async function statesOf(stage: Stage, all: readonly Parent[]): Promise<State[]> {
  const { rows } = await sql<State>`
    select s.uid, s.revoked_at is not null as ended,
      (select count(*)::int from session_authorizations z
        where z.session_uid = s.uid and z.client_id = any(${apps}::text[])) as open,
      (select count(*)::int from deliveries d where d.session_uid = s.uid) as due
    from sessions s where s.uid = any(${all.map(({ opened }) => opened.session)}::text[])`.execute(stage.database.db);
  return rows;
}

async function verdict(
  stage: Stage,
  all: readonly Parent[],
  inFlight: readonly number[],
  receivers: readonly Listener[],
): Promise<Finding[]> {
  const restarted = Date.now();
  const { db } = stage.database;
  const waiting = async (): Promise<number> =>
    (await db.selectFrom('deliveries').select('id').where('state', '=', 'waiting').execute()).length;
  await eventually(waiting, (count) => count === 0, 120_000);
  const seconds = (Date.now() - restarted) / 1_000;
  const states = new Map((await statesOf(stage, all)).map((state) => [state.uid, state]));
  const acknowledged = all.filter((parent) => parent.acknowledged);
  const unended = acknowledged.filter(({ opened }) => states.get(opened.session)?.ended !== true).length;
  // Ended with all that belongs to it, or not at all.
  const half = [...states.values()].filter(
    ({ ended, open, due }) => !(ended ? open === 0 && due === apps.length : open === apps.length && due === 0),
  ).length;
  const ended = all.filter(({ opened }) => states.get(opened.session)?.ended === true);
  const told = ended.flatMap(({ opened }) =>
    receivers.map(({ clientId, told: heard }) => heard.get(opened.sids[clientId] ?? '')?.length ?? 0),
  );
  const lost = told.filter((times) => times === 0).length;
  const twice = told.filter((times) => times > 1).length;
  return [
    {
      name: `kill -9 × ${rounds} while parents sign out and apps are told`,
      bar: 'the session of every acknowledged sign-out has ended; no half ones',
      measured: `${all.length} sign-outs sent, ${acknowledged.length} acknowledged, ${unended} of these not ended; ${ended.length} ended in all, ${half} half`,
      holds: unended === 0 && half === 0 && states.size === all.length && acknowledged.length > 0,
    },
    {
      name: `kill -9 × ${rounds}: deliveries to ${apps.length} apps`,
      bar: 'every app is told after the restart: 0 lost',
      measured: `${told.length} due, ${told.length - lost} told, ${lost} lost, ${twice} told more than once; a kill left ${share(inFlight, 0.5)} untold (median; most ${share(inFlight, 1)}, none in ${inFlight.filter((count) => count === 0).length} rounds); the last were told ${seconds.toFixed(1)} s after the last restart`,
      holds: lost === 0 && told.length === ended.length * apps.length && told.length > 0,
    },
  ];
}

/** Kills the real program again and again in the middle of sign-outs and of telling the apps, on one database that stays. */
export async function deliveriesKilled(): Promise<Finding[]> {
  const receivers = await listeners(apps);
  for (const each of receivers) each.confirm(() => randomInt(answering));
  const stage = await layStage(
    receivers.map(({ clientId, receiver }) => ({
      client_id: clientId,
      redirect_uris: ['http://localhost:9/callback'],
      backchannel_logout_uri: receiver.address,
    })),
  );
  try {
    const emails = await parents(stage.database.db, rounds * perRound);
    const all: Parent[] = [];
    const inFlight: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const these = await killedRound(stage, emails.slice(round * perRound, (round + 1) * perRound));
      all.push(...these);
      const uids = these.map(({ opened }) => opened.session);
      const { rows } = await sql<{ count: number }>`
        select count(*)::int as count from deliveries
        where state = 'waiting' and session_uid = any(${uids}::text[])`.execute(stage.database.db);
      inFlight.push(rows[0]?.count ?? 0);
    }
    // The next round's start is the restart of the one before; here the last one's.
    await stage.start();
    return await verdict(stage, all, inFlight, receivers);
  } finally {
    await stage.close();
    for (const { receiver } of receivers) await receiver.close();
  }
}
