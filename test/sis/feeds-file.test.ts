import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { importSchedules } from '../../src/imports.js';
import { localPath, parseFeedsFile, syncFeeds } from '../../src/sis/feeds-file.js';
import { feedStatus } from '../../src/sis/status.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { district, feedsFile, now, row, timeZone } from './extract.js';

describe('the feeds file', () => {
  const one = {
    name: 'a',
    sis: 'a',
    format: 'district-extract',
    place: { file: 'a.csv' },
    schedule: '0 2 * * *',
    unknown_rights: 'deny',
  };

  it('that we ship is right, and its feeds are marked as sample', () => {
    const file = parseFeedsFile(readFileSync('feeds.json', 'utf8'), 'feeds.json');
    expect(file.feeds.map((feed) => [feed.name, feed.sample])).toEqual([
      ['elementary', true],
      ['secondary', true],
    ]);
  });

  it('invites nobody unless it says at which rate', () => {
    expect(parseFeedsFile(JSON.stringify({ feeds: [] }), 'feeds.json').invitations).toBeUndefined();
    const said = JSON.stringify({ feeds: [], invitations: { per_hour: 100 } });
    expect(parseFeedsFile(said, 'feeds.json').invitations).toEqual({ per_hour: 100, shared_limit: 3 });
  });

  it('fills in the shares, and places files in the data folder', () => {
    const [feed] = parseFeedsFile(JSON.stringify({ feeds: [one] }), 'feeds.json').feeds;
    expect(feed).toMatchObject({ checks: { feed_share: 0.05, school_share: 0.2 }, sample: false });
    expect(localPath({ file: 'a.csv' }, '/data')).toBe('/data/a.csv');
    expect(localPath({ folder: '/srv/a' }, '/data')).toBe('/srv/a');
  });

  it('has each feed loaded by its own schedule in the district’s time zone, and none that has no schedule', () => {
    const feeds = [
      { ...one, schedule: '*/5 * * * *' },
      { ...one, name: 'other', sis: 'other', place: { url: 'https://sis.example/x.csv' }, schedule: '30 2 * * 1-5' },
      { ...one, name: 'by-hand', sis: 'by-hand', schedule: undefined },
    ];
    expect(importSchedules(parseFeedsFile(JSON.stringify({ feeds }), 'feeds.json'), 'America/Los_Angeles')).toEqual([
      {
        queue: 'import',
        key: one.name,
        cron: '*/5 * * * *',
        timeZone: 'America/Los_Angeles',
        payload: { feed: one.name },
      },
      {
        queue: 'import',
        key: 'other',
        cron: '30 2 * * 1-5',
        timeZone: 'America/Los_Angeles',
        payload: { feed: 'other' },
      },
    ]);
  });

  it.each([
    ['{', 'feeds.json is not JSON'],
    [{ feeds: [{ ...one, schedule: 'nightly' }] }, 'feeds.json: feeds[0].schedule is no cron schedule'],
    [
      { feeds: [{ ...one, place: { folder: 'inbox' } }] },
      'feeds.json: feeds[0].schedule is not for a folder: its files are loaded as they come',
    ],
    [
      {
        feeds: [
          { ...one, schedule: undefined, place: { folder: 'inbox' } },
          { ...one, schedule: undefined, place: { folder: './inbox/' }, name: 'b', sis: 'b' },
        ],
      },
      'feeds.json: feeds[1].place.folder is the folder of another feed',
    ],
    [{ feeds: [{ ...one, place: { url: 'http://sis.example.org/a.csv' } }] }, 'feeds.json: feeds[0].place'],
    [{ feeds: [{ ...one, place: { url: 'https://me:secret@sis.example.org/a.csv' } }] }, 'feeds.json: feeds[0].place'],
    [{ feeds: [{ ...one, place: { url: 'https://sis.example.org/a' }, sample: true }] }, 'must be a file: samples'],
    [{ feeds: [{ ...one, format: 'xml' }] }, 'feeds.json: feeds[0].format'],
    [{ feeds: [{ ...one, unknown_rights: 'maybe' }] }, 'feeds.json: feeds[0].unknown_rights'],
    [{ feeds: [{ ...one, eligible_students: 'stay' }] }, 'feeds.json: feeds[0].eligible_students'],
    [{ feeds: [{ ...one, checks: { feed_share: 5 } }] }, 'feeds.json: feeds[0].checks.feed_share'],
    [{ feeds: [one, { ...one, name: 'b' }] }, 'feeds.json: feeds[1].sis "a" stands twice'],
    [{ feeds: [{ ...one, extra: 1 }] }, 'feeds.json: feeds[0]'],
    [{ feeds: [one], invitations: {} }, 'feeds.json: invitations.per_hour'],
    [{ feeds: [one], invitations: { per_hour: 0 } }, 'feeds.json: invitations.per_hour'],
    [{ feeds: [one], invitations: { per_hour: 5, limit: 2 } }, 'feeds.json: invitations'],
    [{}, 'feeds.json: feeds '],
  ])('says what is wrong and where: %j', (content, message) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    expect(() => parseFeedsFile(text, 'feeds.json')).toThrow(message);
  });
});

describe.each(databases)('the feeds on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });

  it('tell when they were loaded and load next, and keep their people when they leave the file', async () => {
    const file = feedsFile();
    const town = await district(opened, file);
    await town.load([row('Ana', 'Rosa')]);
    expect(await feedStatus(db, file, () => now, timeZone)).toEqual([
      {
        name: 'elementary',
        sis: 'elementary',
        label: 'elementary',
        loadedAt: now,
        nextAt: new Date('2026-11-21T10:00:00Z'),
      },
      {
        name: 'secondary',
        sis: 'secondary',
        label: 'secondary',
        loadedAt: null,
        nextAt: new Date('2026-11-21T10:00:00Z'),
      },
    ]);
    expect(await syncFeeds(db, { ...file, feeds: file.feeds.slice(1) }, () => now)).toEqual(['elementary']);
    expect(await town.load([row('Ana', 'Rosa')])).toMatchObject({
      state: 'refused',
      message: 'There is no feed "elementary".',
    });
    expect(await syncFeeds(db, file, () => now)).toEqual([]);
    expect((await sql`select 1 from contacts where current`.execute(db)).rows).toHaveLength(1);
  });

  it('keep the names of other SISs: two that change theirs at once are told so', async () => {
    const file = feedsFile();
    const [first, second] = file.feeds;
    if (first === undefined || second === undefined) throw new Error('no feeds');
    const swapped = [
      { ...first, name: second.name },
      { ...second, name: first.name },
    ];
    await syncFeeds(db, file, () => now);
    await expect(syncFeeds(db, { ...file, feeds: swapped }, () => now)).rejects.toThrow(
      'The name "secondary" is of the feed of the SIS "secondary", whose people are known by it; give the feed of "elementary" another name.',
    );
  });

  it('end parents’ rights on the 18th birthday unless the file says that they are kept, and follow it', async () => {
    const file = feedsFile();
    const policies = async (second: 'end' | 'keep' | null): Promise<string[]> => {
      const [first, other] = file.feeds;
      if (first === undefined || other === undefined) throw new Error('two feeds');
      const feeds = [first, second === null ? other : { ...other, eligible_students: second }];
      await syncFeeds(db, { ...file, feeds }, () => now);
      const { rows } = await sql<{
        policy: string;
      }>`select eligible_students as policy from feeds order by name`.execute(db);
      return rows.map(({ policy }) => policy);
    };
    expect([await policies(null), await policies('keep'), await policies('end')]).toEqual([
      ['end', 'end'],
      ['end', 'keep'],
      ['end', 'end'],
    ]);
  });
});
