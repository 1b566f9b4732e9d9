import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { RunReport } from '../../src/sis/runs.js';
import { scratchFolder } from '../support/scratch.js';
import { extract, now, row } from './extract.js';
import type { District, Row } from './extract.js';
import { useDistrict } from './use-district.js';

const families = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`));

/** A feed's file is written over where it lies, and nothing keeps a SIS from doing so while it is read. */
describe('a file that is written over while it is read', () => {
  let db: Database;
  let place: District;
  useDistrict('postgres', (made) => ({ db, town: place } = made));

  /** Loads the first while the second is written over it, so many times. */
  async function writtenOver(first: readonly Row[], second: readonly Row[], times: number): Promise<RunReport> {
    const path = join(scratchFolder(), 'extract.csv');
    writeFileSync(path, extract(first));
    let left = times;
    return await place.load([], 'elementary', now, {
      source: { path, delta: false },
      onProgress: ({ stage }) => {
        if (stage !== 'skimming' || left === 0) return;
        left -= 1;
        writeFileSync(path, extract(second));
      },
    });
  }

  it('loses no restriction that both say, though it has as many rows', async () => {
    await place.load(families);
    const restricted = families.with(5, { ...families[5], restricted: 'yes' });
    // One child joins at the top and another leaves at the end, so that every row has another place.
    const shifted = [row('Kid', 'Mum'), ...restricted.slice(0, -1)];
    const report = await writtenOver(restricted, shifted, 1);
    expect(report).toMatchObject({ state: 'applied', counts: { restricted: 1, applied: 1, ended: 1 } });
    const { rows } = await sql`
      select s.sis_id as child from restrictions x join relationships r on r.id = x.relationship_id
        join students s on s.id = r.student_id where x.lifted_at is null`.execute(db);
    expect(rows).toEqual([{ child: 'Kid5' }]);
    // The digest is that of what was read.
    expect(await place.load(shifted)).toMatchObject({ state: 'unchanged' });
    const refused = await writtenOver(families, restricted, Infinity);
    expect(refused).toMatchObject({ state: 'refused', message: 'The file was written to while it was read.' });
  });
});
