import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';

const forwardingHeaders = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
] as const;

/** An address without what a proxy or the system may write around it: a port, brackets, the IPv6 form of an IPv4 address. */
function plainAddress(address: string | undefined): string {
  const bare = (address ?? '').replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1');
  const [, mapped = ''] = /^::ffff:(.+)$/i.exec(bare) ?? [];
  const [, high, low] = /^([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(mapped) ?? [];
  if (high === undefined || low === undefined) return mapped === '' ? bare : mapped;
  const bits = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

/**
 * The list of proxies whose word counts.
 *
 * @param ranges addresses or CIDR ranges
 * @throws when one is neither
 */
export function proxyList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0) throw new Error(`TRUSTED_PROXIES: ${range} is no address or range.`);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

function isListed(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** One key for a source: who has an IPv6 address has the whole /64 around it (RFC 6177), and could take a new one for each try. */
function sourceKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const front = head.split(':').filter((group) => group !== '');
  const back = tail.split(':').filter((group) => group !== '');
  const groups = [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** The address the request comes from: the peer, or what the trusted proxy next to us says of *its* peer, no further. */
function sourceOf(req: IncomingMessage, trusted: BlockList): string {
  const peer = plainAddress(req.socket.remoteAddress);
  if (!isListed(trusted, peer)) return peer;
  const chain = [req.headers['x-forwarded-for'] ?? []].flat().join(',');
  const hop = plainAddress(chain.split(',').at(-1)?.trim());
  return isIP(hop) === 0 ? peer : hop;
}

/**
 * Decision 1: whatever a request says about where it was sent, the issuer decides. Refused with 421: another `Host`, a
 * target in absolute form. Forwarding headers are read once, from a trusted peer, and then removed for all.
 * `/healthz` and `/readyz` answer to any name. Leaves the source (an IPv4 address or an
 * IPv6 network) in `ctx.state.source`.
 */
export function guardHost(issuer: string, trusted: BlockList): Middleware {
  const { host } = new URL(issuer);
  return async (ctx, next) => {
    ctx.state['source'] = sourceKey(sourceOf(ctx.req, trusted));
    for (const name of forwardingHeaders) delete ctx.req.headers[name];
    const target = ctx.req.url ?? '';
    const probe = target === '/healthz' || target === '/readyz';
    if (
      !target.startsWith('/') ||
      target.startsWith('//') ||
      (!probe && ctx.req.headers.host?.toLowerCase() !== host)
    ) {
      ctx.status = 421;
      ctx.type = 'text/plain';
      ctx.body = 'This request was sent to a name that is not ours.\n';
      return;
    }
    await next();
  };
}
