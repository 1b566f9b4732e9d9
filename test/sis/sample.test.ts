import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { registrationCandidates } from '../../src/families/candidates.js';
import { joinableContacts } from '../../src/families/joins.js';
import { parseFeedsFile, syncFeeds } from '../../src/sis/feeds-file.js';
import { importFeed } from '../../src/sis/import.js';
import { bulkLoader } from '../../src/sis/loader.js';
import { shapes } from '../../src/sis/sample/family.js';
import { parseSampleArguments, writeSample } from '../../src/sis/sample/sample.js';
import { languages, notations } from '../../src/sis/sample/words.js';
import { freshDatabase } from '../support/database.js';
import { now, timeZone } from './extract.js';

const folder = mkdtempSync(join(tmpdir(), 'sample-'));
afterAll(() => rmSync(folder, { recursive: true }));

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('the sample district', () => {
  it.each([200, 2_000, 20_000])(
    'of %i contacts shows every shape in at least 1 %% of its families',
    async (contacts) => {
      const report = await writeSample({ contacts, seed: 7, out: join(folder, String(contacts)) });
      expect(report.contacts).toBe(contacts);
      const wanted = [
        ...shapes,
        ...languages.map((language) => `language:${language}`),
        ...notations.map((_, index) => `phone:${index}`),
      ];
      const rare = wanted.filter((shape) => (report.counts[shape] ?? 0) < report.families / 100);
      expect(rare).toEqual([]);
      const [english = 0, spanish = 0, ...others] = languages.map(
        (language) => report.counts[`language:${language}`] ?? 0,
      );
      expect(english).toBeGreaterThan(spanish);
      expect(spanish).toBeGreaterThan(others.reduce((sum, count) => sum + count, 0) / others.length);
      const written = Object.values(report.files).reduce(
        (sum, file) => sum + readFileSync(file, 'utf8').trimEnd().split('\r\n').length - 1,
        0,
      );
      expect(written).toBe(report.rows);
    },
  );

  it('is the same for the same seed, and another for another', async () => {
    const write = async (seed: number, out: string) =>
      Object.values((await writeSample({ contacts: 500, seed, out: join(folder, out) })).files).map(digest);
    const first = await write(1, 'a');
    expect(await write(1, 'b')).toEqual(first);
    expect(await write(2, 'c')).not.toEqual(first);
  });

  it('takes its size, seed and folder from the command line', () => {
    expect(parseSampleArguments(['--contacts', '300', '--seed', '9', '--out', 'x'])).toEqual({
      contacts: 300,
      seed: 9,
      out: 'x',
    });
    expect(parseSampleArguments(['--out', 'x'])).toEqual({ contacts: 2_000, seed: 1, out: 'x' });
    for (const wrong of [
      [],
      ['--out', 'x', '--contacts', '199'],
      ['--out', 'x', '--contacts', '2500001'],
      ['--out', 'x', '--seed', 'a'],
      ['--size', '3'],
    ]) {
      expect(() => parseSampleArguments(wrong)).toThrow(/^sample/);
    }
  });
});

describe('the sample district, imported', () => {
  let db: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const opened = await freshDatabase('postgres');
    db = opened.db;
    close = () => opened.close();
    const { files } = await writeSample({ contacts: 400, seed: 1, out: join(folder, 'imported') });
    const file = parseFeedsFile(readFileSync('feeds.json', 'utf8'), 'feeds.json');
    await syncFeeds(db, file, () => now);
    for (const feed of file.feeds) {
      const source = files[feed.name === 'elementary' ? 'elementary' : 'secondary'];
      const asked = {
        feed,
        source: { path: source, delta: false },
        clock: () => now,
        timeZone,
        actor: 'test',
        audit: async () => {},
        load: bulkLoader(opened),
      };
      expect(await importFeed(db, asked)).toMatchObject({ state: 'applied', reasons: {} });
      expect(await importFeed(db, asked)).toMatchObject({ state: 'unchanged' });
    }
  });
  afterAll(() => close());

  it('holds every contact, an order that crosses, and e-mails that cannot be used', async () => {
    const { rows } = await sql<{ contacts: number; held: number; problems: string[] }>`
      select count(*)::int as contacts, (select count(*)::int from relationship_holds) as held,
        array_agg(distinct email_problem order by email_problem) filter (where email_problem is not null) as problems from contacts`.execute(
      db,
    );
    expect(rows[0]?.contacts).toBe(400);
    expect(rows[0]?.held).toBeGreaterThan(0);
    expect(rows[0]?.problems).toEqual(['invalid', 'missing', 'placeholder']);
  });

  it('has the parent of the README, whose contacts in both SISs join by themselves', async () => {
    const found = await registrationCandidates(db, {
      email: 'parent@example.org',
      e164: '+12135550100',
      now,
      timeZone,
    });
    expect(found.map((candidate) => [candidate.sis, candidate.hasRight, candidate.restricted])).toEqual([
      ['elementary', true, false],
      ['secondary', true, false],
    ]);
    const { join: joined } = await joinableContacts(db, { contactId: found[0]?.contactId ?? '', now, timeZone });
    expect(joined.map((candidate) => candidate.contactId)).toEqual([found[1]?.contactId]);
    const { rows } = await sql<{
      children: number;
    }>`select count(*)::int as children from relationships r join contacts c on c.id = r.contact_id
      where c.email = 'registered@example.org'`.execute(db);
    expect(rows).toEqual([{ children: 2 }]);
  });
});
