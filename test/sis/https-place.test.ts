import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { importWorker, runImport } from '../../src/imports.js';
import type { ImportParts, ImportRequest } from '../../src/imports.js';
import { parseFeedsFile } from '../../src/sis/feeds-file.js';
import { FeedAway, FeedRefused } from '../../src/sis/feeds/format.js';
import { bulkLoader } from '../../src/sis/loader.js';
import { fetchFeed } from '../../src/sis/places/https.js';
import type { RunReport } from '../../src/sis/runs.js';
import { makeLogger } from '../../src/telemetry/logger.js';
import { extract, now, row, timeZone } from './extract.js';
import { useDistrict } from './use-district.js';

const forty = extract(Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`)));

let folder: string;
let before: string | undefined;
let server: Server;
let url: string;
let asked: IncomingHttpHeaders[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parent-access-https-'));
  before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  server = createServer((request, response) => {
    asked.push(request.headers);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/contacts.csv`;
});
afterAll(async () => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(folder, { recursive: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked = [];
});

/** Serves a text under an entity tag, and nothing to who has it. */
function serve(text: string, etag = '"one"'): void {
  answer = (request, response) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else response.writeHead(200, { etag, 'content-type': 'text/csv' }).end(text);
  };
}

/** What lies where fetched files are put. */
const spools = (): string[] => readdirSync(folder);

describe.each(['postgres', 'pglite'] as const)('a feed that is fetched, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  useDistrict(kind, (scene) => ({ db, opened } = scene));

  function parts(authorization = new Map<string, string>()): ImportParts {
    const entry = { name: 'elementary', sis: 'elementary', format: 'district-extract', unknown_rights: 'allow' };
    const feeds = parseFeedsFile(JSON.stringify({ feeds: [{ ...entry, place: { url } }] }), 'feeds.json');
    const tools = { load: bulkLoader(opened), clock: () => now, timeZone, audit: async () => {} };
    return { ...tools, db, dataDir: '/nowhere', feeds, feedAuthorization: authorization };
  }
  const load = (request?: ImportRequest): Promise<RunReport> => runImport(parts(), 'elementary', 'test', request);
  const people = async (): Promise<number> =>
    (await sql<{ count: number }>`select count(*)::int as count from contacts`.execute(db)).rows[0]?.count ?? -1;

  it('is loaded, and not sent again while it is the same', async () => {
    serve(forty);
    expect(await load({ dryRun: true })).toMatchObject({ state: 'planned' });
    expect(await load()).toMatchObject({ state: 'applied', counts: { read: 40, applied: 40 } });
    expect(await load()).toMatchObject({ state: 'unchanged', counts: { read: 40, unchanged: 40 } });
    expect(asked.map((headers) => headers['if-none-match'])).toEqual([undefined, undefined, '"one"']);
    serve(`${forty}${extract([row('New', 'Mother')]).split('\r\n')[1]}\r\n`, '"two"');
    expect(await load()).toMatchObject({ state: 'applied', counts: { applied: 1, unchanged: 40 } });
    // Asked for again by hand it is sent whole.
    expect(await load({ again: true })).toMatchObject({ state: 'unchanged' });
    expect(asked.at(-1)?.['if-none-match']).toBeUndefined();
    // So is it where all of it is to be compared.
    expect(await load({ whole: true })).toMatchObject({ state: 'applied', counts: { applied: 0, unchanged: 41 } });
    expect(asked.at(-1)?.['if-none-match']).toBeUndefined();
    expect(spools()).toEqual([]);
  });

  it('is asked for whole after another file was loaded from elsewhere, and after a run that is held', async () => {
    serve(forty);
    await load();
    serve(forty.split('\r\n').slice(0, 21).join('\r\n').concat('\r\n'), '"half"');
    expect(await load()).toMatchObject({ state: 'held' });
    expect(await load()).toMatchObject({ state: 'refused', message: expect.stringContaining('waits for a decision') });
    expect(asked.map((headers) => headers['if-none-match'])).toEqual([undefined, '"one"', undefined]);
    expect(await people()).toBe(40);
  });

  it.each<[string, Record<string, string>]>([
    ['only by a time of this very second', { 'last-modified': 'Fri, 20 Nov 2026 10:00:00 GMT' }],
    // As nginx makes it, of the time and the size.
    ['by a tag of this very second', { 'last-modified': 'Fri, 20 Nov 2026 10:00:00 GMT', etag: '"692e-5c"' }],
    ['only by a weak tag', { etag: 'W/"one"' }],
  ])(
    'hides no restriction that was written at the moment of the run, where its server knows a file %s',
    async (_, said) => {
      const kid = row('Kid0', 'Mum0');
      let rows = [kid];
      answer = (request, response) => {
        const known = request.headers['if-none-match'] ?? request.headers['if-modified-since'];
        if (known === (said['etag'] ?? said['last-modified'])) response.writeHead(304).end();
        else response.writeHead(200, { ...said, date: 'Fri, 20 Nov 2026 10:00:01 GMT' }).end(extract(rows));
      };
      await load();
      rows = [{ ...kid, restricted: 'yes', restriction_type: 'custody' }];
      expect(await load()).toMatchObject({ state: 'applied', counts: { restricted: 1 } });
    },
  );

  it('is not sent again where its server knows it by a time long enough ago', async () => {
    answer = (request, response) => {
      const known = request.headers['if-modified-since'] !== undefined;
      const said = { 'last-modified': 'Fri, 20 Nov 2026 10:00:00 GMT', date: 'Fri, 20 Nov 2026 10:01:00 GMT' };
      response.writeHead(known ? 304 : 200, said).end(known ? '' : forty);
    };
    expect([(await load()).state, (await load()).state]).toEqual(['applied', 'unchanged']);
    expect(asked.at(-1)?.['if-modified-since']).toBe('Fri, 20 Nov 2026 10:00:00 GMT');
  });

  it.each([
    ['tag', { etag: `"${'x'.repeat(15_000)}"` }],
    ['time', { 'last-modified': `Fri, 20 Nov 2026 10:00:00 GMT${' '.repeat(15_000)}(as it says)` }],
  ])('is asked for whole where its server says a %s too long to be sent back', async (_, said) => {
    // Sent back, it would fill the head of the next request, which servers then refuse.
    answer = (__, response) => response.writeHead(200, { ...said, date: 'Fri, 20 Nov 2026 10:01:00 GMT' }).end(forty);
    expect([(await load()).state, (await load()).state]).toEqual(['applied', 'unchanged']);
    for (const headers of asked) {
      expect(Object.keys(headers)).not.toContain('if-none-match');
      expect(Object.keys(headers)).not.toContain('if-modified-since');
    }
  });

  it('is not believed to be the same where it was asked for whole, because its server says nothing to know it by', async () => {
    answer = (_, response) => response.writeHead(200).end(forty);
    await load();
    answer = (_, response) => response.writeHead(304).end();
    expect(await load()).toMatchObject({ state: 'refused', message: expect.stringContaining('304 in place') });
  });

  it('is asked for unpacked, because a packed one that breaks off looks whole', async () => {
    const cut = (text: string): Buffer => gzipSync(text).subarray(0, -200);
    answer = (request, response) => {
      const packed = /gzip/.test(request.headers['accept-encoding'] ?? '');
      response.writeHead(200, packed ? { 'content-encoding': 'gzip' } : {}).end(packed ? cut(forty) : forty);
    };
    expect(await load()).toMatchObject({ state: 'applied', counts: { read: 40 } });
  });

  it('is asked again soon where a run that was killed has the turn still, and not only by the next schedule', async () => {
    const work = importWorker(parts(), makeLogger({ logLevel: 'silent' }, { write: () => {} }));
    serve(forty);
    // What is left of a process that was killed just now: the job is tried again after seconds, and the turn lapses after a minute.
    await sql`update feeds set running_run = ${randomUUID()}, running_beat_at = ${now} where name = 'elementary'`.execute(
      db,
    );
    await expect(work({ feed: 'elementary' })).rejects.toThrow('under way');
    await sql`update feeds set running_beat_at = ${new Date(now.getTime() - 60_000)} where name = 'elementary'`.execute(
      db,
    );
    await work({ feed: 'elementary' });
    const runs = await sql<{ state: string }>`select state from feed_runs order by no`.execute(db);
    expect(runs.rows).toEqual([{ state: 'applied' }]);
  });

  it('is asked again later where the place is away, and only then', async () => {
    const silent = makeLogger({ logLevel: 'silent' }, { write: () => {} });
    const work = importWorker(parts(), silent);
    answer = (_, response) => response.writeHead(503).end();
    await expect(work({ feed: 'elementary' })).rejects.toThrow('cannot be reached');
    // A schedule that comes soon asks by itself.
    const often = parts();
    for (const feed of often.feeds.feeds) feed.schedule = '*/10 * * * *';
    await importWorker(often, silent)({ feed: 'elementary' });
    answer = (_, response) => response.writeHead(404).end();
    await work({ feed: 'elementary' });
    serve(forty);
    await work({ feed: 'elementary' });
    const runs = await sql<{ state: string; message: string | null }>`
      select state, message from feed_runs order by no`.execute(db);
    expect(runs.rows).toEqual([
      { state: 'refused', message: 'The feed’s server answered 503.' },
      { state: 'refused', message: 'The feed’s server answered 503.' },
      { state: 'refused', message: 'The feed’s server answered 404 in place of its file.' },
      { state: 'applied', message: null },
    ]);
  });

  it('brings its secret, and says so where it is wrong', async () => {
    answer = (request, response) => {
      const right = request.headers.authorization === 'Bearer of-the-feed';
      response.writeHead(right ? 200 : 401).end(right ? forty : '');
    };
    expect(await load()).toMatchObject({
      state: 'refused',
      message: 'The feed’s server answered 401: the feed’s secret is missing, wrong or expired.',
    });
    const secrets = new Map([['elementary', 'Bearer of-the-feed']]);
    expect(await runImport(parts(secrets), 'elementary', 'test')).toMatchObject({ state: 'applied' });
  });
});

describe('what a feed’s server may answer', () => {
  const get = (limits = {}): Promise<unknown> =>
    fetchFeed({ url, authorization: 'Bearer of-the-feed', known: null, limits });

  it('takes no file from where it is led, and shows the secret to nobody else', async () => {
    answer = (request, response) => {
      if (request.url === '/contacts.csv') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.writeHead(200).end(forty);
    };
    await expect(get()).rejects.toThrow('leads elsewhere (302)');
    expect(asked).toHaveLength(1);
  });

  it.each<[string, (response: ServerResponse) => unknown, new (...args: never[]) => Error, string]>([
    [
      'a web page',
      (to) => to.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>Sign in'),
      FeedRefused,
      'a web page',
    ],
    ['nothing new without having been asked', (to) => to.writeHead(304).end(), FeedRefused, '304 in place'],
    ['a part', (to) => to.writeHead(206).end(forty), FeedRefused, '206'],
    [
      'half of what it announced',
      (to) => {
        to.writeHead(200, { 'content-length': '99999' }).write(forty);
        setTimeout(() => to.destroy(), 20);
      },
      FeedAway,
      'broke off',
    ],
    [
      'and falls silent',
      (to) => {
        to.writeHead(200).write(forty);
      },
      FeedAway,
      'fell silent',
    ],
    ['nothing at all', () => {}, FeedAway, 'fell silent'],
    [
      'without an end',
      (to) => {
        to.writeHead(200);
        const on = setInterval(() => (to.destroyed ? clearInterval(on) : to.write(forty)), 5);
      },
      FeedRefused,
      'more than 1 MB',
    ],
    [
      'a small answer that is large unpacked',
      (to) => to.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(2 * 2 ** 20))),
      FeedRefused,
      'more than 1 MB',
    ],
  ])('stops at %s', async (_, send, kind, said) => {
    answer = (__, response) => void send(response);
    const failure = await get({ silent: 300, bytes: 2 ** 20 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(kind);
    expect((failure as Error).message).toContain(said);
    expect(spools()).toEqual([]);
  });

  it('gives up in the time it has', async () => {
    answer = (_, response) => {
      response.writeHead(200);
      const on = setInterval(() => (response.destroyed ? clearInterval(on) : response.write('x')), 20);
    };
    await expect(get({ total: 300 })).rejects.toThrow('in time');
  });

  it('is away where nobody listens', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const nobody = fetchFeed({ url: `http://127.0.0.1:${port}/`, authorization: null, known: null });
    await expect(nobody).rejects.toThrow('cannot be reached, or broke off (ECONNREFUSED)');
  });
});
