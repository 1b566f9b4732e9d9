import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { eventually } from '../test/support/eventually.js';
import { planned, share } from './house.js';
import type { Finding } from './house.js';
import { listeners } from './listeners.js';
import type { Listener } from './listeners.js';
import { openApps, parents, signedIn } from './parents.js';
import { layStage } from './program.js';
import type { Stage } from './program.js';

const count = planned(60);
/** Milliseconds that the bad ones are bad, from the first sign-out on. */
const outage = Math.max(15_000, planned(60) * 1_000);
const healthy = ['echoices', 'cafeteria'];

/** How an app's receiver can be bad, and how it comes to be so. */
const kinds: Record<string, (listener: Listener) => Promise<void> | void> = {
  down: ({ receiver }) => receiver.close(),
  failing: ({ receiver }) => {
    receiver.answer = (response) => response.writeHead(500).end('out of order');
  },
  slow: (listener) => listener.confirm(() => 4_000),
  hanging: ({ receiver }) => {
    receiver.answer = () => {};
  },
};
const words: Record<string, string> = {
  down: 'refuses connections',
  failing: 'answers 500',
  slow: 'takes 4 s to confirm',
  hanging: 'never answers',
};

/** One parent's sign-out. */
interface SignOut {
  /** `Date.now()` when the button was pressed. */
  at: number;
  leave: number;
  page: number;
  sids: Record<string, string>;
}

async function signOut(stage: Stage, email: string): Promise<SignOut> {
  const browser = await signedIn(stage.issuer, email);
  const { sids } = await openApps(stage.database.db, email, [...healthy, ...Object.keys(kinds)]);
  const at = Date.now();
  const pressed = performance.now();
  const answer = await browser.submit({}, { form: 'header form', follow: false });
  const answered = performance.now();
  const page = await browser.get(`${stage.issuer}/signed-out`, { follow: false });
  const shown = performance.now();
  if (answer.headers.location !== '/signed-out' || page.status !== 200)
    throw new Error(`not signed out: ${answer.status}, ${page.status}`);
  return { at, leave: answered - pressed, page: shown - answered, sids };
}

/** A duration to read. */
function seconds(milliseconds: number): string {
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** Milliseconds until each parent's app was told, counted from the sign-out or from `since` if that is later. */
function delays(outs: readonly SignOut[], { clientId, told }: Listener, since = 0): number[] {
  return outs.flatMap(({ at, sids }) => {
    const [first] = told.get(sids[clientId] ?? '') ?? [];
    return first === undefined ? [] : [Math.max(0, first - Math.max(at, since))];
  });
}

function ofParents(outs: readonly SignOut[]): Finding {
  const leave = outs.map((out) => out.leave);
  const page = outs.map((out) => out.page);
  const figures = (list: readonly number[]): string =>
    `median ${Math.round(share(list, 0.5))} ms, worst ${Math.round(share(list, 1))} ms`;
  return {
    name: `${outs.length} parents sign out of six apps, of which four are bad`,
    bar: 'the answer to the button < 1 s, and so the page after it',
    measured: `the button: ${figures(leave)}; the page: ${figures(page)}`,
    holds: outs.length === count && share(leave, 1) < 1_000 && share(page, 1) < 1_000,
  };
}

function ofHealthy(outs: readonly SignOut[], apps: readonly Listener[]): Finding {
  const all = apps.flatMap((app) => delays(outs, app));
  return {
    name: `the two healthy apps of these parents`,
    bar: 'told within 5 s of the button, whatever the others do',
    measured: `${all.length} of ${outs.length * apps.length} told, median ${seconds(share(all, 0.5))}, worst ${seconds(share(all, 1))}`,
    holds: all.length === outs.length * apps.length && share(all, 1) < 5_000,
  };
}

async function ofBad(stage: Stage, outs: readonly SignOut[], app: Listener, recovered: number): Promise<Finding> {
  const { rows } = await sql<{ tries: number; state: string; milliseconds: number }>`
    select tries, state, extract(epoch from settled_at - created_at)::float8 * 1000 as milliseconds
    from deliveries where client_id = ${app.clientId}`.execute(stage.database.db);
  const isSlow = app.clientId === 'slow';
  // A slow one hears at once; it counts when it has confirmed.
  const confirmed = rows.filter(({ state }) => state === 'confirmed');
  const all = isSlow ? confirmed.map(({ milliseconds }) => milliseconds) : delays(outs, app, recovered);
  const told = `${all.length} of ${outs.length} told (${((100 * all.length) / outs.length).toFixed(0)} %), ${confirmed.length} confirmed, after at most ${Math.max(...rows.map(({ tries }) => tries))} tries`;
  const late = `median ${seconds(share(all, 0.5))}, worst ${seconds(share(all, 1))}`;
  return {
    name: `an app that ${words[app.clientId] ?? ''}${isSlow ? '' : ` for ${outage / 1_000} s`}`,
    bar: isSlow ? 'every one confirmed' : 'every one told once it is back, within a minute',
    measured: `${told}; ${isSlow ? 'confirmed after' : 'from its return'} ${late}`,
    holds: all.length === outs.length && confirmed.length === outs.length && (isSlow || share(all, 1) < 60_000),
  };
}

/** Receivers of apps that are down, fail, are slow or hang for ever, beside healthy ones, while parents sign out of all. */
export async function badReceivers(): Promise<Finding[]> {
  const apps = await listeners([...healthy, ...Object.keys(kinds)]);
  const stage = await layStage(
    apps.map(({ clientId, receiver }) => ({
      client_id: clientId,
      redirect_uris: ['http://localhost:9/callback'],
      backchannel_logout_uri: receiver.address,
    })),
  );
  const bad = apps.filter(({ clientId }) => Object.hasOwn(kinds, clientId));
  try {
    const emails = await parents(stage.database.db, count);
    await stage.start();
    for (const app of bad) await kinds[app.clientId]?.(app);
    const began = Date.now();
    const outs: SignOut[] = [];
    for (const [index, email] of emails.entries()) {
      outs.push(await signOut(stage, email));
      // Over the first half of the outage, so that each meets another state of it.
      await pause(Math.max(0, began + ((index + 1) / count) * (outage / 2) - Date.now()));
    }
    await pause(Math.max(0, began + outage - Date.now()));
    const recovered = Date.now();
    for (const app of bad) {
      app.confirm();
      if (app.clientId === 'down') await app.receiver.open();
    }
    const waiting = async (): Promise<number> =>
      (await stage.database.db.selectFrom('deliveries').select('id').where('state', '=', 'waiting').execute()).length;
    await eventually(waiting, (left) => left === 0, 10 * 60_000);
    const findings = [
      ofParents(outs),
      ofHealthy(
        outs,
        apps.filter((app) => !bad.includes(app)),
      ),
    ];
    for (const app of bad) findings.push(await ofBad(stage, outs, app, recovered));
    return findings;
  } finally {
    await stage.close();
    for (const { receiver } of apps) await receiver.close();
  }
}
