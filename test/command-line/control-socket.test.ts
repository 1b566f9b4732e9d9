import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { listenForControl } from '../../src/control.js';

describe('the control socket', () => {
  it('is never open to others, not even at the moment it is made, whatever the umask', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parent-access-control-'));
    const control = {
      desk: () => Promise.reject(new Error('not here')),
      import: () => Promise.reject(new Error('no')),
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
});
