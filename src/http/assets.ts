import type { Middleware } from 'koa';

/** A file that pages load: its name holds a digest of its content, so that browsers keep it for a year. */
interface ServedAsset {
  readonly path: string;
  readonly contentType: string;
  readonly etag: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly brotli: Buffer;
}

/** Serves the pages' files, compressed beforehand. */
export function serveAssets(assets: readonly ServedAsset[]): Middleware {
  const byPath = new Map(assets.map((asset) => [asset.path, asset]));
  return async (ctx, next) => {
    const asset = byPath.get(ctx.path);
    if (asset === undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
    ctx.vary('Accept-Encoding');
    ctx.type = asset.contentType;
    const encoding = ctx.acceptsEncodings('br', 'gzip', 'identity');
    if (encoding === 'br' || encoding === 'gzip') {
      ctx.set('Content-Encoding', encoding);
      ctx.etag = asset.etag.replace(/"$/, `-${encoding}"`);
    } else {
      ctx.etag = asset.etag;
    }
    ctx.status = 200;
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = encoding === 'br' ? asset.brotli : encoding === 'gzip' ? asset.gzip : asset.body;
  };
}
