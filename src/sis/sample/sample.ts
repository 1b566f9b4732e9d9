import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { columns } from '../feeds/columns.js';
import { sampleCells, sampleFamily } from './family.js';
import type { SampleFamily, SampleRow, Sis } from './family.js';

export interface SampleSize {
  /** Persons per SIS, from 200 to 1,000,000. */
  contacts: number;
  /** Any integer: the same seed and size give the same bytes. */
  seed: number;
  /** The folder, made when it is not there. */
  out: string;
}

export interface SampleReport {
  files: Record<Sis, string>;
  families: number;
  contacts: number;
  rows: number;
  /** In how many families each shape, language (`language:es`) and phone notation (`phone:0`) stands. */
  counts: Record<string, number>;
}

/** The sample command was called with something it cannot use; the message is one sentence. */
export class SampleRefused extends Error {
  override readonly name = 'SampleRefused';
}

/**
 * The arguments of `sample --contacts N --seed S --out DIR`; 2,000 contacts with seed 1 where not said.
 *
 * @throws SampleRefused
 */
export function parseSampleArguments(args: readonly string[]): SampleSize {
  let values;
  try {
    const string = { type: 'string' } as const;
    ({ values } = parseArgs({ args: [...args], options: { contacts: string, seed: string, out: string } }));
  } catch (error) {
    throw new SampleRefused(
      `sample --contacts N --seed S --out DIR: ${error instanceof Error ? error.message : 'unknown arguments'}`,
    );
  }
  const contacts = Number(values.contacts ?? '2000');
  const seed = Number(values.seed ?? '1');
  if (!Number.isInteger(contacts) || contacts < 200 || contacts > 2_500_000) {
    throw new SampleRefused('sample: --contacts must be a whole number from 200 to 2500000.');
  }
  if (!Number.isSafeInteger(seed)) throw new SampleRefused('sample: --seed must be a whole number.');
  if (values.out === undefined || values.out === '') throw new SampleRefused('sample: --out must name a folder.');
  return { contacts, seed, out: values.out };
}

/**
 * Writes the synthetic district's two extracts, `elementary.csv` and `secondary.csv`, family by family, in constant memory. Names and numbers
 * are fictional. A file takes its name only when it is whole.
 */
export async function writeSample({ contacts, seed, out }: SampleSize): Promise<SampleReport> {
  await mkdir(out, { recursive: true });
  const files = { elementary: join(out, 'elementary.csv'), secondary: join(out, 'secondary.csv') };
  const streams = {
    elementary: createWriteStream(`${files.elementary}.part`),
    secondary: createWriteStream(`${files.secondary}.part`),
  };
  const ends = Promise.all([finished(streams.elementary), finished(streams.secondary)]);
  // Waited for below; until then a failure must not go unhandled.
  ends.catch(() => {});
  const report: SampleReport = { files, families: 0, contacts: 0, rows: 0, counts: {} };
  const texts: Record<Sis, string> = { elementary: `${columns.join(',')}\r\n`, secondary: `${columns.join(',')}\r\n` };
  for (const family of families(contacts, seed)) {
    report.families += 1;
    report.contacts += family.contacts;
    report.rows += family.rows.length;
    for (const shape of family.shows) report.counts[shape] = (report.counts[shape] ?? 0) + 1;
    for (const row of family.rows) texts[row.sis] += line(row);
    for (const sis of ['elementary', 'secondary'] as const) {
      if (texts[sis].length < 65_536) continue;
      await write(streams[sis], texts[sis], ends);
      texts[sis] = '';
    }
  }
  streams.elementary.end(texts.elementary);
  streams.secondary.end(texts.secondary);
  await ends;
  for (const path of Object.values(files)) await rename(`${path}.part`, path);
  return report;
}

async function write(stream: Writable, text: string, ends: Promise<unknown>): Promise<void> {
  if (stream.write(text)) return;
  await Promise.race([new Promise((resolve) => stream.once('drain', resolve)), ends]);
}

function* families(contacts: number, seed: number): Generator<SampleFamily> {
  let left = contacts;
  for (const family of knownFamilies()) {
    left -= family.contacts;
    yield family;
  }
  for (let index = 0; left > 0; index += 1) {
    const family = sampleFamily(seed, index, left);
    left -= family.contacts;
    yield family;
  }
}

/** The two families of the README: one parent who will register, with a child in each SIS, and one who has. */
function* knownFamilies(): Generator<SampleFamily> {
  const rights = { ed_rights: 'yes', is_legal_guardian: 'yes', portal_access: 'yes' };
  const child = (sis: Sis, id: string, given: string, family: string, grade: string, birth: string) => ({
    sis,
    given,
    family,
    cells: {
      school_code: sis === 'elementary' ? '1001' : '8001',
      school_name: sis === 'elementary' ? 'Lincoln Elementary' : 'Jefferson Middle School',
      student_id: id,
      grade,
      birth_date: birth,
    },
  });
  const row = (
    of: ReturnType<typeof child>,
    given: string,
    contactId: string,
    email: string,
    phone: string,
  ): SampleRow => ({
    sis: of.sis,
    cells: {
      ...sampleCells(
        of,
        { given, family: of.family, email, phone, relation: 'mother' },
        { contactId, language: 'en', modified: '2026-09-01T08:00:00Z', priority: 1 },
      ),
      ...rights,
    },
  });
  const sofia = child('elementary', 'S100000001A', 'Sofía', 'Parent-Rivera', '3', '2017-04-12');
  const mateo = child('secondary', 'S200000001A', 'Mateo', 'Parent-Rivera', '7', '2013-10-02');
  const shows = (...shape: string[]): Set<string> => new Set(['language:en', 'phone:0', 'explicit_rights', ...shape]);
  yield {
    shows: shows('both_sis'),
    contacts: 2,
    rows: [
      row(sofia, 'Alma', 'C10000000A', 'parent@example.org', '(213) 555-0100'),
      row(mateo, 'Alma', 'C20000000A', 'parent@example.org', '(213) 555-0100'),
    ],
  };
  const noah = child('elementary', 'S100000001B', 'Noah', 'Bennett', '2', '2018-06-20');
  const lily = child('elementary', 'S100000002B', 'Lily', 'Bennett', 'K', '2020-11-08');
  yield {
    shows: shows(),
    contacts: 1,
    rows: [
      row(noah, 'Rachel', 'C10000000B', 'registered@example.org', '(213) 555-0101'),
      row(lily, 'Rachel', 'C10000000B', 'registered@example.org', '(213) 555-0101'),
    ],
  };
}

function line({ cells }: SampleRow): string {
  return `${columns.map((column) => quoted(cells[column] ?? '')).join(',')}\r\n`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
