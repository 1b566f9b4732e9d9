import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { openPromise } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { FeedRefused } from './format.js';

/** What a zip may hold before it is taken for a bomb. */
export interface ZipLimits {
  entries: number;
  /** Bytes of all entries when unpacked. */
  bytes: number;
}

/**
 * A OneRoster set has 17 files. With enrollments and results of half a million students it unpacks to a few gigabytes, of which the ones
 * that are read are well below one; 20 GB leaves room for whole histories, and what is unpacked is streamed and never kept.
 */
export const zipLimits: ZipLimits = { entries: 100, bytes: 20 * 1024 ** 3 };

/** An open zip whose entries have been looked at and not yet read. */
export interface Zip {
  names: ReadonlySet<string>;
  /** Streams one entry; the last step compares its CRC-32. */
  read(name: string): AsyncGenerator<Uint8Array>;
  close(): void;
}

/**
 * Opens a zip whose files lie at its root.
 *
 * @throws FeedRefused when it is broken, encrypted, holds folders or a name twice, or unpacks to more than the limits
 */
export async function openZip(path: string, limits: ZipLimits = zipLimits): Promise<Zip> {
  const zip = await openPromise(path, { autoClose: false, strictFileNames: true }).catch(broken);
  try {
    const entries = await entriesOf(zip, limits);
    return {
      names: new Set(entries.keys()),
      read: (name) => contents(zip, entries.get(name), name),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function entriesOf(zip: ZipFile, limits: ZipLimits): Promise<Map<string, Entry>> {
  if (zip.entryCount > limits.entries) {
    throw new FeedRefused(`The zip holds ${zip.entryCount} files, more than ${limits.entries}.`);
  }
  const entries = new Map<string, Entry>();
  let bytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      if (name.includes('/')) throw new FeedRefused('The zip holds folders; its files must lie at its root.');
      if (entries.has(name)) throw new FeedRefused('The zip holds a file twice.');
      if (entry.isEncrypted()) throw new FeedRefused('The zip is encrypted.');
      bytes += entry.uncompressedSize;
      if (bytes > limits.bytes) {
        throw new FeedRefused(`The zip unpacks to more than ${Math.floor(limits.bytes / 1024 ** 2)} MB.`);
      }
      entries.set(name, entry);
    }
  } catch (error) {
    return broken(error);
  }
  return entries;
}

async function* contents(zip: ZipFile, entry: Entry | undefined, name: string): AsyncGenerator<Uint8Array> {
  if (entry === undefined) throw new FeedRefused(`${name} is not in the zip.`);
  let sum = 0;
  try {
    const stream: Readable = await zip.openReadStreamPromise(entry);
    const chunks: AsyncIterable<Buffer> = stream;
    for await (const chunk of chunks) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    broken(error);
  }
  // yauzl holds the sizes to what the directory says, and leaves the checksum to us.
  if (sum !== entry.crc32) throw new FeedRefused(`${name} is damaged: its checksum is not the one in the zip.`);
}

function broken(error: unknown): never {
  if (error instanceof FeedRefused) throw error;
  // A file that is not there or not ours to read is no broken zip.
  if (error instanceof Error && 'syscall' in error) throw error;
  throw new FeedRefused('The zip file is broken or not whole.', {});
}
