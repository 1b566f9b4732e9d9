import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A file in a folder that only this user can read; whoever asked for it removes it. */
export interface Spooled {
  path: string;
  remove(): Promise<void>;
}

/** Brings what is piped in, or comes over the network, to a file; what breaks off leaves none. */
export async function spooled(input: AsyncIterable<Uint8Array>): Promise<Spooled> {
  const folder = await mkdtemp(join(tmpdir(), 'parent-access-feed-'));
  const path = join(folder, 'feed');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await pipeline(input, createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, remove };
}
