import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

/** One answer, as it came. */
export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface RawRequest {
  /** What stands in the request line, unchanged: no client tidies it up. */
  target: string;
  method?: string;
  headers?: Record<string, string | string[]>;
  /** A form's fields, or a body as it is. */
  body?: Record<string, string> | string | Buffer;
  /** The loopback address to come from. */
  from?: string;
}

/** A request by hand, for what no browser and no HTTP library would send. */
export function raw(issuer: string, { target, method, headers, body, from }: RawRequest): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(issuer);
  const content = typeof body === 'object' && !Buffer.isBuffer(body) ? new URLSearchParams(body).toString() : body;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        path: target,
        method: method ?? (content === undefined ? 'GET' : 'POST'),
        family: 4,
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
        headers: {
          host,
          accept: 'text/html',
          // Who says that it closes may be closed on while it still sends, and not read why.
          connection: 'keep-alive',
          ...(content === undefined
            ? {}
            : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(content) }),
          ...headers,
        },
      },
      (answer) => {
        let received = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          received += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: received }));
      },
    );
    sent.on('error', reject);
    sent.end(content);
  });
}
