import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { values } from '../src/values.js';
import { openBrowser } from '../test/support/browser.js';
import type { Browser } from '../test/support/browser.js';
import { planned, share } from './house.js';
import type { Finding } from './house.js';
import { parents, password } from './parents.js';
import { layStage } from './program.js';
import type { Stage } from './program.js';

const rounds = planned(10);
/** Sign-ins that wait in line when the instance stops listening: about three seconds of argon2. */
const burst = 100;
/** Milliseconds before the instance stops listening at which they are sent. */
const lead = 1_000;
/**
 * What is sent later than so many milliseconds before it stops may still wait in the system's queue, which no program can
 * empty: whoever balances looks away before. It is counted by itself.
 */
const lastMoment = 500;

/** What became of one round. */
interface Round {
  code: number | null;
  seconds: number;
  finished: number;
  /** Sign-ins that were answered after it had stopped listening. */
  afterStop: number;
  /** Requests that were at work and got no answer. */
  broken: string[];
  /** Requests that came in the last moment, or after it. */
  late: number;
}

/** A browser on the sign-in page, ready to send the password. */
async function atTheDoor(issuer: string): Promise<Browser> {
  const browser = openBrowser();
  await browser.get(`${issuer}/sign-in`);
  return browser;
}

/** A person whose phone stops in the middle of sending a form: nobody waits for them for ever. */
function halfSent(issuer: string): { close(): void } {
  const { port, host } = new URL(issuer);
  const socket = connect(Number(port), '127.0.0.1', () => {
    const head = [
      'POST /recover HTTP/1.1',
      `Host: ${host}`,
      `Origin: ${issuer}`,
      'Content-Type: application/x-www-form-urlencoded',
      'Content-Length: 1000',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\nidentifier=`);
  });
  socket.on('error', () => {});
  return { close: () => socket.destroy() };
}

/** One request on a connection of its own. @returns its status, or the code of its error */
function ask(url: string): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    asked.end();
  });
}

async function round(stage: Stage, emails: readonly string[]): Promise<Round> {
  const { issuer } = stage;
  const program = await stage.start();
  const browsers: Browser[] = [];
  for (let each = 0; each < burst; each += 1) browsers.push(await atTheDoor(issuer));
  const stuck = halfSent(issuer);
  const broken: string[] = [];
  let finished = 0;
  let afterStop = 0;
  let late = 0;
  let stops = Number.POSITIVE_INFINITY;
  const note = (outcome: number | string, sentAt: number): void => {
    if (typeof outcome === 'number' && outcome < 500) finished += 1;
    else if (sentAt > stops - lastMoment && (outcome === 'ECONNREFUSED' || outcome === 'ECONNRESET')) late += 1;
    else broken.push(String(outcome));
  };
  const over = new AbortController();
  const steady = Array.from({ length: 4 }, async () => {
    for (; !over.signal.aborted; await pause(20)) {
      const sentAt = performance.now();
      note(await ask(`${issuer}/sign-in`), sentAt);
    }
  });
  await pause(300);
  const began = performance.now();
  stops = began + values.closingNotice * 1_000;
  program.kill('SIGTERM');
  await pause(values.closingNotice * 1_000 - lead);
  const sent = browsers.map(async (browser, index) => {
    const sentAt = performance.now();
    try {
      const { status } = await browser.submit({ identifier: emails[index] ?? '', password }, { follow: false });
      if (performance.now() > stops) afterStop += 1;
      note(status === 302 || status === 303 ? status : `sign-in ${status}`, sentAt);
    } catch (error) {
      note(error instanceof Error && 'code' in error ? String(error.code) : String(error), sentAt);
    }
  });
  const { code, at } = await program.ended;
  over.abort();
  await Promise.all([...steady, ...sent]);
  stuck.close();
  return { code, seconds: (at - began) / 1_000, finished, afterStop, broken, late };
}

/** SIGTERM to a lone instance with requests at work, among them one that will never be complete. */
export async function terminate(): Promise<Finding[]> {
  const stage = await layStage([]);
  try {
    const emails = await parents(stage.database.db, burst);
    const all: Round[] = [];
    for (let each = 0; each < rounds; each += 1) all.push(await round(stage, emails));
    const broken = all.flatMap((each) => each.broken);
    const seconds = all.map((each) => each.seconds);
    const finished = all.reduce((sum, each) => sum + each.finished, 0);
    const late = all.reduce((sum, each) => sum + each.late, 0);
    const afterStop = all.reduce((sum, each) => sum + each.afterStop, 0);
    const clean = all.filter(({ code }) => code === 0).length;
    return [
      {
        name: `SIGTERM to a lone instance under load × ${rounds}: ${burst} sign-ins sent 1 s before it stops listening, 4 readers, and one form that is never sent to its end`,
        bar: 'requests at work finish; exit 0 within 10 s',
        measured: `${finished} requests finished, ${afterStop} of them sign-ins answered after it had stopped listening; ${broken.length} broken off${broken.length === 0 ? '' : ` (${[...new Set(broken)].join(', ')})`}, ${late} sent in the last ${lastMoment / 1_000} s or later found nobody; ${clean} of ${rounds} ended with 0, median ${share(seconds, 0.5).toFixed(1)} s, slowest ${share(seconds, 1).toFixed(1)} s`,
        holds: broken.length === 0 && clean === rounds && share(seconds, 1) <= 10 && afterStop >= rounds,
      },
    ];
  } finally {
    await stage.close();
  }
}
