import { setTimeout as pause } from 'node:timers/promises';
import { administer } from '../src/desk/administration.js';
import { auditLog } from '../src/audit/audit.js';
import { systemClock } from '../src/database/clock.js';
import { run } from '../test/command-line/program.js';
import { apacheIsHere, startApache } from '../test/support/apache.js';
import type { Browser } from '../test/support/browser.js';
import { startExpressApp } from '../test/support/express-app.js';
import { freePort } from '../test/support/house.js';
import { planned, share } from './house.js';
import type { Finding } from './house.js';
import { parents, password, signedIn } from './parents.js';
import { appSecret, layStage } from './program.js';
import type { Stage } from './program.js';

const times = planned(25);
const scope = 'openid profile';
/** Milliseconds between two looks at an app, and how long is looked at most. */
const [glance, patience] = [20, 60_000];

/** One way in which a sign-in ends. It is over when what it does is done. */
type Way = (stage: Stage, email: string, browser: Browser) => Promise<void>;

/** A command of an operator, in a process of its own. @throws when it is refused */
async function command(stage: Stage, ...args: string[]): Promise<void> {
  const { ended, err } = run(args, stage.environment);
  if ((await ended) !== 0) throw new Error(`${args.join(' ')}: ${err()}`);
}

const ways: Record<string, Way> = {
  async 'the button of the portal'(_stage, _email, browser) {
    await browser.submit({}, { form: 'header form', follow: false });
  },
  'an operator’s `sessions revoke` in another process': (stage, email) =>
    command(stage, 'sessions', 'revoke', '--account', email),
  async 'a new password, chosen on another device'(stage, email) {
    const laptop = await signedIn(stage.issuer, email);
    await laptop.get(`${stage.issuer}/password`);
    const page = await laptop.submit({ current: password, password: 'an even longer way home' });
    if (page.url !== `${stage.issuer}/password/changed`) throw new Error(`no new password: ${page.text}`);
  },
  async 'a suspension, by a command in another process'(stage, email) {
    await command(stage, 'accounts', 'suspend', '--account', email, '--reason', 'measured');
    // So that the next ones find the database as these did.
    await administer({ db: stage.database.db, clock: systemClock, audit: auditLog(systemClock) }, 'accounts reopen', {
      account: email,
      reason: 'measured',
    });
  },
};

/** A page of an app that is for who is signed in. */
interface Guarded {
  name: string;
  /** Signs the browser in to the app, from the session it has. */
  enter: string;
  page: string;
}

/** Looks at an app until it lets the browser in no more. @returns `Date.now()` of its answer; infinity when it never came */
async function untilGone(browser: Browser, { page }: Guarded): Promise<number> {
  for (const end = Date.now() + patience; Date.now() < end; await pause(glance)) {
    const { status } = await browser.get(page, { follow: false });
    if (status !== 200) return Date.now();
  }
  return Number.POSITIVE_INFINITY;
}

/** Seconds from the moment of the revocation, as it is written, until each app's own session is gone. */
async function reach(stage: Stage, apps: readonly Guarded[], way: Way, email: string): Promise<number[]> {
  const { db } = stage.database;
  const browser = await signedIn(stage.issuer, email);
  const { uid } = await db
    .selectFrom('sessions')
    .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
    .select('uid')
    .where('accounts.email', '=', email)
    .executeTakeFirstOrThrow();
  for (const { enter, page } of apps) {
    await browser.get(enter);
    const { status } = await browser.get(page, { follow: false });
    if (status !== 200) throw new Error(`${page} does not let in who is signed in: ${status}`);
  }
  await browser.get(`${stage.issuer}/`);
  // What it presses is on the page shown now: it begins before the apps are looked at.
  const done = way(stage, email, browser);
  const [gone] = await Promise.all([Promise.all(apps.map((app) => untilGone(browser, app))), done]);
  const { revoked_at: revokedAt } = await db
    .selectFrom('sessions')
    .select('revoked_at')
    .where('uid', '=', uid)
    .executeTakeFirstOrThrow();
  if (revokedAt === null) throw new Error('the session has not ended');
  return gone.map((at) => (at - revokedAt.getTime()) / 1_000);
}

async function measure(
  stage: Stage,
  apps: readonly Guarded[],
  number: number,
  name: string,
  way: Way,
): Promise<Finding> {
  const seconds: number[][] = [];
  for (const email of await parents(stage.database.db, times, `reach${number}-`))
    seconds.push(await reach(stage, apps, way, email));
  const worst = share(seconds.flat(), 1);
  const figures = apps.map(({ name: app }, index) => {
    const own = seconds.map((each) => each[index] ?? Number.POSITIVE_INFINITY);
    return `${app}: median ${share(own, 0.5).toFixed(2)} s, worst ${share(own, 1).toFixed(2)} s`;
  });
  return {
    name: `from the revocation to the end of each app’s own session, by ${name} × ${times}`,
    bar: 'within 5 s, every time',
    measured: figures.join('; '),
    holds: seconds.length === times && worst <= 5,
  };
}

/** How long two apps of different make keep their own session after ours has ended, by four ways of ending it. */
export async function signOutReach(): Promise<Finding[]> {
  if (!apacheIsHere()) throw new Error('sign-out-reach needs Apache with mod_auth_openidc.');
  const [library, tutoring] = [await freePort(), await freePort()];
  const appAt = (clientId: string, port: number, logout: string) => ({
    client_id: clientId,
    scope,
    redirect_uris: [`http://localhost:${port}/callback`],
    backchannel_logout_uri: `http://localhost:${port}/${logout}`,
  });
  const stage = await layStage([
    appAt('library', library, 'callback?logout=backchannel'),
    appAt('tutoring', tutoring, 'backchannel-logout'),
  ]);
  const opened: Array<() => Promise<void>> = [() => stage.close()];
  try {
    await stage.start();
    const { issuer } = stage;
    const authentication = { secret: appSecret };
    const apache = await startApache({ port: library, issuer, clientId: 'library', scope, authentication });
    opened.push(() => apache.close());
    const express = await startExpressApp({ port: tutoring, issuer, clientId: 'tutoring', secret: appSecret, scope });
    opened.push(() => express.close());
    const apps: Guarded[] = [
      { name: 'mod_auth_openidc', enter: `${apache.home}children.html`, page: `${apache.home}children.html` },
      { name: 'express-openid-connect', enter: `${express.home}login`, page: `${express.home}children` },
    ];
    const findings: Finding[] = [];
    for (const [number, [name, way]] of Object.entries(ways).entries())
      findings.push(await measure(stage, apps, number, name, way));
    return findings;
  } finally {
    for (const close of opened.toReversed()) await close();
  }
}
