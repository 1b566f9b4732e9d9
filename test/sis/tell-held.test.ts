import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
import { takeTurn } from '../../src/sis/lease.js';
import { tellHeld } from '../../src/sis/tell-held.js';
import { ruledDatabases } from '../support/database.js';
import { useDistrict } from './use-district.js';
import { now, row } from './extract.js';
import type { District } from './extract.js';

const later = new Date(now.getTime() + 86_400_000);
const forty = Array.from({ length: 40 }, (_, index) => row(`Kid${index}`, `Mum${index}`));
const few = forty.slice(0, 30);

describe.each(ruledDatabases)('a file that was not loaded, on %s', (kind) => {
  let db: Database;
  let town: District;

  useDistrict(kind, (made) => ({ db, town } = made));

  it('tells the administrators once, with how many restrictions wait', async () => {
    await town.load(forty);
    const restricted = { ...few[0], restricted: 'yes', restriction_type: 'protection order' };
    const held = await town.load([restricted, ...few.slice(1)], 'elementary', later);
    const letters: Array<{ to: string; subject: string; text: string }> = [];
    const tell = () =>
      tellHeld(db, {
        clock: () => later,
        post: async (_trx, letter) => void letters.push(letter),
        administrators: ['admin@district.example'],
      });
    await tell();
    await tell();
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      to: 'admin@district.example',
      subject: 'Held: the import of elementary waits for you',
    });
    expect(letters[0]?.text).toContain('1 new restriction waits in it');
    expect(letters[0]?.text).toContain(`parent-access import approve ${held.runId}`);
    expect(letters[0]?.text).not.toMatch(/Mum|Kid|example\.org/);
  });

  it('tells the administrators of a file that was refused when nobody stood by, the same once a day', async () => {
    await town.load(forty);
    const subjects: string[] = [];
    const texts: string[] = [];
    const tell = (at: Date) =>
      tellHeld(db, {
        clock: () => at,
        post: async (_trx, { subject, text }) => void (subjects.push(subject), texts.push(text)),
        administrators: ['admin@district.example'],
      });
    const after = (hours: number): Date => new Date(later.getTime() + hours * 3_600_000);
    await town.load('', 'elementary', later, { actor: 'operator' });
    await tell(later);
    expect(subjects).toEqual([]);
    await town.load('', 'elementary', later, { actor: 'schedule' });
    await tell(later);
    await town.load('', 'elementary', after(1), { actor: 'schedule' });
    await tell(after(1));
    expect(subjects).toEqual(['Not loaded: a file of elementary']);
    expect(texts[0]).toContain('The file is empty: not even its header line is there.');
    await town.load('no extract\r\n', 'elementary', after(2), { actor: 'watch' });
    await tell(after(2));
    expect(subjects).toHaveLength(2);
    await town.load('', 'elementary', after(26), { actor: 'schedule' });
    await tell(after(26));
    await tell(after(26));
    expect(subjects).toHaveLength(3);
    const { rows } = await sql`select 1 from relationships where ended_at is null`.execute(db);
    expect(rows).toHaveLength(40);
  });

  it('tells them each day of one that is refused each hour, and of one at which the import broke off for more than half an hour', async () => {
    await town.load(forty);
    const texts: string[] = [];
    const tell = (at: Date) =>
      tellHeld(db, {
        clock: () => at,
        post: async (_trx, { text }) => void texts.push(text),
        administrators: ['admin@district.example'],
      });
    const after = (minutes: number): Date => new Date(later.getTime() + minutes * 60_000);
    for (let hour = 0; hour < 30; hour += 1) {
      await town.load('', 'elementary', after(hour * 60), { actor: 'watch' });
      await tell(after(hour * 60));
    }
    expect(texts).toHaveLength(2);
    const killed = async (minutes: number) => {
      await takeTurn(db, 'elementary', { id: randomUUID(), actor: 'watch' }, () => after(minutes));
      await tell(after(minutes));
    };
    for (const minutes of [2000, 2010, 2020]) await killed(minutes);
    expect(texts).toHaveLength(2);
    for (const minutes of [2050, 2070]) await killed(minutes);
    expect(texts.slice(2)).toEqual([expect.stringContaining('The process that ran it ended.')]);
    // One that a later try mended is told to nobody.
    await killed(3600);
    await town.load([...forty, row('New', 'Mum0')], 'elementary', after(3605));
    await tell(after(3640));
    expect(texts).toHaveLength(3);
  });
});
