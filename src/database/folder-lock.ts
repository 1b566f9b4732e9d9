import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The data folder is held by another living process. */
export class FolderInUse extends Error {
  constructor(
    readonly folder: string,
    readonly pid: number,
  ) {
    super(
      `The data folder ${folder} is in use by process ${pid}: stop that one first, or give this one another DATA_DIR or a DATABASE_URL.`,
    );
    this.name = 'FolderInUse';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The process that holds the folder, or null: a lock left by a process that is gone counts as none. */
export function folderHolder(folder: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(join(folder, 'lock'), 'utf8'), 10);
    return Number.isInteger(pid) && pid !== process.pid && isAlive(pid) ? pid : null;
  } catch {
    return null;
  }
}

/**
 * Takes the folder's lock file for this process and returns the function that gives it back.
 *
 * @throws FolderInUse when a living process holds it
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = openSync(path, 'wx', 0o600);
      writeSync(file, `${process.pid}\n`);
      closeSync(file);
      return () => unlinkSync(path);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const holder = folderHolder(folder);
      if (holder !== null) throw new FolderInUse(folder, holder);
      // A container restarts with the same process id, so a lock with our own id is a stale one too.
      unlinkSync(path);
    }
  }
  throw new FolderInUse(folder, folderHolder(folder) ?? 0);
}
