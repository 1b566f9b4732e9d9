import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../src/commands.js';
import { district, feedsFile, row } from '../sis/extract.js';
import { freshDatabase } from '../support/database.js';
import { scratchFolder } from '../support/scratch.js';

type Fresh = Awaited<ReturnType<typeof freshDatabase>>;

// Puts a command into the clipboard, hides what was printed before, and turns the reading order.
const hostile = 'Lincoln\u001b]52;c;cm0gLXJmIH4K\u0007\u001b[1A\u001b[2K\u009b8m\u202eyratnemelE';

describe('row 23: signs that a terminal obeys', () => {
  let database: Fresh;
  let environment: Record<string, string>;
  beforeAll(async () => {
    database = await freshDatabase('postgres');
    const { load } = await district(database);
    await load([row('Ana', 'Rosa', { school_name: hostile, birth_date: '2008-12-20' })]);
    const folder = scratchFolder();
    writeFileSync(join(folder, 'feeds.json'), JSON.stringify(feedsFile()));
    environment = { DATABASE_URL: database.url ?? '', DATA_DIR: folder, FEEDS_FILE: join(folder, 'feeds.json') };
  });
  afterAll(() => database.close());

  async function said(...args: string[]): Promise<string> {
    let text = '';
    const write = (line: string): void => void (text += `${line}\n`);
    await run(args, environment, { out: write, err: write });
    return text;
  }

  it.each(['', '--csv', '--json'])('reach nobody who reads what a command prints: coverage %s', async (as) => {
    const text = await said('coverage', '--by', 'school', ...(as === '' ? [] : [as]));
    expect(text).toContain('Lincoln');
    expect(text.replaceAll(/\r?\n/g, '')).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
  });
});
