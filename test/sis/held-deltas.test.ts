import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import type { OpenDatabase } from '../../src/database/postgres.js';
import { endAbandonedRuns, takeTurn } from '../../src/sis/lease.js';
import { tellHeld } from '../../src/sis/tell-held.js';
import { ruledDatabases } from '../support/database.js';
import { decide } from './decide.js';
import { extract, now, row } from './extract.js';
import type { District, Row } from './extract.js';
import { useDistrict } from './use-district.js';

const later = new Date(now.getTime() + 86_400_000);
const forty = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const order = { restricted: 'yes', restriction_type: 'protection order' };

/** A file with a column of its own, which is held for that. */
function odd(rows: readonly Row[], column: string): string {
  const [header, ...lines] = extract(rows).trimEnd().split('\r\n');
  return [`${header},${column}`, ...lines.map((line) => `${line},12`)].map((line) => `${line}\r\n`).join('');
}

/** Of what a delta says nothing is said again: who puts it aside loses it. */
describe.each(ruledDatabases)('a held file that no later one says anew, on %s', (kind) => {
  let db: Database;
  let opened: OpenDatabase;
  let town: District;
  useDistrict(kind, (made) => ({ db, opened, town } = made));

  const delta = (content: string | readonly Row[]) => town.load(content, 'elementary', later, { delta: true });
  async function waiting(): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`select id from feed_runs where state = 'held' order by no`.execute(db);
    return rows.map(({ id }) => id);
  }

  it('waits, with its restriction, whatever delta comes after it, and the administrators are told', async () => {
    await town.load(forty);
    const held = await delta(odd([{ ...forty[0], ...order }], 'homeroom'));
    expect(held).toMatchObject({ state: 'held', plan: { newRestrictions: 1 } });
    const applied = await delta([row('New', 'Mum0')]);
    expect(applied.state).toBe('applied');
    const other = await delta(odd([row('New', 'Mum1')], 'room'));
    await decide(opened, 'rollback', applied, later);
    expect(await waiting()).toEqual([held.runId, other.runId]);
    const letters: string[] = [];
    await tellHeld(db, {
      clock: () => later,
      post: async (_trx, { text }) => void letters.push(text),
      administrators: ['admin@district.example'],
    });
    expect(letters.filter((text) => text.includes('1 new restriction waits in it'))).toHaveLength(1);
    // Approved now, it could take back what the later file said.
    await expect(decide(opened, 'approve', held, later)).rejects.toThrow('Another file of the feed was loaded since');
    expect(await waiting()).toEqual([held.runId, other.runId]);
    await decide(opened, 'discard', held, later);
    const again = { delta: true, again: true };
    const evening = new Date(later.getTime() + 3_600_000);
    const loaded = await town.load(odd([{ ...forty[0], ...order }], 'homeroom'), 'elementary', evening, again);
    expect(await decide(opened, 'approve', loaded, evening)).toMatchObject({ counts: { restricted: 1 } });
  });

  it('is put aside by a whole file that comes after it, and by none from before', async () => {
    await town.load(forty);
    const whole = await town.load(odd(forty, 'homeroom'), 'elementary', later);
    const held = await delta(odd([{ ...forty[0], ...order }], 'homeroom'));
    expect(await waiting()).toEqual([whole.runId, held.runId]);
    expect(await decide(opened, 'approve', whole, later)).toMatchObject({ state: 'applied' });
    expect(await waiting()).toEqual([held.runId]);
    await town.load(odd([...forty, row('New', 'Mum0')], 'homeroom'), 'elementary', later);
    expect(await waiting()).toEqual([]);
    expect((await sql`select 1 from held_rows`.execute(db)).rows).toEqual([]);
  });

  it('is approved no more once a file came that said again what stands, or that file would change nothing from then on', async () => {
    const restricted = [{ ...forty[0], ...order }, ...forty.slice(1)];
    await town.load(restricted);
    const lifting = [{ ...forty[0], restricted: 'no' }, ...forty.slice(1)];
    const held = await town.load(odd(lifting, 'homeroom'), 'elementary', later);
    const evening = new Date(later.getTime() + 3_600_000);
    expect(await town.load(restricted, 'elementary', evening)).toMatchObject({ state: 'unchanged' });
    await expect(decide(opened, 'approve', held, evening)).rejects.toThrow('Another file of the feed was loaded since');
    expect((await sql`select 1 from restrictions where lifted_at is null`.execute(db)).rows).toHaveLength(1);
    // Loaded again, and approved, it is what stands; the file before it is compared anew.
    await decide(opened, 'discard', held, evening);
    const again = await town.load(odd(lifting, 'homeroom'), 'elementary', evening, { again: true });
    expect(await decide(opened, 'approve', again, evening)).toMatchObject({ counts: { lifted: 1 } });
    const night = new Date(evening.getTime() + 3_600_000);
    const layoutBack = await town.load(restricted, 'elementary', night);
    await decide(opened, 'approve', layoutBack, night);
    expect((await sql`select 1 from restrictions where lifted_at is null`.execute(db)).rows).toHaveLength(1);
  });

  it('is approved no more after a roll back either, where the process of an approval was killed meanwhile', async () => {
    const [first = {}, ...rest] = forty;
    await town.load([{ ...first, ...order }, ...rest]);
    const lifted = await town.load([{ ...first, restricted: 'no' }, ...rest], 'elementary', later);
    const held = await town.load(odd([{ ...first, restricted: 'no' }, ...rest], 'homeroom'), 'elementary', later);
    const evening = new Date(later.getTime() + 3_600_000);
    await decide(opened, 'rollback', lifted, evening);
    const night = new Date(evening.getTime() + 3_600_000);
    await takeTurn(db, 'elementary', { id: held.runId, actor: 'operator', held: true }, () => night);
    await endAbandonedRuns(db, () => night);
    await expect(decide(opened, 'approve', held, night)).rejects.toThrow('Another file of the feed was loaded since');
    expect((await sql`select 1 from restrictions where lifted_at is null`.execute(db)).rows).toHaveLength(1);
  });
});
