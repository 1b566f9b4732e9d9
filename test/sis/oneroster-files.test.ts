import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { specification } from '../../src/sis/feeds/oneroster-columns.js';
import { oneroster, onerosterKeyedBy } from '../../src/sis/feeds/oneroster.js';
import { file, headers, inFolder, manifest, rowsIn, setOf } from './oneroster-set.js';
import type { Files, Row } from './oneroster-set.js';
import { zipOf } from './zip-writer.js';
import type { Entry } from './zip-writer.js';

const school: Row = { sourcedId: 's1', name: 'First Street School', type: 'school' };
const users: Row[] = [
  { sourcedId: 'ana', role: 'student', orgSourcedIds: 's1', givenName: 'Ana' },
  { sourcedId: 'rosa', role: 'parent', orgSourcedIds: 's1', givenName: 'Rosa', agentSourcedIds: 'ana' },
];
const good = setOf('1.1', 'bulk', { orgs: [school], users });
const text = (name: string): string => String(good[name] ?? '');

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function written(contents: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'oneroster-zip-'));
  folders.push(folder);
  writeFileSync(join(folder, 'set.zip'), contents);
  return join(folder, 'set.zip');
}

const zipped = (files: Files, ...more: Entry[]): string =>
  written(zipOf([...Object.entries(files).map(([name, contents]) => ({ name, contents })), ...more]));

const refusal = (files: Files): Promise<unknown> =>
  inFolder(files, rowsIn).then(
    (rows) => rows,
    (error: unknown) => error,
  );

describe('the columns of the specification', () => {
  it.each(['1.1', '1.2', '1.2.1'] as const)('of %s are those that were typed from it, in its order', (version) => {
    const { users: ofUsers, ...others } = specification[version];
    expect(ofUsers?.join(',')).toBe(headers[`users ${version}`]);
    for (const [name, columns] of Object.entries(others)) {
      expect(columns.join(',')).toBe(headers[name as 'orgs' | 'roles' | 'demographics' | 'rights']);
    }
  });
});

describe('a OneRoster set', () => {
  it('tells its kind and its layout before its rows are read', async () => {
    const reading = await inFolder(good, (path) => oneroster.open({ path, delta: false }, 'test'));
    expect(reading).toMatchObject({
      kind: 'bulk',
      layout: `1.1\norgs:${headers.orgs}\nusers:${headers['users 1.1']}`,
    });
  });

  it('is the same from a zip and from a folder', async () => {
    expect(await rowsIn(zipped(good))).toEqual(await inFolder(good, rowsIn));
    expect(await rowsIn(zipped(good))).toHaveLength(3);
  });

  it('is taken with its columns in another order, with more of them, and without those that are not read', async () => {
    const moved =
      'metadata.local,agentSourcedIds,role,orgSourcedIds,givenName,familyName,sourcedId,dateLastModified,status,email,phone,sms,grades\r\n' +
      'x,,student,s1,Ana,,ana,,,,,,\r\n' +
      ',ana,parent,s1,Rosa,,rosa,,,,,,\r\n';
    expect(await inFolder({ ...good, 'users.csv': moved }, rowsIn)).toEqual(await inFolder(good, rowsIn));
  });

  it('is read in its lines whatever ends them, and with a byte order mark', async () => {
    const mixed = text('users.csv').replace('\r\nrosa', '\nrosa');
    expect(await inFolder({ ...good, 'users.csv': `\uFEFF${mixed}` }, rowsIn)).toEqual(await inFolder(good, rowsIn));
  });

  it('is never read beyond its own files', async () => {
    const path = mkdtempSync(join(tmpdir(), 'oneroster-'));
    folders.push(path);
    for (const [name, contents] of Object.entries(good)) writeFileSync(join(path, name), contents);
    rmSync(join(path, 'users.csv'));
    writeFileSync(join(path, 'elsewhere'), text('users.csv'));
    symlinkSync(join(path, 'elsewhere'), join(path, 'users.csv'));
    await expect(rowsIn(path)).rejects.toThrow('the manifest names users.csv, and it is not there');
  });

  it('leaves nothing half read when it changes under the reader', async () => {
    await inFolder(good, async (path) => {
      const { rows } = await oneroster.open({ path, delta: false }, 'test');
      writeFileSync(join(path, 'users.csv'), text('users.csv').replace('phone', 'phones,phone'));
      await expect(
        (async () => {
          for await (const row of rows) expect(row).toBeDefined();
        })(),
      ).rejects.toThrow('users.csv changed while it was read.');
    });
  });

  it('with another key than sourcedId takes no delta, which names people by that alone', async () => {
    const delta = setOf('1.1', 'delta', { users: [] });
    await inFolder(delta, async (path) => {
      await expect(onerosterKeyedBy('identifier').open({ path, delta: true }, 'test')).rejects.toThrow(
        'A delta names people by sourcedId alone, and this feed knows them by identifier.',
      );
      await expect(oneroster.open({ path, delta: false }, 'test')).resolves.toMatchObject({ kind: 'delta' });
    });
  });

  it('is no delta because somebody says so', async () => {
    await inFolder(good, async (path) => {
      await expect(oneroster.open({ path, delta: true }, 'test')).rejects.toThrow('its manifest says bulk');
    });
  });
});

describe('a OneRoster set is refused', () => {
  const named = (...files: string[]): string => manifest('1.1', 'bulk', files);
  const cases: Record<string, [files: Files, message: string]> = {
    'without a manifest': [{ 'users.csv': text('users.csv') }, 'there is no manifest.csv beside its files'],
    'with an empty manifest': [{ ...good, 'manifest.csv': '' }, 'manifest.csv is empty'],
    'with another header in the manifest': [{ ...good, 'manifest.csv': 'name,value\n' }, 'must be propertyName,value'],
    'with a manifest without end': [
      { ...good, 'manifest.csv': `propertyName,value\n${'x,y\n'.repeat(300)}` },
      'manifest.csv has more than 200 lines',
    ],
    'when the manifest is no UTF-8': [
      { ...good, 'manifest.csv': Buffer.from('propertyName,value\nsource.systemName,Se\u00f1or\n', 'latin1') },
      'manifest.csv: Line 2, column value: the bytes are not UTF-8.',
    ],
    'of an unknown version': [
      { ...good, 'manifest.csv': text('manifest.csv').replace(',1.1', ',2.0<b>') },
      'OneRoster 2.0?b? is not read here; 1.1, 1.2 and 1.2.1 are',
    ],
    'of no version': [
      { ...good, 'manifest.csv': text('manifest.csv').replace('oneroster.version', 'x') },
      'the manifest names no oneroster.version',
    ],
    'when a file is said to be something else': [
      { ...good, 'manifest.csv': text('manifest.csv').replace('file.users,bulk', 'file.users,full') },
      'says neither absent nor bulk nor delta of users.csv',
    ],
    'when a file that is named is not there': [
      { ...good, 'manifest.csv': named('orgs', 'users', 'enrollments') },
      'the manifest names enrollments.csv, and it is not there',
    ],
    'when a file that is absent is there': [
      { ...good, 'demographics.csv': file('demographics', []) },
      'the manifest says that demographics.csv is absent, and it is there',
    ],
    'when a file is there that nobody named': [
      { ...good, 'manifest.csv': text('manifest.csv').replace('file.users,bulk\r\n', '') },
      'users.csv is there, and the manifest does not name it',
    ],
    'when the manifest contradicts itself': [
      { ...good, 'manifest.csv': `${text('manifest.csv')}file.users,delta\r\n` },
      'manifest.csv says "file.users" twice',
    ],
    'when it is bulk and delta at once': [
      { ...good, 'manifest.csv': text('manifest.csv').replace('file.users,bulk', 'file.users,delta') },
      'some of its files are bulk and some are delta',
    ],
    'when it tells of no family': [{ 'manifest.csv': named() }, 'the manifest names no file that tells about families'],
    'as a bulk without its schools': [
      { 'manifest.csv': named('users'), 'users.csv': text('users.csv') },
      'a bulk of OneRoster 1.1 needs orgs.csv',
    ],
    'when a column is missing': [
      { ...good, 'users.csv': text('users.csv').replace('agentSourcedIds', 'agents') },
      'users.csv: The header lacks the column "agentSourcedIds".',
    ],
    'when a column is there twice': [
      { ...good, 'users.csv': text('users.csv').replace('middleName', 'email') },
      'users.csv: The header has the column "email" twice.',
    ],
    'when a header holds a null character': [
      { ...good, 'users.csv': text('users.csv').replace('middleName', 'middle\0Name') },
      'users.csv: Line 1: the header holds a null character.',
    ],
    'when a file is empty': [{ ...good, 'users.csv': '' }, 'users.csv is empty: not even its header line is there.'],
    'when its bytes are Windows-1252': [
      { ...good, 'users.csv': Buffer.from(text('users.csv').replace('Rosa', 'Ros\u00e1'), 'latin1') },
      'users.csv: Line 3, column givenName: the bytes are not UTF-8.',
    ],
    'when a quote stays open': [
      { ...good, 'users.csv': text('users.csv').replace('Rosa', '"Rosa') },
      'users.csv: Line 3, column givenName: the file breaks off inside a quoted field.',
    ],
    'when its last row is cut': [
      { ...good, 'users.csv': text('users.csv').slice(0, -6) },
      'users.csv breaks off in line 3: its last row has 16 of 18 fields.',
    ],
    'when the last cell of a folder may be cut': [
      {
        ...good,
        'rights.csv': file('rights', [
          { student_sourced_id: 'a', guardian_sourced_id: 'b', restriction_end: '2027-01-1' },
        ]).trimEnd(),
      },
      'rights.csv may break off in line 2: there is no line end after its last cell, "restriction_end".',
    ],
  };

  it.each(Object.entries(cases))('%s', async (_, [files, message]) => {
    const error = await refusal(files);
    expect(error).toMatchObject({ name: 'FeedRefused', message: expect.stringContaining(message) as unknown });
    // One sentence about the file, or two short ones.
    expect((error as Error).message.length).toBeLessThan(200);
  });

  it('but a last line without an end is whole where no cell that is read may have lost its end', async () => {
    const users18 = text('users.csv').trimEnd();
    expect(await inFolder({ ...good, 'users.csv': users18 }, rowsIn)).toHaveLength(3);
    const sidecar = file('rights', [{ student_sourced_id: 'ana', guardian_sourced_id: 'rosa' }]).trimEnd();
    expect(await rowsIn(zipped({ ...good, 'rights.csv': sidecar }))).toHaveLength(4);
  });

  it('and a row with too few cells in the middle is skipped', async () => {
    const short = text('users.csv').replace('ana,,,,s1', 'ana,,,,s1,x,y,z,z');
    expect((await inFolder({ ...good, 'users.csv': short }, rowsIn))[1]).toEqual({
      line: 2,
      problem: 'field_count',
      unreadable: true,
      of: 'users',
    });
  });
});

describe('a zip is refused', () => {
  const entries = (): Entry[] => Object.entries(good).map(([name, contents]) => ({ name, contents }));
  const damaged = (name: string, change: Partial<Entry>): string =>
    written(zipOf(entries().map((entry) => (entry.name === name ? { ...entry, ...change } : entry))));

  it('when it holds folders or leads out of itself', async () => {
    for (const name of ['set/users.csv', '../users.csv', '/etc/users.csv', 'C:\\users.csv', '..\\users.csv']) {
      await expect(rowsIn(zipped(good, { name, contents: '' }))).rejects.toMatchObject({ name: 'FeedRefused' });
    }
  });

  it('when it holds a file twice, is encrypted, or holds too many files', async () => {
    await expect(rowsIn(zipped(good, { name: 'users.csv', contents: 'x' }))).rejects.toThrow('holds a file twice');
    await expect(rowsIn(damaged('users.csv', { encrypted: true }))).rejects.toThrow('The zip is encrypted.');
    const many = Array.from({ length: 98 }, (_, index) => ({ name: `${index}.txt`, contents: '' }));
    await expect(rowsIn(zipped(good, ...many))).rejects.toThrow('The zip holds 101 files, more than 100.');
  });

  it('when it would unpack to more than the limit, or to more than it says', async () => {
    const bomb = zipped(good, { name: 'classes.csv', contents: Buffer.alloc(5 * 1024 ** 2) });
    const limited = onerosterKeyedBy('sourcedId', { entries: 100, bytes: 4 * 1024 ** 2 });
    await expect(rowsIn(bomb, limited)).rejects.toThrow('The zip unpacks to more than 4 MB.');
    const liar = damaged('users.csv', { contents: `${text('users.csv')}${'\r\n'.repeat(500_000)}`, size: 400 });
    await expect(rowsIn(liar)).rejects.toThrow('The zip file is broken or not whole.');
  });

  it('when its contents are not those that were packed', async () => {
    await expect(rowsIn(damaged('users.csv', { crc: 7 }))).rejects.toThrow(
      'users.csv is damaged: its checksum is not the one in the zip.',
    );
    await expect(rowsIn(written(zipOf(entries()).subarray(0, -30)))).rejects.toThrow('broken or not whole');
    await expect(rowsIn(written(Buffer.from('sourcedId,status\r\n')))).rejects.toThrow('broken or not whole');
  });

  it('and a file that is not there is no broken zip', async () => {
    await expect(rowsIn('/nowhere/set.zip')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
