import { setTimeout as pause } from 'node:timers/promises';
import * as client from 'openid-client';
import { openBrowser } from '../test/support/browser.js';
import { freePort } from '../test/support/house.js';
import { startBalancer } from './balancer.js';
import { planned, share } from './house.js';
import type { Finding } from './house.js';
import { parents, password } from './parents.js';
import { appSecret, layStage } from './program.js';
import type { Program, Stage } from './program.js';

const wanted = planned(5_000);
const atOnce = 6;
const clientId = 'echoices';

/** A whole sign-in in a new browser, as an app sees it. @throws with what went wrong */
async function signIn(app: client.Configuration, redirectUri: string, email: string): Promise<void> {
  const verifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const address = client.buildAuthorizationUrl(app, {
    redirect_uri: redirectUri,
    scope: 'openid profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  });
  const browser = openBrowser();
  const asked = await browser.get(address.href);
  if (asked.status !== 200) throw new Error(`the sign-in page: ${asked.status} ${asked.body.slice(0, 80)}`);
  let page = await browser.submit({ identifier: email, password }, { follow: false });
  // By hand, because the last redirect leads to an app that listens nowhere.
  for (let hops = 0; hops < 5; hops += 1) {
    const { location } = page.headers;
    if (location === undefined) throw new Error(`after the password: ${page.status} ${page.body.slice(0, 80)}`);
    const next = new URL(location, page.url);
    if (next.href.startsWith(redirectUri)) {
      const tokens = await client.authorizationCodeGrant(app, next, checks);
      const sub = tokens.claims()?.sub ?? '';
      await client.fetchUserInfo(app, tokens.access_token, sub);
      return;
    }
    page = await browser.get(next.href, { follow: false });
  }
  throw new Error(`after the password: no way back to the app from ${page.url}`);
}

/** What a restart of one instance took. */
interface Restart {
  code: number | null;
  seconds: number;
}

/** Restarts each instance in turn, again and again, until `over`. */
async function restartAll(stage: Stage, running: Map<number, Program>, over: () => boolean): Promise<Restart[]> {
  const restarts: Restart[] = [];
  while (!over()) {
    for (const [port, program] of running) {
      if (over()) break;
      const began = performance.now();
      program.kill('SIGTERM');
      const { code, at } = await program.ended;
      restarts.push({ code, seconds: (at - began) / 1_000 });
      running.set(port, await stage.start(port));
      // As a deployment does: the next one when this one is seen to be ready.
      await pause(2_000);
    }
  }
  return restarts;
}

/** Three instances behind a balancer, restarted in turn by SIGTERM while parents sign in. */
export async function rollingRestart(): Promise<Finding[]> {
  const redirectUri = 'http://localhost:9/callback';
  const stage = await layStage([{ client_id: clientId, redirect_uris: [redirectUri] }], {
    TRUSTED_PROXIES: '127.0.0.1',
  });
  const ports = [await freePort(), await freePort(), await freePort()];
  const running = new Map<number, Program>();
  try {
    const emails = await parents(stage.database.db, 200);
    for (const port of ports) running.set(port, await stage.start(port));
    const balancer = await startBalancer(Number(new URL(stage.issuer).port), ports);
    try {
      const app = await client.discovery(
        new URL(stage.issuer),
        clientId,
        undefined,
        client.ClientSecretBasic(appSecret),
        { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
      );
      const failures: string[] = [];
      const times: number[] = [];
      let begun = 0;
      const one = async (): Promise<void> => {
        while (begun < wanted) {
          const number = begun;
          begun += 1;
          const start = performance.now();
          try {
            await signIn(app, redirectUri, emails[number % emails.length] ?? '');
            times.push(performance.now() - start);
          } catch (error) {
            failures.push(String(error));
            process.stderr.write(`sign-in ${number}: ${String(error)}\n`);
          }
        }
      };
      const start = performance.now();
      const restarting = restartAll(stage, running, () => begun >= wanted);
      await Promise.all(Array.from({ length: atOnce }, one));
      const seconds = (performance.now() - start) / 1_000;
      const restarts = await restarting;
      const slowest = Math.max(...restarts.map((restart) => restart.seconds));
      const clean = restarts.filter(({ code }) => code === 0).length;
      const exits = restarts.map((restart) => restart.seconds);
      return [
        {
          name: `rolling restart of 3 instances behind a balancer, ${wanted} whole sign-ins, ${atOnce} at a time`,
          bar: '0 failed sign-ins',
          measured: `${failures.length} failed of ${begun}, over ${restarts.length} restarts in ${Math.round(seconds)} s (${(begun / seconds).toFixed(1)}/s); a sign-in took ${Math.round(share(times, 0.5))} ms, p99 ${Math.round(share(times, 0.99))} ms; ${balancer.refused()} requests found nobody listening`,
          holds: failures.length === 0 && times.length >= wanted && restarts.length >= 6,
        },
        {
          name: `SIGTERM in the rolling restart, ${restarts.length} times`,
          bar: 'exit 0 within 10 s',
          measured: `${clean} with 0; median ${share(exits, 0.5).toFixed(1)} s, slowest ${slowest.toFixed(1)} s`,
          holds: clean === restarts.length && restarts.length > 0 && slowest <= 10,
        },
      ];
    } finally {
      await balancer.close();
    }
  } finally {
    await stage.close();
  }
}
