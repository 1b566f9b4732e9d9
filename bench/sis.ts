import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished, pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { openPostgres } from '../src/database/postgres.js';
import type { OpenDatabase } from '../src/database/postgres.js';
import { columns } from '../src/sis/feeds/columns.js';
import { parseFeedsFile, syncFeeds } from '../src/sis/feeds-file.js';
import { importFeed } from '../src/sis/import.js';
import { bulkLoader } from '../src/sis/loader.js';
import type { RunReport } from '../src/sis/runs.js';
import { writeSample } from '../src/sis/sample/sample.js';
import type { Finding } from '../faults/house.js';
import { freshDatabase } from '../test/support/database.js';

const file = parseFeedsFile(
  JSON.stringify({
    feeds: [
      {
        name: 'elementary',
        sis: 'elementary',
        format: 'district-extract',
        place: { file: 'e' },
        unknown_rights: 'allow',
      },
    ],
  }),
  'feeds.json',
);

interface Figures {
  rows: number;
  copy: number;
  first: number;
  next: number;
  /** Most memory of this process while it imported, MB. */
  memory: number;
}

/** First load and next day's file of the extract, beside a plain COPY of the same file into text columns. */
export async function sis(sizes: number[]): Promise<Finding[]> {
  const found: Finding[] = [];
  const perRow: number[] = [];
  for (const contacts of sizes) {
    const { rows, copy, first, next, memory } = await measure(contacts);
    perRow.push(first / rows);
    const rate = (seconds: number): string => `${Math.round(rows / seconds / 1_000)} k rows/s`;
    found.push(
      {
        name: `first load, ${contacts} contacts (${rows} rows)`,
        bar: '≥ 0.2 × plain COPY',
        measured: `${(copy / first).toFixed(2)} × (${rate(first)}, COPY ${rate(copy)})`,
        holds: copy / first >= 0.2,
      },
      {
        name: `next day's file, 1 % changed, ${contacts} contacts`,
        bar: '≥ 3 × faster than the first load',
        measured: `${(first / next).toFixed(1)} × (${next.toFixed(1)} s against ${first.toFixed(1)} s)`,
        holds: first / next >= 3,
      },
      { name: `memory, ${contacts} contacts`, bar: '≤ 300 MB', measured: `${memory} MB`, holds: memory <= 300 },
    );
  }
  const last = perRow.at(-1) ?? 0;
  const before = perRow.at(-2) ?? last;
  found.push({
    name: `time per row at ${sizes.at(-1)} against ${sizes.at(-2) ?? sizes.at(-1)} contacts`,
    bar: '≤ 1.3 ×',
    measured: `${(last / before).toFixed(2)} ×`,
    holds: last / before <= 1.3,
  });
  return found;
}

async function measure(contacts: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-bench-'));
  const database = await freshDatabase('postgres');
  const patient = openPostgres(database.url ?? '', { size: 3, patient: true });
  try {
    const { files } = await writeSample({ contacts, seed: 1, out: folder });
    const changed = join(folder, 'next.csv');
    await nextDay(files.elementary, changed);
    const copy = await timed(() => plainCopy(patient, files.elementary));
    await syncFeeds(patient.db, file, () => new Date());
    let memory = 0;
    const watching = setInterval(() => (memory = Math.max(memory, process.memoryUsage().rss)), 100);
    let read = 0;
    const first = await timed(async () => (read = (await load(patient, files.elementary)).counts.read));
    const next = await timed(() => load(patient, changed));
    clearInterval(watching);
    return { rows: read, copy, first, next, memory: Math.round(memory / 2 ** 20) };
  } finally {
    await patient.close();
    await database.close();
    rmSync(folder, { recursive: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

async function plainCopy({ pool }: OpenDatabase, path: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query(`create table plain (${columns.map((column) => `${column} text`).join(', ')})`);
    await pipeline(
      createReadStream(path),
      client.query(copyFrom('copy plain from stdin with (format csv, header true)')),
    );
    await client.query('drop table plain');
  } finally {
    client.release();
  }
}

async function load(opened: OpenDatabase, path: string): Promise<RunReport> {
  const [feed] = file.feeds;
  if (feed === undefined) throw new Error('no feed');
  const report = await importFeed(opened.db, {
    feed,
    source: { path, delta: false },
    clock: () => new Date(),
    timeZone: 'America/Los_Angeles',
    actor: 'bench',
    audit: async () => {},
    load: bulkLoader(opened),
  });
  if (report.state !== 'applied') throw new Error(`The bench's feed was ${report.state}: ${report.message ?? ''}`);
  return report;
}

/** The same file with another grade in every hundredth row. */
async function nextDay(path: string, out: string): Promise<void> {
  const at = columns.indexOf('grade');
  const written = createWriteStream(out);
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    line += 1;
    const cells = line % 100 === 50 && !text.includes('"') ? text.split(',') : null;
    if (cells !== null) cells[at] = '9';
    if (!written.write(`${cells?.join(',') ?? text}\r\n`)) await once(written, 'drain');
  }
  written.end();
  await finished(written);
}
