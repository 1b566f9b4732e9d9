import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';

/** Brings what is piped in to a file that only this user can read; whoever asked removes it. */
export async function spooled(input: Readable): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'parent-access-feed-'));
  const path = join(folder, 'feed');
  await pipeline(input, createWriteStream(path, { mode: 0o600 }));
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}
