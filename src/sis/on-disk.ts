import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 of a file, or of a folder's files with their names, hex. */
export async function digestOf(path: string): Promise<string> {
  const sha = createHash('sha256');
  for (const file of await filesOf(path)) {
    if (file !== '') sha.update(`\0${file}\0`);
    const bytes: AsyncIterable<Buffer> = createReadStream(join(path, file));
    for await (const chunk of bytes) sha.update(chunk);
  }
  return sha.digest('hex');
}

/** What becomes another when a file, or one of a folder's, is written to or replaced, whatever its clock is set to. */
export async function stampOf(path: string): Promise<string> {
  const stamps: string[] = [];
  for (const file of await filesOf(path)) {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(join(path, file), { bigint: true });
    stamps.push([file, dev, ino, size, mtimeNs, ctimeNs].join('/'));
  }
  return stamps.join('\n');
}

/**
 * Their names in a folder; one empty name where the path is a file itself.
 *
 * @throws with the code `no plain file` where there is anything else: a pipe or a device would be waited for, or read, without end
 */
async function filesOf(path: string): Promise<string[]> {
  const names = (await stat(path)).isDirectory() ? (await readdir(path)).sort() : [''];
  for (const name of names) {
    if (!(await stat(join(path, name))).isFile())
      throw Object.assign(new Error('Not all of it are files.'), { code: 'no plain file' });
  }
  return names;
}
