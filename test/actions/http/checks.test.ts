import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import gate from '../../../src/actions/gate/confirm.ts';
import http from '../../../src/actions/http/check.ts';
import { targetOf } from '../../../src/actions/http/fetch-page.ts';
import port from '../../../src/actions/port/check.ts';
import { siteOf } from '../../kit/facts.ts';
import { actContext, localHost } from '../../kit/local-host.ts';

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(answer: RequestListener): Promise<string> {
  const server: Server = createServer(answer);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const acting = { ...siteOf('one'), on: localHost(), onRole: () => localHost(), change: {} as never, ctx: actContext() };
const check = (params: object) =>
  http.apply?.({ ...acting, params: http.params.parse({ interval: '20ms', timeout: '1s', ...params }) });
const checkPort = (params: object) =>
  port.apply?.({ ...acting, params: port.params.parse({ address: '127.0.0.1', timeout: '200ms', ...params }) });

describe('http.check', () => {
  test('waits until the page has the text', async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked += 1;
      response.writeHead(asked < 3 ? 500 : 200).end(asked < 3 ? 'DB Down!' : 'DB Up!Welcome to Health Status!');
    });
    expect(await check({ url: `${url}/health`, text: 'DB Up!' })).toEqual({
      status: 200,
      body: 'DB Up!Welcome to Health Status!',
    });
    expect(asked).toBe(3);
  });

  test('while it waits it tells the last answer and how long it may take', async () => {
    const notes: (string | undefined)[] = [];
    const url = await serve((_, response) => response.writeHead(503).end('DB Down!'));
    const ctx = { ...acting.ctx, progress: ({ note }: { note?: string }) => void notes.push(note) };
    const params = http.params.parse({ interval: '20ms', timeout: '100ms', url });
    await expect(http.apply?.({ ...acting, ctx, params })).rejects.toMatchObject({ code: 'CHECK_FAILED' });
    expect(notes.slice(0, 2)).toEqual([
      'it was not asked; asked for 100ms at most',
      'got 503 "DB Down!"; asked for 100ms at most',
    ]);
  });

  test('the error has the last answer', async () => {
    const url = await serve((_, response) => response.writeHead(500).end('DB Down!\u001b[2J'));
    await expect(check({ url, text: 'DB Up!', timeout: '100ms' })).rejects.toMatchObject({
      code: 'CHECK_FAILED',
      args: { why: 'got 500 "DB Down!" (for 100ms)' },
    });
  });

  test('a refused connection and an answer that is no HTTP are told as such', async () => {
    await expect(check({ url: 'http://127.0.0.1:1/', timeout: '50ms' })).rejects.toMatchObject({
      args: { why: expect.stringContaining('ECONNREFUSED') },
    });
    const server = createTcp((socket) => socket.end('SSH-2.0-x\r\n'));
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await expect(check({ url, timeout: '50ms' })).rejects.toMatchObject({
      args: { why: expect.stringContaining('Parse Error') },
    });
  });

  test('path, query and host header are those of the address', async () => {
    const url = await serve((request, response) => response.end(`${request.headers.host} ${request.url}`));
    expect(await check({ url: `${url}/a?b=c` })).toMatchObject({ body: `${url.slice(7)} /a?b=c` });
    expect(targetOf('https://[::1]/x')).toMatchObject({ address: '::1', port: 443, tls: true });
    expect(http.params.safeParse({ url: 'http://user:pw@host/' }).success).toBe(false);
  });
});

describe('port.check', () => {
  test('open and closed are what they say', async () => {
    const url = await serve(() => {});
    const open = Number(new URL(url).port);
    await checkPort({ port: open });
    await checkPort({ port: 1, open: false });
    await expect(checkPort({ port: 1 })).rejects.toMatchObject({
      code: 'CHECK_FAILED',
      args: { why: expect.stringContaining('ECONNREFUSED') },
    });
    await expect(checkPort({ port: open, open: false })).rejects.toMatchObject({ args: { why: 'it is open (for 200ms)' } });
  });
});

test('gate.confirm asks its question', () => {
  expect(gate.plan({ question: 'Go on?' }, {}, siteOf('one'))).toMatchObject({ kind: 'gate', question: 'Go on?' });
});
