import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

// Of a page only as much is read as a check needs.
const BODY_LIMIT_BYTES = 65_536;

export interface Page {
  readonly status: number;
  readonly body: string;
}

/** Where a URL leads and what is asked there. */
export function targetOf(url: string): { address: string; port: number; host: string; path: string; tls: boolean } {
  const { protocol, hostname, port, host, pathname, search } = new URL(url);
  const tls = protocol === 'https:';
  return {
    address: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (tls ? 443 : 80) : Number(port),
    host,
    path: `${pathname}${search}`,
    tls,
  };
}

/** Fetches a page over a connection that some host has made. Rejects with what went wrong; the connection is closed after. */
export async function fetchPage(url: string, stream: Duplex, options: { timeoutMs: number; trustAny: boolean }): Promise<Page> {
  const { host, path, address, tls } = targetOf(url);
  const socket = tls ? connectTls({ socket: stream, servername: address, rejectUnauthorized: !options.trustAny }) : stream;
  // What breaks comes out through the request; once it is answered nobody asks any more.
  for (const one of [stream, socket]) one.on('error', () => {});
  try {
    return await new Promise<Page>((resolve, reject) => {
      const asked = request({
        createConnection: () => socket,
        method: 'GET',
        path,
        headers: { host, connection: 'close', accept: '*/*' },
        signal: AbortSignal.timeout(options.timeoutMs),
      });
      asked.on('error', (thrown) => reject(thrown.name === 'AbortError' ? new Error('it did not answer in time') : thrown));
      asked.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        const done = () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > BODY_LIMIT_BYTES) done();
        });
        response.on('end', done);
        response.on('error', reject);
      });
      asked.end();
    });
  } finally {
    socket.destroy();
    stream.destroy();
  }
}
