import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CronExpressionParser } from 'cron-parser';
import { sql } from 'kysely';
import { z } from 'zod';
import { jsonFault } from '../json-fault.js';
import type { Clock } from '../database/clock.js';
import type { Database } from '../database/database.js';

const share = z.number().gt(0).max(1);

const feedSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 of a-z, 0-9 and -'),
  /** What parents read; the name when absent. */
  label: z.string().min(1).max(80).optional(),
  sis: z.string().min(1).max(40),
  format: z.enum(['district-extract', 'oneroster']),
  /** OneRoster only: under which id people are known, where a bridge changes their sourcedId. */
  key: z
    .union([z.enum(['sourcedId', 'identifier']), z.templateLiteral(['userIds:', z.string().min(1)])])
    .default('sourcedId'),
  /** One file that is written over, a folder into which files are dropped, or an address from which the file is fetched. */
  place: z.union([
    z.strictObject({ file: z.string().min(1) }),
    z.strictObject({ folder: z.string().min(1) }),
    z.strictObject({
      url: z.string().refine(isSafeAddress, 'must be an https address without a name or password in it'),
    }),
  ]),
  schedule: z.string().refine(isSchedule, 'is no cron schedule (minute hour day month weekday)').optional(),
  unknown_rights: z.enum(['allow', 'deny']),
  /** Whether parents' rights end when the student turns 18 (34 CFR 99.5), or the district has them keep them. */
  eligible_students: z.enum(['end', 'keep']).default('end'),
  checks: z
    .strictObject({ feed_share: share.default(0.05), school_share: share.default(0.2), row_share: share.default(0.2) })
    .default({ feed_share: 0.05, school_share: 0.2, row_share: 0.2 }),
  /** Part of the sample district: never in production. */
  sample: z.boolean().default(false),
});

const fileSchema = z
  .strictObject({
    $schema: z.string().optional(),
    student_domains: z
      .array(
        z
          .string()
          .toLowerCase()
          .regex(/^[a-z0-9.-]+\.[a-z0-9-]+$/, 'must be a domain name'),
      )
      .default([]),
    /** Who is told by mail when a run waits for a decision. */
    administrators: z.array(z.email()).default([]),
    /** How many mailboxes are invited in an hour, and how many contacts may have one before it is a school's own. No invitations when absent. */
    invitations: z
      .strictObject({
        per_hour: z.number().int().min(1).max(100_000),
        shared_limit: z.number().int().min(1).max(100).default(3),
      })
      .optional(),
    feeds: z.array(feedSchema),
  })
  .superRefine((file, context) => {
    file.feeds.forEach((feed, index) => {
      if (feed.sample && !('file' in feed.place)) {
        context.addIssue({
          code: 'custom',
          path: ['feeds', index, 'place'],
          message: 'must be a file: samples are made here',
        });
      }
      if (!('folder' in feed.place) || feed.schedule === undefined) return;
      const message = 'is not for a folder: its files are loaded as they come';
      context.addIssue({ code: 'custom', path: ['feeds', index, 'schedule'], message });
    });
    // Each file in it would be taken for whichever feed looks first, and the restrictions in it be skipped as of another SIS.
    const folders = file.feeds.map(({ place }) => ('folder' in place ? resolve(place.folder) : null));
    folders.forEach((folder, index) => {
      if (folder === null || folders.indexOf(folder) === index) return;
      const path = ['feeds', index, 'place', 'folder'];
      context.addIssue({ code: 'custom', path, message: 'is the folder of another feed' });
    });
    for (const key of ['name', 'sis'] as const) {
      file.feeds.forEach((feed, index) => {
        if (file.feeds.findIndex((other) => other[key] === feed[key]) === index) return;
        context.addIssue({ code: 'custom', path: ['feeds', index, key], message: `"${feed[key]}" stands twice` });
      });
    }
  });

export type FeedsFile = z.infer<typeof fileSchema>;
export type Feed = FeedsFile['feeds'][number];

/** The feeds file cannot be used; the message names each place and reason. */
export class FeedsFileError extends Error {
  override readonly name = 'FeedsFileError';
}

/** Children's data travels sealed; in the clear only within one machine. A secret stands in no file that people read. */
function isSafeAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const sealed =
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
  return sealed && username === '' && password === '';
}

function isSchedule(text: string): boolean {
  try {
    CronExpressionParser.parse(text);
    return text.trim().split(/\s+/).length === 5;
  } catch {
    return false;
  }
}

/**
 * Reads the text of a feeds file.
 *
 * @param where how messages call the file
 * @throws FeedsFileError naming every wrong place, such as `feeds.json: feeds[0].schedule is no cron schedule`
 */
export function parseFeedsFile(text: string, where: string): FeedsFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FeedsFileError(`${where} is not JSON${jsonFault(error)}`);
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${where}: ${placeIn(issue.path)} ${issue.message}`);
  throw new FeedsFileError(issues.join('\n'));
}

function placeIn(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}

/**
 * Reads the feeds file of the configuration.
 *
 * @throws FeedsFileError also when it cannot be read
 */
export async function readFeedsFile(path: string): Promise<FeedsFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new FeedsFileError(`The feeds file ${path} cannot be read.`, { cause: error });
  }
  return parseFeedsFile(text, path);
}

/** Where a file or folder on this machine lies: a relative place is in the data folder. */
export function localPath(place: Exclude<Feed['place'], { url: string }>, dataFolder: string): string {
  return resolve(dataFolder, 'file' in place ? place.file : place.folder);
}

/**
 * Brings the table `feeds` to what the file says, in one transaction. A feed that is no longer in the file keeps its people and is
 * marked removed; one that is renamed is known by its SIS.
 *
 * @returns the names of feeds that disappeared with this file
 * @throws FeedsFileError where a feed takes the name of another SIS's
 */
export async function syncFeeds(db: Database, file: FeedsFile, clock: Clock): Promise<string[]> {
  return await db.transaction().execute(async (trx) => {
    const kept = file.feeds.map((feed) => feed.sis);
    const gone = await sql<{ name: string }>`
      update feeds set removed_at = ${clock()} where removed_at is null and not sis = any(${kept}::text[])
      returning name`.execute(trx);
    for (const feed of file.feeds) {
      const taken = await sql<{
        sis: string;
      }>`select sis from feeds where name = ${feed.name} and sis <> ${feed.sis}`.execute(trx);
      const [owner] = taken.rows;
      if (owner !== undefined) {
        throw new FeedsFileError(
          `The name "${feed.name}" is of the feed of the SIS "${owner.sis}", whose people are known by it; give the feed of "${feed.sis}" another name.`,
        );
      }
      await sql`
        insert into feeds (name, sis, label, unknown_rights, eligible_students, schedule, sample)
        values (${feed.name}, ${feed.sis}, ${feed.label ?? feed.name}, ${feed.unknown_rights}, ${feed.eligible_students},
          ${feed.schedule ?? null}, ${feed.sample})
        on conflict (sis) do update set name = excluded.name, label = excluded.label, unknown_rights = excluded.unknown_rights,
          eligible_students = excluded.eligible_students, schedule = excluded.schedule, sample = excluded.sample,
          removed_at = null`.execute(trx);
    }
    return gone.rows.map((row) => row.name);
  });
}
