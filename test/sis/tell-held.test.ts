import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../src/database/database.js';
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
});
