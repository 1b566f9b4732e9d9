import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { askDesk, askToDiagnose, listenForControl } from '../../src/control.js';

describe('the control socket', () => {
  it('is never open to others, not even at the moment it is made, whatever the umask', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parent-access-control-'));
    const control = {
      desk: () => Promise.reject(new Error('not here')),
      doctor: async () => [],
    };
    const before = process.umask(0);
    try {
      const listening = listenForControl(folder, control);
      expect(statSync(join(folder, 'control.sock')).mode & 0o777).toBe(0o600);
      expect(process.umask()).toBe(0);
      (await listening)();
    } finally {
      process.umask(before);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('tells how far a long command is before it tells the outcome, or in one sentence why there is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parent-access-control-'));
    const heard: unknown[] = [];
    const stop = await listenForControl(folder, {
      doctor: () => Promise.reject(new Error('The database is away.')),
      desk: async (name, args, onProgress) => {
        onProgress({ stage: 'reading', read: 2_000, expected: null });
        onProgress({ stage: 'comparing', read: 2_500, expected: null });
        if (args[0] !== '--feed') throw new Error('Say which feed.');
        return `${name} is done`;
      },
    });
    try {
      const asked = askDesk(folder, 'import', ['--feed', 'elementary'], (progress) => heard.push(progress));
      expect(await asked).toBe('import is done');
      expect(heard).toEqual([
        { stage: 'reading', read: 2_000, expected: null },
        { stage: 'comparing', read: 2_500, expected: null },
      ]);
      await expect(askDesk(folder, 'import', [])).rejects.toThrow('Say which feed.');
      await expect(askToDiagnose(folder)).rejects.toThrow('The database is away.');
    } finally {
      stop();
    }
    await expect(askDesk(folder, 'import', [])).rejects.toThrow('does not answer');
    rmSync(folder, { recursive: true, force: true });
  });
});
