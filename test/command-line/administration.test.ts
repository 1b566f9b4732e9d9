import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signIn } from '../journeys/steps.js';
import { openBrowser } from '../support/browser.js';
import type { Browser } from '../support/browser.js';
import { databases, freshDatabase } from '../support/database.js';
import { freePort } from '../support/house.js';
import { ready, run, runHere } from './program.js';
import type { Run } from './program.js';

const registered = 'registered@example.org';
const password = 'correct horse battery staple';
const nowhere = '00000000-0000-4000-8000-000000000000';

describe.each(databases)('an operator at the command line, on %s', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-operator-'));
  let server: Run;
  let settings: Record<string, string>;
  const opened: Array<() => Promise<void>> = [];
  beforeAll(async () => {
    const port = await freePort();
    settings = { ISSUER: `http://localhost:${port}`, PORT: String(port), DATA_DIR: folder, THROTTLE_SCALE: '1000' };
    if (kind === 'postgres') {
      const database = await freshDatabase();
      opened.push(() => database.close());
      settings['DATABASE_URL'] = database.url ?? '';
    }
    server = run(['serve'], settings);
    await ready(server);
  });
  afterAll(async () => {
    server.child.kill('SIGTERM');
    await server.ended;
    for (const close of opened) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function command(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const { code, out, err } = await runHere(args, settings);
    return { code, out: out.trim(), err: err.trim() };
  }
  async function answer<Answer>(...args: string[]): Promise<Answer> {
    const { code, out, err } = await command(...args, '--json');
    if (code !== 0) throw new Error(err);
    return JSON.parse(out) as Answer;
  }
  async function signedIn(): Promise<Browser> {
    const browser = openBrowser();
    await browser.get(`${settings['ISSUER']}/sign-in`);
    await signIn(browser, registered, password);
    return browser;
  }
  const isIn = async (browser: Browser): Promise<boolean> =>
    (await browser.get(`${settings['ISSUER']}/`)).$('form[action="/leave"]') !== null;

  it('lists sessions in coarse words, and ends one; what is gone is refused in one sentence', async () => {
    const browser = await signedIn();
    const [session] = await answer<Array<{ uid: string; browser: string }>>(
      'sessions',
      'list',
      '--account',
      registered,
    );
    expect(session).toMatchObject({ browser: 'Chrome, Android', device: 'own' });
    const listed = await command('sessions', 'list', '--account', registered);
    expect(listed.out).toMatch(/^uid +account id +device +browser +signed in at +last used at +apps\n/);
    expect(listed.out).toMatch(
      /own +Chrome, Android +\d{4}-\d\d-\d\d \d\d:\d\d UTC +\d{4}-\d\d-\d\d \d\d:\d\d UTC +none$/,
    );
    const ended = await command('sessions', 'revoke', '--session', session?.uid ?? '');
    expect(ended).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^id +sessions +grants +deliveries\n\S+ +1 +\d+ +0$/),
    });
    expect(await isIn(browser)).toBe(false);
    expect(await command('sessions', 'revoke', '--session', session?.uid ?? '')).toEqual({
      code: 2,
      out: '',
      err: 'This session had ended already.',
    });
    expect(await answer('sessions', 'list', '--account', registered)).toEqual([]);
    expect(await command('sessions', 'revoke', '--account', registered)).toEqual({
      code: 2,
      out: '',
      err: 'No session of this account is live.',
    });
    expect(await command('sessions', 'revoke', '--client', 'echoices')).toEqual({
      code: 2,
      out: '',
      err: 'No session of this app is live.',
    });
  });

  it('suspends, reopens and closes an account', async () => {
    const browser = await signedIn();
    expect((await command('accounts', 'suspend', '--account', registered, '--reason', 'court order')).code).toBe(0);
    expect(await isIn(browser)).toBe(false);
    const told = await signedIn();
    expect(told.page().text).toContain('This account is stopped');
    expect((await command('accounts', 'reopen', '--account', registered, '--reason', 'lifted')).code).toBe(0);
    expect(await isIn(await signedIn())).toBe(true);
    expect((await command('accounts', 'close', '--account', registered, '--reason', 'asked for it')).code).toBe(0);
    expect(await command('accounts', 'suspend', '--account', registered, '--reason', 'again')).toMatchObject({
      code: 2,
      err: 'The account is closed already.',
    });
    expect((await command('accounts', 'reopen', '--account', registered, '--reason', 'came back')).code).toBe(0);
  });

  it.each<[string[], string]>([
    [['sessions', 'revoke', '--account', 'nobody@example.org'], 'There is no such account.'],
    [['sessions', 'revoke', '--account', nowhere], 'There is no such account.'],
    [['sessions', 'revoke', '--session', "x'; drop table sessions; --"], 'There is no such session.'],
    [['sessions', 'revoke', '--client', 'nobody'], 'There is no such app.'],
    // Ids are random, and one in 64 begins so.
    [['sessions', 'revoke', '--session', '-x_was-never'], 'There is no such session.'],
    [['sessions', 'list', '--session', 'never-was'], 'There is no such session.'],
    [['sessions', 'list', '--client', 'nobody'], 'There is no such app.'],
    [['sessions', 'revoke'], 'Say what, and only one of them: --account, --session or --client.'],
    [
      ['sessions', 'list', '--account', 'a', '--client', 'b'],
      'Say what, and only one of them: --account, --session or --client.',
    ],
    [['sessions', 'forget'], 'Say what to do: sessions list or sessions revoke.'],
    [['accounts'], 'Say what to do: accounts suspend or accounts close or accounts reopen.'],
    [['accounts', 'suspend', '--account', registered], 'Say why, in a few words without names: --reason "…".'],
    [
      ['accounts', 'suspend', '--account', registered, '--reason', ' '],
      'Say why, in a few words without names: --reason "…".',
    ],
    [['accounts', 'suspend', '--reason', 'why'], 'Say which account: --account with its id, e-mail or sign-in name.'],
    [
      ['accounts', 'reopen', '--account', registered, '--reason', 'why'],
      'The account is neither suspended nor closed.',
    ],
    [['deliveries', 'retry'], 'Say which app: deliveries retry --client ID.'],
    [['clients', 'health', '--client', 'nobody'], 'There is no such app.'],
  ])('%j is refused in one sentence', async (args, sentence) => {
    expect(await command(...args)).toEqual({ code: 2, out: '', err: sentence });
  });

  it('sees how each app answers', async () => {
    const health = await answer<Array<{ clientId: string; confirmed: number }>>('clients', 'health');
    expect(health.map(({ clientId }) => clientId)).toContain('echoices');
    expect((await command('clients', 'health', '--client', 'echoices')).out).toMatch(
      /^client id +address .*\nechoices +http:/,
    );
    expect((await command('deliveries', 'list')).out).toBe('There are none.');
    expect(await answer('deliveries', 'retry', '--client', 'echoices')).toEqual({ retried: 0 });
  });
});
