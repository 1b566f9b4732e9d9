import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished, pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { from as copyFrom } from 'pg-copy-streams';
import { openPostgres } from '../src/database/postgres.js';
import type { OpenDatabase } from '../src/database/postgres.js';
import { columns } from '../src/sis/feeds/columns.js';
import { parseFeedsFile, syncFeeds } from '../src/sis/feeds-file.js';
import { importFeed } from '../src/sis/import.js';
import { bulkLoader } from '../src/sis/loader.js';
import type { RunReport } from '../src/sis/runs.js';
import { peakMemory, share } from '../faults/house.js';
import type { Finding } from '../faults/house.js';
import { freshDatabase } from '../test/support/database.js';
import { cpuUsed, serverOf } from './cpu.js';
import { floor } from './floor.js';

const root = fileURLToPath(new URL('..', import.meta.url));
// With the flag of the program's own first line.
const command = ['--max-semi-space-size=16', '--import', 'tsx', 'src/main.ts'];

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

/** What a step took. */
interface Cost {
  /** Seconds. */
  wall: number;
  /** Seconds of CPU, of this process and the database. */
  cpu: number;
}

interface Round {
  rows: number;
  copy: Cost;
  first: Cost;
  next: Cost;
  floor: Cost;
}

/** A large file once, smaller ones five times. */
const roundsOf = (contacts: number): number => (contacts > 200_000 ? 1 : 5);

const median = (numbers: number[]): number => share(numbers, 0.5);

/**
 * First load and next day's file of the extract, beside a plain COPY of the same file into text columns; and the embedded database. A bar is
 * judged by CPU, because the time of a shared machine is noise; both are told. Medians of five rounds, of the largest file one.
 */
export async function sis(sizes: number[]): Promise<Finding[]> {
  const found: Finding[] = [];
  const perRow: number[] = [];
  for (const contacts of sizes) {
    const folder = mkdtempSync(join(tmpdir(), 'parent-access-bench-'));
    try {
      const path = sampleFile(contacts, folder);
      const changed = join(folder, 'next.csv');
      await nextDay(path, changed);
      const rounds: Round[] = [];
      for (let each = 0; each < roundsOf(contacts); each += 1) rounds.push(await round(path, changed));
      perRow.push(median(rounds.map(({ first, rows }) => first.cpu / rows)));
      found.push(...verdicts(contacts, rounds, await memoryOf(folder, path)));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const last = perRow.at(-1) ?? 0;
  const before = perRow.at(-2) ?? last;
  found.push({
    name: `CPU per row at ${sizes.at(-1)} against ${sizes.at(-2) ?? sizes.at(-1)} contacts`,
    bar: '≤ 1.3 ×',
    measured: `${(last / before).toFixed(2)} ×`,
    holds: last / before <= 1.3,
  });
  return [...found, await embedded()];
}

function verdicts(contacts: number, rounds: Round[], memory: number): Finding[] {
  const rows = rounds[0]?.rows ?? 0;
  const ratio = (one: keyof Omit<Round, 'rows'>, other: keyof Omit<Round, 'rows'>, by: keyof Cost): number =>
    median(rounds.map((figures) => figures[one][by] / figures[other][by]));
  const rate = (of: keyof Omit<Round, 'rows'>): string =>
    `${Math.round(rows / median(rounds.map((figures) => figures[of].wall)) / 1_000)} k rows/s`;
  const copied = ratio('copy', 'first', 'cpu');
  const faster = ratio('first', 'next', 'cpu');
  return [
    {
      name: `first load, ${contacts} contacts (${rows} rows)`,
      bar: '≥ 0.2 × plain COPY',
      measured: `${copied.toFixed(2)} × by CPU, ${ratio('copy', 'first', 'wall').toFixed(2)} × by time (${rate('first')}, COPY ${rate('copy')}); the finished rows alone, into the empty tables with their keys: ${ratio('copy', 'floor', 'cpu').toFixed(2)} ×`,
      holds: copied >= 0.2,
    },
    {
      name: `next day's file, 1 % changed, ${contacts} contacts`,
      bar: '≥ 3 × faster than the first load',
      measured: `${faster.toFixed(1)} × by CPU, ${ratio('first', 'next', 'wall').toFixed(1)} × by time (${rate('next')})`,
      holds: faster >= 3,
    },
    { name: `memory, ${contacts} contacts`, bar: '≤ 300 MB', measured: `${memory} MB`, holds: memory <= 300 },
  ];
}

async function round(path: string, changed: string): Promise<Round> {
  const database = await freshDatabase('postgres');
  const patient = openPostgres(database.url ?? '', { size: 3, patient: true });
  const server = await serverOf(patient.db);
  const cost = async (work: () => Promise<unknown>): Promise<Cost> => {
    const cpu = cpuUsed(server);
    const began = performance.now();
    await work();
    return { wall: (performance.now() - began) / 1_000, cpu: cpuUsed(server) - cpu };
  };
  try {
    const copy = await cost(() => plainCopy(patient, path));
    await syncFeeds(patient.db, file, () => new Date());
    let rows = 0;
    const first = await cost(async () => (rows = (await load(patient, path)).counts.read));
    // The server's own housekeeping, which a day leaves time for.
    await patient.pool.query('vacuum analyze');
    const next = await cost(() => load(patient, changed));
    return { rows, copy, first, next, floor: await floor(patient.db, cost) };
  } finally {
    await patient.close();
    await database.close();
  }
}

/** The real program, on a database of its own. */
async function memoryOf(folder: string, path: string): Promise<number> {
  const database = await freshDatabase('postgres');
  try {
    writeFileSync(join(folder, 'feeds.json'), JSON.stringify(file));
    const { PATH = '', HOME = '' } = process.env;
    const program = spawn(process.execPath, [...command, 'import', '--feed', 'elementary', '--from', path], {
      cwd: root,
      env: { PATH, HOME, DATABASE_URL: database.url ?? '', FEEDS_FILE: join(folder, 'feeds.json'), DATA_DIR: folder },
      stdio: 'ignore',
    });
    let memory = 0;
    const watching = setInterval(() => {
      // Between its last look and its end it is not there any more.
      if (existsSync(`/proc/${program.pid}/status`)) memory = Math.max(memory, peakMemory(program.pid ?? 0) || 0);
    }, 50);
    const [code] = (await once(program, 'exit')) as [number];
    clearInterval(watching);
    if (code !== 0) throw new Error(`The import of the bench ended with ${code}.`);
    return memory;
  } finally {
    await database.close();
  }
}

const embeddedRows = 50_000;

async function embedded(): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-bench-'));
  const database = await freshDatabase('pglite');
  try {
    const path = join(folder, 'embedded.csv');
    const lines = readFileSync(sampleFile(90_000, folder), 'utf8').split('\r\n');
    writeFileSync(
      path,
      lines
        .slice(0, embeddedRows + 1)
        .map((line) => `${line}\r\n`)
        .join(''),
    );
    await syncFeeds(database.db, file, () => new Date());
    const began = performance.now();
    const { counts } = await load(database, path);
    const seconds = (performance.now() - began) / 1_000;
    return {
      name: `first load of ${counts.read} rows on the embedded database`,
      bar: '≤ 20 s',
      measured: `${seconds.toFixed(1)} s`,
      holds: seconds <= 20 && counts.read === embeddedRows,
    };
  } finally {
    await database.close();
    rmSync(folder, { recursive: true });
  }
}

/** Writes the sample district in a process of its own, so that its memory is not the import's. @returns the elementary SIS's file */
function sampleFile(contacts: number, folder: string): string {
  const how = ['--contacts', String(contacts), '--seed', '1', '--out', folder];
  execFileSync(process.execPath, [...command, 'sample', ...how], { cwd: root, stdio: 'ignore' });
  return join(folder, 'elementary.csv');
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
