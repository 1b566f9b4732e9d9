import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { districtExtract } from '../../src/sis/feeds/district-extract.js';
import { columns } from '../../src/sis/feeds/columns.js';
import { row } from '../sis/extract.js';
import { inFolder, rowsIn, setOf } from '../sis/oneroster-set.js';
import { scratchFolder } from '../support/scratch.js';

/** What stands in the first row: people, and how they are reached. */
const person = /ros|ana|l.pez|example\.org|555/i;

// An exporter that has another order of columns, and the people first.
const peopleFirst = [...columns.slice(11), ...columns.slice(0, 11)];
const rosa = row('Ana', 'Rosa', { given_name: 'Rosa', family_name: 'López' });
const line = `${peopleFirst.map((column) => rosa[column] ?? '').join(',')}\r\n`;
const headless = (file: string): string => file.slice(file.indexOf('\n') + 1);

const extracts: Array<[what: string, content: string | Buffer]> = [
  ['has no header', line],
  ['has no header, and bytes that are not UTF-8', Buffer.from(line, 'latin1')],
  ['has no header, and quotes as no CSV has them', line.replace('López', 'Ló"pez')],
];

const set = setOf('1.1', 'bulk', {
  orgs: [{ sourcedId: 's1', name: 'First Street School', type: 'school' }],
  users: [
    { sourcedId: 'rosa', username: 'rosa@example.org', email: 'rosa@example.org', givenName: 'Rosa', role: 'parent' },
  ],
});
const users = headless(String(set['users.csv']));

// The message goes to the log, to the audit, to the database and to whoever asks for runs.
describe('row 23: why a feed’s file was refused quotes no row of it where it', () => {
  it.each(extracts)('is an extract that %s', async (_, content) => {
    const path = join(scratchFolder(), 'extract.csv');
    writeFileSync(path, content);
    const refused: unknown = await districtExtract.open({ path, delta: false }, 'elementary').catch((error) => error);
    expect(refused).toMatchObject({ name: 'FeedRefused', message: expect.stringMatching(/^Line 1\b/) });
    expect(String(refused)).not.toMatch(person);
  });

  it.each([
    ['has no header', users],
    ['has no header, and bytes that are not UTF-8', Buffer.from(users.replace('Rosa', 'Rosá'), 'latin1')],
    ['has no header, and quotes as no CSV has them', users.replace('Rosa', 'Ro"sa')],
  ])('is the users.csv of a set that %s', async (_, content) => {
    const refused: unknown = await inFolder({ ...set, 'users.csv': content }, rowsIn).catch((error) => error);
    expect(refused).toMatchObject({ name: 'FeedRefused', message: expect.stringMatching(/^users\.csv: /) });
    expect(String(refused)).not.toMatch(person);
  });
});
