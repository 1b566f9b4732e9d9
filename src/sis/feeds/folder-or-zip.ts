import { createReadStream } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openZip, zipLimits } from './zip.js';
import type { ZipLimits } from './zip.js';

/** Files that lie side by side, in a folder or at the root of a zip. */
export interface FileSet {
  names: ReadonlySet<string>;
  /** Whether a file that was cut would show: a zip has sizes and checksums, a folder has not. */
  whole: boolean;
  read(name: string): AsyncIterable<Uint8Array>;
  close(): void;
}

/**
 * Opens a folder, or a zip. In a folder only plain files count: a link may lead anywhere.
 *
 * @throws FeedRefused when the zip is not to be trusted
 */
export async function openFiles(path: string, limits: ZipLimits = zipLimits): Promise<FileSet> {
  if (!(await stat(path)).isDirectory()) return { ...(await openZip(path, limits)), whole: true };
  const names = new Set<string>();
  for (const name of await readdir(path)) {
    if ((await lstat(join(path, name))).isFile()) names.add(name);
  }
  return { names, whole: false, read: (name) => createReadStream(join(path, name)), close: () => {} };
}
