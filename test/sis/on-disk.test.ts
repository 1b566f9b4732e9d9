import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { now } from './extract.js';
import type { District } from './extract.js';
import { useDistrict } from './use-district.js';

/** Of a pipe the opening waits in one of this process's four threads, which passwords and files need, until somebody writes to it. */
describe('what is no file, where a feed’s file should be', () => {
  let place: District;
  useDistrict('postgres', (made) => ({ town: place } = made));
  const folder = mkdtempSync(join(tmpdir(), 'parent-access-on-disk-'));
  const pipes: string[] = [];
  afterAll(() => {
    for (const path of pipes) {
      // Whoever waits to read from it goes on.
      closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    }
    rmSync(folder, { recursive: true });
  });

  function pipe(path: string): string {
    execFileSync('mkfifo', [path]);
    pipes.push(path);
    return path;
  }

  it('is refused, and keeps nothing waiting', async () => {
    const set = join(folder, 'set');
    mkdirSync(set);
    pipe(join(set, 'notes.csv'));
    const link = join(folder, 'link.csv');
    symlinkSync(pipe(join(folder, 'pipe')), link);
    const endless = join(folder, 'endless.csv');
    symlinkSync('/dev/zero', endless);
    for (const path of [join(folder, 'pipe'), link, set, endless]) {
      const loading = place.load([], 'elementary', now, { source: { path, delta: false } });
      loading.catch(() => {});
      expect(await Promise.race([loading, pause(2_000, 'waits', { ref: false })])).toMatchObject({
        state: 'refused',
        message: expect.stringContaining('no plain file'),
      });
    }
    expect((await stat(folder)).isDirectory()).toBe(true);
  });
});
