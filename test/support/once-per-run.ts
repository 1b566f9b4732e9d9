import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Makes what all suites of a run share: one worker makes it, the others wait a minute for it at most.
 *
 * @param folder where it is to be; not there before
 * @param make fills the folder. What it throws is thrown here, and the next who asks tries again
 */
export async function oncePerRun(folder: string, make: () => Promise<void>): Promise<void> {
  const done = join(folder, 'done');
  if (existsSync(done)) return;
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await pause(50)) {
    if (existsSync(done)) return;
    try {
      mkdirSync(folder);
    } catch (error) {
      if (existsSync(folder)) continue;
      throw error;
    }
    try {
      await make();
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    writeFileSync(done, '');
    return;
  }
  throw new Error(`Another worker did not fill ${folder} within a minute.`);
}
