import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/**
 * Resolves an address and connects to it, with TLS for https, and hangs up.
 *
 * @returns when the certificate ends; null without TLS
 */
export function connects(address: URL, timeout: number): Promise<{ certificateEnds: Date | null }> {
  const host = address.hostname.replaceAll(/^\[|\]$/g, '');
  const secure = address.protocol === 'https:';
  const port = Number(address.port || (secure ? 443 : 80));
  return new Promise((resolve, reject) => {
    let certificateEnds: Date | null = null;
    const done = (): void => {
      socket.destroy();
      resolve({ certificateEnds });
    };
    const socket: Socket = secure
      ? tlsSocket(host, port, (ends) => {
          certificateEnds = ends;
          done();
        })
      : connect({ host, port }, done);
    socket.setTimeout(timeout, () => socket.destroy(new Error('timed out')));
    socket.once('error', reject);
  });
}

function tlsSocket(host: string, port: number, secured: (ends: Date | null) => void): Socket {
  const socket = connectTls({ host, port, servername: /^[\d.]+$|:/.test(host) ? '' : host }, () => {
    const { valid_to: ends } = socket.getPeerCertificate();
    secured(ends === undefined ? null : new Date(ends));
  });
  return socket;
}
