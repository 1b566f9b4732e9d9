import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { auditLog } from '../../src/audit/audit.js';
import { systemClock } from '../../src/database/clock.js';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { registrationCandidates } from '../../src/families/candidates.js';
import { runImport } from '../../src/imports.js';
import type { ImportParts } from '../../src/imports.js';
import { parseFeedsFile, syncFeeds } from '../../src/sis/feeds-file.js';
import { bulkLoader } from '../../src/sis/loader.js';
import { makeLogger } from '../../src/telemetry/logger.js';
import { watchFolders } from '../../src/watch.js';
import type { Watch } from '../../src/watch.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { eventually } from '../support/eventually.js';
import { everything, extract, row, timeZone } from './extract.js';
import type { Row } from './extract.js';

const forty = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const file = parseFeedsFile(
  JSON.stringify({
    feeds: [
      {
        name: 'elementary',
        sis: 'elementary',
        format: 'district-extract',
        place: { folder: 'inbox' },
        unknown_rights: 'allow',
      },
    ],
  }),
  'feeds.json',
);

// A look comes every five seconds.
jest.setTimeout(90_000);

describe.each(databases)('a folder that is watched, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let folder: string;
  let inbox: string;
  const watches: Watch[] = [];

  useDatabase(kind, (taken, whole) => {
    db = taken;
    opened = whole;
  });
  beforeEach(async () => {
    for (const table of everything) await sql`delete from ${sql.table(table)}`.execute(db);
    await syncFeeds(db, file, systemClock);
    folder = mkdtempSync(join(tmpdir(), 'parent-access-watch-'));
    inbox = join(folder, 'inbox');
    mkdirSync(inbox);
  });
  afterEach(async () => {
    await Promise.all(watches.splice(0).map((each) => each.stop()));
    rmSync(folder, { recursive: true });
  });

  function partsOf(onLoad: () => unknown = () => {}): ImportParts {
    const load = bulkLoader(opened);
    return {
      db,
      clock: systemClock,
      timeZone,
      dataDir: folder,
      feeds: file,
      load: async (...given) => {
        await onLoad();
        return load(...given);
      },
      audit: auditLog(systemClock),
    };
  }

  /** @param onLoad at the moment at which the rows of a file are written */
  function watch(onLoad: () => unknown = () => {}): string[] {
    const log: string[] = [];
    watches.push(
      watchFolders(
        partsOf(onLoad),
        makeLogger({ logLevel: 'error' }, { write: (line: string) => void log.push(line) }),
      ),
    );
    return log;
  }

  /** Drops a file that was finished a minute ago. */
  function drop(name: string, rows: readonly Row[]): void {
    writeFileSync(join(inbox, name), extract(rows));
    const earlier = Date.now() / 1_000 - 60;
    utimesSync(join(inbox, name), earlier, earlier);
  }

  const inRoom = (room: string): string[] => {
    const place = join(inbox, room);
    return existsSync(place) ? readdirSync(place) : [];
  };

  it('makes a parent registrable whose school corrected the e-mail', async () => {
    watch();
    drop('nightly.csv', forty);
    expect(
      await eventually(
        () => inRoom('done'),
        (names) => names.length === 1,
        30_000,
      ),
    ).toHaveLength(1);
    const question = { email: 'right@example.org', e164: '+12135550100', now: new Date(), timeZone };
    expect(await registrationCandidates(db, question)).toEqual([]);
    drop('school-1001.delta.csv', [{ ...forty[3], email: 'right@example.org' }]);
    expect(
      await eventually(
        () => registrationCandidates(db, question),
        (found) => found.length === 1,
        30_000,
      ),
    ).toHaveLength(1);
  });

  it('takes each file once: no link, none written over by the next of its name, and none again whose name is long', async () => {
    const working = join(inbox, 'working');
    mkdirSync(working);
    writeFileSync(join(folder, 'elsewhere.csv'), extract([...forty, row('Eva', 'Ida')]));
    symlinkSync(join(folder, 'elsewhere.csv'), join(working, '0.csv'));
    writeFileSync(join(working, '2.delta.csv'), extract([row('Leo', 'First')]));
    drop('2.delta.csv', [row('Leo', 'Second')]);
    drop(`1${'n'.repeat(240)}.csv`, forty);
    watch();
    const done = await eventually(
      () => inRoom('done').length,
      (count) => count === 3,
      20_000,
    );
    expect(done).toBe(3);
    expect(inRoom('working')).toEqual(['0.csv']);
    const { rows } = await sql<{ sis_id: string }>`
      select sis_id from contacts where sis_id in ('First', 'Second', 'Ida') order by 1`.execute(db);
    expect(rows.map(({ sis_id }) => sis_id)).toEqual(['First', 'Second']);
  });

  it.each(['before a file comes', 'while one is loaded'])(
    'goes into no room that becomes a link %s, and brings nothing out of where it leads',
    async (when) => {
      const ofServer = join(folder, 'of-the-server');
      mkdirSync(ofServer);
      writeFileSync(join(ofServer, 'secrets-key'), 'not for others');
      const lay = (): void => {
        if (existsSync(join(inbox, 'working'))) renameSync(join(inbox, 'working'), join(folder, 'aside'));
        symlinkSync(ofServer, join(inbox, 'working'));
      };
      if (when.startsWith('before')) lay();
      drop('secrets-key', forty);
      const log = watch(lay);
      await eventually(
        () => log.join(''),
        (text) => text.includes('is a link'),
        3_000,
      );
      expect(readdirSync(ofServer)).toEqual(['secrets-key']);
      expect(inRoom('refused')).toEqual([]);
    },
  );

  it('takes files up again whose run was killed in the middle, and none of a run that lives', async () => {
    drop('1.csv', forty);
    mkdirSync(join(inbox, 'working'));
    renameSync(join(inbox, '1.csv'), join(inbox, 'working', '1.csv'));
    // What is left of an import whose process was killed.
    const killed = randomUUID();
    const beat = (secondsAgo: number) =>
      sql`
      update feeds set running_run = ${killed}, running_beat_at = ${new Date(Date.now() - secondsAgo * 1_000)}`.execute(
        db,
      );
    await sql`insert into feed_runs (id, feed, actor, started_at, state)
      values (${killed}, 'elementary', 'watch', ${new Date()}, 'running')`.execute(db);
    await beat(55);
    // The first to take it falls silent itself in the middle, and another takes its turn over and is killed in turn.
    const silent = watch(() => (silent.length === 0 ? beat(57) : null));
    drop('2.delta.csv', [row('Leo', 'Late', { restricted: 'yes' })]);
    expect(inRoom('done')).toEqual([]);
    const done = await eventually(
      () => inRoom('done').length,
      (count) => count === 2,
      30_000,
    );
    expect(done).toBe(2);
    const { rows } = await sql`select state, message from feed_runs where id = ${killed}`.execute(db);
    expect(rows).toEqual([{ state: 'failed', message: 'The process that ran it ended.' }]);
  });

  it('applies no file a second time, over what came later, that it could not move on before it ended', async () => {
    const free = [...forty.slice(1), { ...forty[0], restricted: 'no' }];
    const done = join(inbox, 'done');
    mkdirSync(done);
    const cut = (): void => {
      rmSync(done, { recursive: true });
      symlinkSync(folder, done);
    };
    drop('2-nightly.csv', free);
    const log = watch(cut);
    await eventually(
      () => log.join(''),
      (text) => text.includes('cannot be moved on'),
      20_000,
    );
    expect(inRoom('working')).toEqual(['2-nightly.csv']);
    await Promise.all(watches.splice(0).map((each) => each.stop()));
    rmSync(done);
    // The word of the court comes by hand, while the server is away.
    const order = join(folder, 'order.csv');
    writeFileSync(order, extract([{ ...forty[0], restricted: 'yes' }]));
    await runImport(partsOf(), 'elementary', 'operator', { from: order, delta: true });
    watch();
    expect(
      await eventually(
        () => inRoom('done').length,
        (count) => count === 1,
        20_000,
      ),
    ).toBe(1);
    expect((await sql`select 1 from restrictions where lifted_at is null`.execute(db)).rows).toHaveLength(1);
    // The same bytes, dropped anew, are a new word.
    drop('3-nightly.csv', free);
    await eventually(
      () => inRoom('done').length,
      (count) => count === 2,
      20_000,
    );
    expect((await sql`select 1 from restrictions where lifted_at is null`.execute(db)).rows).toEqual([]);
  });

  it('leaves a file alone that is still written, puts aside what is held or refused, and takes up what a process left', async () => {
    drop('1.csv', forty);
    mkdirSync(join(inbox, 'working'));
    renameSync(join(inbox, '1.csv'), join(inbox, 'working', '1.csv'));
    drop('2.csv', forty.slice(0, 20));
    drop('3.csv', [{ ...forty[0], sis: 'x' }]);
    writeFileSync(join(inbox, '3.csv'), 'no extract\r\n');
    const earlier = Date.now() / 1_000 - 60;
    utimesSync(join(inbox, '3.csv'), earlier, earlier);
    const ahead = Date.now() / 1_000 + 3_600;
    drop('4.csv', forty);
    utimesSync(join(inbox, '4.csv'), ahead, ahead);
    watch();
    watch();
    const counts = await eventually(
      () => ['done', 'held', 'refused'].map((room) => inRoom(room).length),
      (found) => found.every((count) => count === 1),
      30_000,
    );
    expect(counts).toEqual([1, 1, 1]);
    expect(inRoom('working')).toEqual([]);
    expect(readdirSync(inbox)).toContain('4.csv');
  });
});
