import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/house.js';
import { setScene } from './doctor-scene.js';
import type { Scene } from './doctor-scene.js';

const hour = 3_600_000;
let scene: Scene;
beforeAll(async () => {
  scene = await setScene();
});
afterAll(() => scene.close());

/** What failed with one app that differs. */
async function withApp(changes: Record<string, unknown>) {
  const said = await scene.ask({ CLIENTS_FILE: scene.clients(changes) });
  const failed = said.checks.filter((check) => check.state === 'failed').map((check) => check.name);
  return { said, failed };
}

describe('doctor, of apps', () => {
  it.each([
    ['/500', /answers 500/],
    ['/gone', /answers 404/],
    ['/moved', /redirects/],
    ['/text', /not JSON/],
    ['/list', /no key set/],
    ['/null', /no key set/],
    ['/none', /None of the 3 keys/],
    ['/big', /megabyte/],
    ['/private', /private key/],
  ])('keys at %s', async (path, found) => {
    const { said, failed } = await withApp({ jwks_uri: `${scene.app}${path}?token=a-query-secret` });
    expect(failed).toEqual(['keys of bus']);
    expect(said.of('keys of bus')).toMatchObject({
      found: expect.stringMatching(found),
      repair: expect.stringContaining('makers of bus'),
    });
    expect(said.code).toBe(2);
    expect(JSON.stringify(said)).not.toContain('a-query-secret');
  });

  it('a logout address where nobody listens, whose name does not resolve, or that speaks no TLS', async () => {
    for (const [address, found] of [
      [`http://127.0.0.1:${await freePort()}/logout`, /connection refused/],
      ['http://apps.invalid/logout', /name (does not resolve|cannot be resolved)/],
      [scene.app.replace('http:', 'https:'), /TLS/],
    ] as const) {
      const { said, failed } = await withApp({ backchannel_logout_uri: address });
      expect(failed).toEqual(['logout of bus']);
      expect(said.of('logout of bus')).toMatchObject({
        found: expect.stringMatching(found),
        repair: expect.stringContaining('backchannel_logout_uri'),
      });
    }
  });

  it('a demo app that does not run is no failure', async () => {
    const backchannel_logout_uri = `http://127.0.0.1:${await freePort()}/logout`;
    const { said, failed } = await withApp({ demo: true, secrets: undefined, backchannel_logout_uri });
    expect(failed).toEqual([]);
    expect(said.of('logout of bus').state).toBe('warning');
  });

  it('a sector list that holds the redirect_uris, and ones that do not', async () => {
    const good = await withApp({ sector_identifier_uri: `${scene.app}/sector` });
    expect(good.said.of('sector of bus').state).toBe('ok');
    for (const path of ['/list', '/jwks', '/500']) {
      expect((await withApp({ sector_identifier_uri: `${scene.app}${path}` })).failed).toEqual(['sector of bus']);
    }
  });

  it('secrets that have expired or soon will', async () => {
    const secret = (hours: number | null) => ({
      name: `s${hours}`,
      sha256: createHash('sha256').update(String(hours)).digest('hex'),
      ...(hours === null ? {} : { expires_at: new Date(Date.now() + hours * hour).toISOString() }),
    });
    for (const [secrets, state] of [
      [[secret(-1), secret(-2)], 'failed'],
      [[secret(-1), secret(29 * 24)], 'warning'],
      [[secret(1), secret(31 * 24)], 'warning'],
      [[secret(31 * 24), secret(-1)], 'ok'],
      [[secret(-1), secret(null)], 'ok'],
    ] as const) {
      const { said } = await withApp({ secrets });
      expect(said.of('secrets of bus').state).toBe(state);
      expect(said.code).toBe(state === 'failed' ? 2 : 0);
      expect(said.of('secrets of bus').repair ?? '').toContain(state === 'ok' ? '' : 'clients secret');
    }
  });

  it('a file with a problem: it is named, and the apps that can be understood are checked', async () => {
    const { said, failed } = await withApp({ student_facts: ['name'], jwks_uri: `${scene.app}/500` });
    expect(failed).toEqual(['clients file', 'keys of bus']);
    expect(said.of('clients file').found).toContain('app bus › student_facts');
    const none = await scene.ask({ CLIENTS_FILE: join(scene.folder, 'nowhere.json') });
    expect(none.of('clients file')).toMatchObject({
      state: 'failed',
      repair: expect.stringContaining('clients check'),
    });
  });
});

describe('doctor, of feeds', () => {
  async function loaded(hours: number | null, state: 'applied' | 'refused' | 'held' = 'applied') {
    const { db } = scene.database;
    const at = hours === null ? null : new Date(Date.now() - hours * hour);
    await db.updateTable('feeds').set({ last_loaded_at: at }).execute();
    await db.deleteFrom('feed_runs').execute();
    await db
      .insertInto('feed_runs')
      .values({ id: crypto.randomUUID(), feed: 'elementary', actor: 'schedule', started_at: new Date(), state })
      .execute();
    return scene.ask();
  }

  function feeds(changes: Record<string, unknown>): string {
    const path = join(scene.folder, 'other-feeds.json');
    const feed = {
      name: 'elementary',
      sis: 'elementary',
      format: 'district-extract',
      place: { file: 'elementary.csv' },
      unknown_rights: 'deny',
      ...changes,
    };
    writeFileSync(path, JSON.stringify({ feeds: [feed] }));
    return path;
  }

  it('one that is stale, was refused or never loaded is a warning', async () => {
    expect((await loaded(0)).of('feed elementary').state).toBe('ok');
    for (const [said, found] of [
      [await loaded(72), /72 hours ago/],
      [await loaded(null), /never loaded/],
      [await loaded(1, 'refused'), /refused/],
      [await loaded(1, 'held'), /waits for a decision/],
    ] as const) {
      expect(said.code).toBe(0);
      expect(said.of('feed elementary')).toMatchObject({
        state: 'warning',
        found: expect.stringMatching(found),
        repair: expect.stringMatching(/import (runs )?--feed elementary/),
      });
    }
  });

  it('how old it may be is by its schedule', async () => {
    for (const [schedule, hours, state] of [
      ['* * * * *', 1, 'warning'],
      ['0 * * * *', 3.1, 'warning'],
      ['0 * * * *', 0.9, 'ok'],
      // Yearly, on a day that is neither today nor yesterday.
      [`0 0 1 ${((new Date().getMonth() + 6) % 12) + 1} *`, 24 * 60, 'ok'],
      [undefined, 25, 'ok'],
      [undefined, 27, 'warning'],
    ] as const) {
      await loaded(hours);
      const said = await scene.ask({ FEEDS_FILE: feeds({ schedule }) });
      expect({ schedule, hours, state: said.of('feed elementary').state }).toEqual({ schedule, hours, state });
    }
    await loaded(0);
  });

  it('a place that is not there or is a folder, and a file that is wrong', async () => {
    for (const [file, found] of [
      ['nowhere.csv', /not there/],
      ['.', /folder/],
    ] as const) {
      const said = await scene.ask({ FEEDS_FILE: feeds({ place: { file } }) });
      expect(said.code).toBe(2);
      expect(said.of('place of feed elementary')).toMatchObject({
        state: 'failed',
        found: expect.stringMatching(found),
        repair: expect.stringContaining('feeds.json'),
      });
    }
    const away = await scene.ask({ FEEDS_FILE: feeds({ place: { url: 'http://127.0.0.1:1/a.csv' } }) });
    expect(away.of('place of feed elementary')).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('http://127.0.0.1:1 cannot be reached'),
    });
    const wrong = await scene.ask({ FEEDS_FILE: feeds({ schedule: 'daily', sis: '' }) });
    expect(wrong.checks.filter((check) => check.name === 'feeds file').map((check) => check.state)).toEqual([
      'failed',
      'failed',
    ]);
    expect(wrong.of('keys of bus').state).toBe('ok');
    expect(wrong.of('feeds').found).toContain('Not checked');
  });
});

describe('doctor, of the configuration', () => {
  it('each wrong variable is told; what does not stand on it is checked', async () => {
    const said = await scene.ask({ ISSUER: 'nonsense', SMTP_URL: 'http://u:a-mail-secret@h', LOG_LEVEL: 'loud' });
    expect(said.code).toBe(2);
    expect(said.err).toMatch(/^3 of \d+ checks failed: /);
    for (const name of ['ISSUER', 'SMTP_URL', 'LOG_LEVEL']) {
      expect(said.of(`configuration ${name}`)).toMatchObject({ repair: expect.stringContaining(`Set ${name}`) });
    }
    expect(said.of('smtp').found).toContain('Not checked');
    expect(said.of('database').state).toBe('ok');
    expect(JSON.stringify(said)).not.toContain('a-mail-secret');
  });

  it('a wrong DATABASE_URL does not turn to the embedded database', async () => {
    const said = await scene.ask({ DATABASE_URL: 'mysql://u:a-db-secret@h/p' });
    expect(said.of('configuration DATABASE_URL').state).toBe('failed');
    expect(said.of('database').found).toContain('Not checked');
    expect(JSON.stringify(said)).not.toContain('a-db-secret');
  });

  it('production names what is missing', async () => {
    const said = await scene.ask({ NODE_ENV: 'production', SECRETS_KEY: '' });
    for (const name of ['ISSUER', 'SECRETS_KEY', 'MAIL_FROM']) {
      expect(said.of(`configuration ${name}`).state).toBe('failed');
    }
    expect(said.of('keys').found).toContain('SECRETS_KEY is wrong');
  });

  it('what is allowed and seldom meant is a warning', async () => {
    const loose = await scene.ask({ THROTTLE_SCALE: '50', ISSUER: 'https://parents.example.org' });
    expect(loose.code).toBe(0);
    expect(loose.of('throttles')).toMatchObject({
      state: 'warning',
      repair: expect.stringContaining('THROTTLE_SCALE'),
    });
    expect(loose.of('production').state).toBe('warning');
    const strict = await scene.ask({ NODE_ENV: 'production', ISSUER: 'https://localhost', MAIL_FROM: 'a@example.org' });
    expect(strict.of('issuer').state).toBe('warning');
    expect(strict.of('proxies').repair).toContain('TRUSTED_PROXIES');
  });
});
