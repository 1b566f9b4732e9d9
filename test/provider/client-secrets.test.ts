import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { secretsCommand } from '../../src/desk/secrets.js';
import type { ListedSecret } from '../../src/provider/client-secrets.js';
import { values } from '../../src/values.js';
import { startTestHouse } from '../support/house.js';
import type { TestHouse } from '../support/house.js';
import { post } from '../support/relying-party.js';

const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex');
const in20Days = new Date(Date.now() + 20 * 86_400_000).toISOString();
const [oldest, newest, lasting] = ['the oldest of the secrets', 'the newest of the secrets', 'one that lasts'];

/** Machines that ask for a token in their own name: whoever knows a secret of theirs gets one. */
const machine = (clientId: string) => ({
  registration: {
    client_id: clientId,
    scope: 'openid',
    grant_types: ['client_credentials' as const],
    response_types: [],
    secrets: [
      { name: 'oldest', sha256: digest(oldest), expires_at: in20Days },
      { name: 'newest', sha256: digest(newest) },
      { name: 'lasting', sha256: digest(lasting) },
    ],
  },
});

describe('secrets of an app', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-secrets-'));
  let house: TestHouse;
  beforeAll(async () => {
    house = await startTestHouse({ apps: [machine('statistics'), machine('reports')], instances: 2 });
    const file = join(folder, 'clients.json');
    writeFileSync(file, JSON.stringify({ clients: [...house.apps.values()] }));
    house.desk.config = { ...house.desk.config, clientsFile: file };
  });
  afterAll(async () => {
    await house.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const asks = async (secret: string, clientId = 'statistics'): Promise<number> =>
    (await post(house, '/token', { grant_type: 'client_credentials' }, { clientId, secret })).status;
  async function listed(name: string, client = 'statistics'): Promise<ListedSecret> {
    const all = JSON.parse(await secretsCommand(house.desk, ['list', client, '--json'])) as ListedSecret[];
    const found = all.find((secret) => secret.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  }

  it('are good side by side; any other is not, nor a digest, nor a secret of another app', async () => {
    for (const secret of [oldest, newest, lasting]) expect(await asks(secret)).toBe(200);
    for (const wrong of ['a wrong secret', digest(newest), `${newest} `, newest.slice(1), house.secret]) {
      expect(await asks(wrong)).toBe(401);
    }
  });

  it('tell when each was last used, written at most once a minute, and never of a wrong one', async () => {
    const first = (await listed('newest')).lastUsedAt;
    expect(first).not.toBeNull();
    house.advance(values.secretTouch - 5);
    await Promise.all([asks(newest), asks(newest), asks('a wrong secret')]);
    expect((await listed('newest')).lastUsedAt).toBe(first);
    house.advance(6);
    await asks(newest);
    const then = (await listed('newest')).lastUsedAt;
    expect(Date.parse(String(then)) - Date.parse(String(first))).toBeGreaterThanOrEqual(values.secretTouch * 1000);
    expect((await listed('newest', 'reports')).lastUsedAt).toBeNull();
    const rows = await house.db.selectFrom('client_secrets').selectAll().execute();
    expect(rows.map(({ sha256 }) => sha256).sort()).toEqual([oldest, newest, lasting].map(digest).sort());
  });

  it('one that expires within 30 days is warned of, at the start and in the list', async () => {
    expect(await listed('oldest')).toMatchObject({ state: 'expires soon', endsAt: in20Days });
    expect(await listed('newest')).toMatchObject({ state: 'in force', endsAt: null });
    const text = await secretsCommand(house.desk, ['list', 'statistics']);
    expect(text).toMatch(/^name +state +ends +last used$/m);
    expect(text).toContain('Warning: "oldest" expires in 20 days.');
    for (const secret of [oldest, newest, lasting]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(digest(secret));
    }
    const warned = house.log.filter((line) => line.includes("an app's secret expires soon"));
    expect(warned.filter((line) => line.includes('"client":"statistics"') && line.includes('"oldest"'))).toHaveLength(
      2,
    );
    expect(warned.join('')).not.toContain('newest');
    const { rows } = await house.pool.query("select cron from jobs.schedule where name = 'secrets'");
    expect(rows).toEqual([{ cron: '0 8 * * *' }]);
  });

  it('one that is ended is refused at once at every instance, whose file still lists it; the others stay', async () => {
    expect(await asks(newest)).toBe(200);
    const said = await secretsCommand(house.desk, ['expire', 'statistics', 'newest']);
    for (const instance of [0, 1]) {
      house.pin(instance);
      expect(await asks(newest)).toBe(401);
      expect(await asks(lasting)).toBe(200);
      expect(await asks(newest, 'reports')).toBe(200);
    }
    house.pin(null);
    expect(said).toContain('has ended, at every server');
    const line = JSON.parse(said.split('\n').at(-1) ?? '') as Record<string, string>;
    expect(line).toMatchObject({ name: 'newest', sha256: digest(newest) });
    expect(Date.parse(line['expires_at'] ?? '')).toBeLessThanOrEqual(house.desk.clock().getTime());
    expect(await listed('newest')).toMatchObject({ state: 'ended', endedByOperator: true });
    expect(await secretsCommand(house.desk, ['list', 'statistics'])).toContain('does not say so yet');
    const event = await house.db
      .selectFrom('audit_events')
      .select(['actor', 'subject', 'details'])
      .where('kind', '=', 'client.secret-ended')
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({ actor: 'operator', subject: 'client:statistics', details: { name: 'newest' } });
  });

  it('one may end later, which is moved but not past what the file says; then it is refused', async () => {
    const at = new Date(house.desk.clock().getTime() + 3_600_000).toISOString();
    const later = new Date(house.desk.clock().getTime() + 30 * 86_400_000).toISOString();
    await expect(secretsCommand(house.desk, ['expire', 'statistics', 'oldest', '--at', later])).rejects.toThrow(
      /ends sooner already, on/,
    );
    expect(await secretsCommand(house.desk, ['expire', 'statistics', 'oldest', '--at', at])).toContain('ends on');
    expect(await asks(oldest)).toBe(200);
    house.advance(3_601);
    expect(await asks(oldest)).toBe(401);
  });

  it('an app under load changes from one to another, whose end it does not notice', async () => {
    const inUse = { secret: lasting };
    const answers: number[] = [];
    const phase = { over: false };
    const worker = async (): Promise<void> => {
      while (!phase.over) answers.push(await asks(inUse.secret, 'reports'));
    };
    const workers = Array.from({ length: 20 }, worker);
    while (answers.length < 60) await new Promise((resolve) => setTimeout(resolve, 5));
    // As a rolling change at the app: from now on the new one; what is at work with the old one ends.
    inUse.secret = newest;
    const started = answers.length;
    while (answers.length < started + 40) await new Promise((resolve) => setTimeout(resolve, 5));
    await secretsCommand(house.desk, ['expire', 'reports', 'lasting']);
    const ended = answers.length;
    while (answers.length < ended + 60) await new Promise((resolve) => setTimeout(resolve, 5));
    phase.over = true;
    await Promise.all(workers);
    expect(answers.filter((status) => status !== 200)).toEqual([]);
    expect(await asks(lasting, 'reports')).toBe(401);
  });

  it('that the last one ends is said', async () => {
    expect(await secretsCommand(house.desk, ['expire', 'statistics', 'lasting'])).toContain(
      'statistics can sign nobody in',
    );
  });

  it.each([
    [['expire', 'statistics', 'newest'], /^The secret "newest" of statistics ended already, on .* UTC\.$/],
    [['expire', 'statistics', 'none'], /^statistics has no secret "none"; it has: oldest, newest, lasting\.$/],
    [['expire', 'nobody', 'newest'], /^There is no app "nobody" in/],
    [['list', 'nobody'], /^There is no app "nobody" in/],
    [['expire', 'reports', 'newest', '--at', '2026-02-30'], /^--at is a date like/],
    [['expire', 'reports', 'newest', '--at', 'tomorrow'], /^--at is a date like/],
    [['expire', 'reports', 'newest', '--at', '2020-01-01'], /^--at is in the past/],
    [['expire', 'reports'], /^Say what to do/],
    [[], /^Say what to do/],
  ] as Array<[string[], RegExp]>)('%j is refused in one sentence, and changes nothing', async (args, sentence) => {
    const rows = () =>
      house.db.selectFrom('client_secrets').selectAll().orderBy('sha256').orderBy('client_id').execute();
    const before = await rows();
    await expect(secretsCommand(house.desk, args)).rejects.toThrow(sentence);
    expect(await rows()).toEqual(before);
    expect(await asks(newest, 'reports')).toBe(200);
  });
});
