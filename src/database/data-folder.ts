import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSecret } from './secrets.js';

function readOrMake(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    const made = newSecret();
    // `wx` so that of two starts at once the second reads what the first wrote.
    writeFileSync(path, `${made}\n`, { mode: 0o600, flag: 'wx' });
    return made;
  }
}

/** The SECRETS_KEY of a data folder, made once, readable by its owner only. Outside production alone. */
export function folderSecretsKey(folder: string): Uint8Array {
  return Buffer.from(readOrMake(folder, 'secrets-key'), 'base64url');
}

/** The SECRETS_KEY that a data folder keeps already; null without one. */
export function keptSecretsKey(folder: string): Uint8Array | null {
  try {
    return Buffer.from(readFileSync(join(folder, 'secrets-key'), 'utf8').trim(), 'base64url');
  } catch {
    return null;
  }
}

/** The secret of a demo app, made once and kept in the data folder. Outside production alone. */
export function folderDemoSecret(folder: string, clientId: string): string {
  return readOrMake(folder, `demo-secret-${clientId.replaceAll(/[^a-z0-9-]/g, '')}`);
}
