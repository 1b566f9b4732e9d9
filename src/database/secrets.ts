import { createHash, randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

/** SHA-256 of a bearer secret, as base64url: what the database keeps of it, so that a stolen dump opens nothing. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** A new bearer secret of 256 bits, as base64url (43 characters). */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Encrypts and decrypts what must be read again: a compact JWE (`dir`, A256GCM; RFC 7516) under SECRETS_KEY. */
export interface Sealer {
  seal(text: string): Promise<string>;
  /** @throws when the text was sealed with another key or was altered */
  open(sealed: string): Promise<string>;
}

/** @param key 32 bytes */
export function sealer(key: Uint8Array): Sealer {
  return {
    seal: (text) =>
      new CompactEncrypt(new TextEncoder().encode(text))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(key),
    async open(sealed) {
      const { plaintext } = await compactDecrypt(sealed, key, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      return new TextDecoder().decode(plaintext);
    },
  };
}
