import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { columns } from '../../src/sis/feeds/columns.js';
import { districtRow } from '../../src/sis/feeds/district-row.js';
import { FeedAway } from '../../src/sis/feeds/format.js';
import type { FeedFormat, ReadRow } from '../../src/sis/feeds/format.js';
import { importFeed } from '../../src/sis/import.js';
import { bulkLoader } from '../../src/sis/loader.js';
import { spooled } from '../../src/sis/places/spool.js';
import type { RunReport } from '../../src/sis/runs.js';
import { feedsFile, now, row, timeZone } from './extract.js';
import type { Row } from './extract.js';
import { useDistrict } from './use-district.js';

const pageSize = 3;
const etag = '"the state of today"';

/** What a REST source would be: all its pages brought to one file, a record a line, and that file read. */
const rest: FeedFormat = {
  layout: 'rest',
  async bring({ url, authorization, known }) {
    const headers = authorization === null ? {} : { authorization };
    if (known?.etag === etag) return null;
    async function* pages(): AsyncGenerator<Uint8Array> {
      for (let offset = 0; ; offset += pageSize) {
        const response = await fetch(`${url}?limit=${pageSize}&offset=${offset}`, { headers });
        if (!response.ok) throw new FeedAway(`The source answered ${response.status}.`);
        const records = (await response.json()) as Row[];
        yield Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
        if (records.length < pageSize) return;
      }
    }
    return { ...(await spooled(pages())), validators: { etag, lastModified: null } };
  },
  async open({ path }, sis) {
    const positions = Object.fromEntries(columns.map((column, index) => [column, index]));
    async function* rows(): AsyncGenerator<ReadRow> {
      let line = 0;
      for await (const text of createInterface({ input: createReadStream(path) })) {
        line += 1;
        const record = JSON.parse(text) as Row;
        yield districtRow(
          columns.map((column) => record[column] ?? ''),
          positions,
          line,
          sis,
        );
      }
    }
    return { kind: 'bulk', layout: 'rest', rows: rows() };
  },
};

/** "The reader's interface must let a REST source be added as one more file": the object above is that file. */
describe('a REST source', () => {
  let records: Row[] = [];
  let failing = '';
  let asked: string[] = [];
  let server: Server;
  let opened: OpenDatabase;
  useDistrict('postgres', (scene) => ({ opened } = scene));
  beforeAll(async () => {
    server = createServer(({ url = '', headers }, response) => {
      asked.push(`${headers.authorization ?? ''} ${url}`);
      const query = new URL(url, 'http://source').searchParams;
      const [offset, limit] = [Number(query.get('offset')), Number(query.get('limit'))];
      if (url === failing) response.writeHead(503).end();
      else response.end(JSON.stringify(records.slice(offset, offset + limit)));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.close();
    await once(server, 'close');
  });

  async function load(): Promise<RunReport> {
    const [feed] = feedsFile().feeds;
    if (feed === undefined) throw new Error('no feed');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/students`;
    const tools = { clock: () => now, timeZone, audit: async () => {}, load: bulkLoader(opened) };
    const source = { url, authorization: 'Bearer secret' };
    return importFeed(opened.db, { ...tools, feed, source, format: rest, actor: 'test' });
  }
  const people = async () => {
    const { rows } = await sql<{ id: string }>`select sis_id as id from contacts order by 1`.execute(opened.db);
    return rows.map(({ id }) => id);
  };

  it('is brought page by page, planned and applied as one state, and not again while it is the same', async () => {
    records = Array.from({ length: 7 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
    asked = [];
    expect(await load()).toMatchObject({ state: 'applied', counts: { read: 7, applied: 7 } });
    expect(asked).toEqual([0, 3, 6].map((offset) => `Bearer secret /students?limit=3&offset=${offset}`));
    expect(await people()).toEqual(records.map((record) => record.contact_id));
    expect(await load()).toMatchObject({ state: 'unchanged', counts: { read: 7 } });
    expect(asked).toHaveLength(3);
  });

  it('changes nothing where a page does not come', async () => {
    records = Array.from({ length: 7 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
    failing = '/students?limit=3&offset=6';
    expect(await load()).toMatchObject({ state: 'refused', away: true, message: 'The source answered 503.' });
    expect(await people()).toEqual([]);
  });
});
