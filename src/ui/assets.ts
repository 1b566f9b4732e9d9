import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** A file that pages load. Its path changes with its content, so a browser may keep it for ever. */
export interface Asset {
  /** Path on this site, with a hash of the content. */
  readonly path: string;
  readonly contentType: string;
  /** A strong validator, quotes included (RFC 9110 §8.8.3). */
  readonly etag: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly brotli: Buffer;
}

function createAsset(name: string, extension: string, contentType: string, body: Buffer): Asset {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16);
  return {
    path: `/assets/${name}-${hash}.${extension}`,
    contentType,
    etag: `"${hash}"`,
    body,
    gzip: gzipSync(body, { level: 9 }),
    brotli: brotliCompressSync(body),
  };
}

/** The one stylesheet, made by `build/styles.mjs` and read once. */
export const stylesheet: Asset = createAsset(
  'styles',
  'css',
  'text/css; charset=utf-8',
  readFileSync(new URL('./styles.css', import.meta.url)),
);

/** The script of pages with a password field. */
export const passwordScript: Asset = createAsset(
  'show-password',
  'js',
  'text/javascript; charset=utf-8',
  readFileSync(new URL('./show-password.js', import.meta.url)),
);

/** The script of pages on which an answer arrives while they are read. */
export const liveScript: Asset = createAsset(
  'live',
  'js',
  'text/javascript; charset=utf-8',
  readFileSync(new URL('./live.js', import.meta.url)),
);

/** The script of pages that answer a form. */
export const forgetScript: Asset = createAsset(
  'forget-form',
  'js',
  'text/javascript; charset=utf-8',
  readFileSync(new URL('./forget-form.js', import.meta.url)),
);

/** The script by which pages hear that somebody signed out in another tab. */
export const tabsScript: Asset = createAsset(
  'shared-tabs',
  'js',
  'text/javascript; charset=utf-8',
  readFileSync(new URL('./shared-tabs.js', import.meta.url)),
);

/** The sign in a browser's tab: a house with its door. */
export const icon: Asset = createAsset(
  'icon',
  'svg',
  'image/svg+xml',
  Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#1a3c6e"/>' +
      '<path d="M6 15.5 16 7l10 8.5V26H6z" fill="none" stroke="#fff" stroke-width="2.5" stroke-linejoin="round"/>' +
      '<path d="M13 26v-5.5a3 3 0 0 1 6 0V26z" fill="#fff"/></svg>',
  ),
);

/** Everything that is served under `/assets/`. */
export const assets: readonly Asset[] = [stylesheet, passwordScript, forgetScript, tabsScript, liveScript, icon];
