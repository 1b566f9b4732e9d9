import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditLog } from '../../src/audit/audit.js';
import { parseConfig } from '../../src/config.js';
import { systemClock } from '../../src/database/clock.js';
import type { Desk } from '../../src/desk/desk.js';
import { importCommand } from '../../src/desk/imports.js';
import { bulkLoader } from '../../src/sis/loader.js';
import type { RunReport } from '../../src/sis/runs.js';
import { databases } from '../support/database.js';
import { useDatabase } from '../support/suite-database.js';
import { extract, feedsFile, row } from '../sis/extract.js';
import type { Row } from '../sis/extract.js';

const forty = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`));

describe.each(databases)('imports at the command line, on %s', (kind) => {
  let desk: Desk;
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-import-'));

  useDatabase(kind, (db, opened) => {
    desk = {
      config: parseConfig({ DATA_DIR: folder }),
      clock: systemClock,
      db,
      audit: auditLog(systemClock),
      feeds: async () => feedsFile(),
      load: bulkLoader(opened),
      secretsKey: null,
      keysFollowed: async () => {},
      tellApps: () => {},
    };
  });
  beforeAll(() => lay(forty));
  afterAll(() => rmSync(folder, { recursive: true }));

  function lay(rows: readonly Row[]): void {
    writeFileSync(join(folder, 'elementary.csv'), extract(rows));
  }

  const command = (...args: string[]): Promise<string> => importCommand(desk, args);

  it('says in words what an import, a plan, a held run and a roll back are', async () => {
    expect(await command('runs')).toBe('There are none.');
    expect(await command('--feed', 'elementary')).toMatch(
      /^elementary: applied \(run \S+\)\. Read 40 rows: 40 applied, 0 unchanged, 0 skipped; 0 relationships ended\.$/,
    );
    lay(forty.slice(0, 20));
    const plan = await command('--feed', 'elementary', '--dry-run');
    expect(plan).toContain('Relationships: 0 added, 0 changed, 20 ended.');
    expect(plan).toContain(
      'It would be held. Nothing was changed: it has 20 rows, 50.0 % fewer than the 40 of the last',
    );
    expect(plan).toMatch(/school +name +standing +added +changed +ended\n1001 +Lincoln Elementary +40 +0 +0 +20$/);
    await expect(command('--feed', 'elementary')).rejects.toThrow(
      /^Nothing was changed: .* The run is held: `import approve \S+ --reason "…"` or `import discard …` decides\.$/,
    );
    const runs = JSON.parse(await command('runs', '--json')) as Array<{ id: string; state: string }>;
    expect(runs.map(({ state }) => state)).toEqual(['held', 'applied']);
    const held = runs[0]?.id ?? '';
    await expect(command('approve')).rejects.toThrow('Say which run: import approve RUN; `import runs` lists them.');
    await expect(command('approve', held)).rejects.toThrow('Say why, in a few words without names: --reason "…".');
    // A decision is no plan, and is of one run.
    for (const beside of [['--dry-run'], ['--feed', 'secondary'], ['--delta'], [runs[1]?.id ?? '']]) {
      for (const verb of ['approve', 'discard', 'rollback']) {
        await expect(command(verb, held, '--reason', 'a plan', ...beside)).rejects.toThrow('and nothing else');
      }
    }
    await expect(command('discard', held, '--reason', 'x'.repeat(201))).rejects.toThrow('200 characters at most');
    await expect(command('approve', 'x', '--reason', 'y')).rejects.toThrow('There is no run "x".');
    await expect(command('undo', held)).rejects.toThrow('Say what to do: import --feed NAME');
    expect(await command('approve', held, '--reason', 'a school closed')).toContain('elementary: applied');
    expect(await command('rollback', held, '--reason', 'it\ndid \u001b[2Jnot')).toMatch(
      /^elementary: rolled back \(run \S+\)\. What stood before it stands again\.$/,
    );
    expect(await command('runs', '--feed', 'elementary')).toMatch(/rolled back .* operator +it did \[2Jnot\n/);
    const report = JSON.parse(await command('--feed', 'elementary', '--again', '--dry-run', '--json')) as RunReport;
    expect(report).toMatchObject({ state: 'planned', plan: { relationships: { ended: 20 } } });
  });

  it('takes a delta from elsewhere, and names a feed that there is not', async () => {
    const path = join(folder, 'correction.csv');
    writeFileSync(path, extract([{ ...forty[0], email: 'right@example.org' }]));
    expect(await command('--feed', 'elementary', '--from', path, '--delta')).toContain('Read 1 rows: 1 applied');
    writeFileSync(path, extract([{ ...forty[0], priority: 'x' }]));
    expect(await command('--feed', 'elementary', '--from', path, '--delta')).toMatch(
      /Read 1 rows: 0 applied, 0 unchanged, 1 skipped; 0 relationships ended\.\n  1 × bad_number:priority \(line 2\)$/,
    );
    await expect(command('--feed', 'tertiary')).rejects.toThrow(
      'There is no feed "tertiary". The feeds are: elementary, secondary.',
    );
    await expect(command()).rejects.toThrow('Say which feed: import --feed NAME.');
  });
});
