import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { loginThrough } from '../../src/hosts/login.ts';
import { localHost } from '../kit/local-host.ts';

// AuthenticationOk and ReadyForQuery: how the conversation goes on after the password.
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
let server: Server;
const sockets: Socket[] = [];
afterEach(() => {
  server.close();
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Logs in to a server that says `words` to whoever says something first, and nothing more. */
async function logIn(words: Buffer | null) {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => words && socket.write(words));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const request = { address: '127.0.0.1', port, user: 'u', password: 'p', database: 'd' };
  return loginThrough(localHost(), request, 300);
}

it.each([
  ['at all', null],
  ['after the password, as a paused pooler', WELCOME],
])('a login to a server that says nothing %s ends in its time, and says so', async (_, words) => {
  expect(await logIn(words)).toEqual({ ok: false, code: 'TIMEOUT', why: 'no answer within 300 ms' });
});
