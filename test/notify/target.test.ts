import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { targetOf } from '../../src/notify/target.ts';

let dir: string;
let server: Server;
let port: number;
let heard: { method: string; url: string; type: string; login: string; body: string }[];
let answer: (url: string) => { status: number; headers?: Record<string, string> } | null;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ferry-notify-'));
  heard = [];
  answer = () => ({ status: 200 });
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      heard.push({ method, url, type: headers['content-type'] ?? '', login: headers.authorization ?? '', body });
      const said = answer(url);
      if (said) response.writeHead(said.status, said.headers).end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

function program(script: string, mode = 0o700): string {
  const file = join(dir, 'a hook');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, mode);
  return `cmd:${file}`;
}
const env = { PATH: process.env.PATH, FERRY_KEY_PASSPHRASE: 'geheim', DB_PASSWORD: 'geheim' };
const send = (text: string, limitMs?: number) => targetOf(text, env, limitMs).send('{"type":"gate"}\n');
const wrong = (text: string, around = {}) => {
  try {
    targetOf(text, { ...env, ...around });
  } catch (thrown) {
    return (thrown as Error & { code: string }).code === 'NOTIFY_WRONG' ? (thrown as Error).message : thrown;
  }
  return null;
};

describe('a program', () => {
  it('is given the notice as stdin, no shell in between, and none of what Ferry was given in variables', async () => {
    await send(program(`cat >"${dir}/got"; env >"${dir}/env"; echo "$#" >"${dir}/count"`));
    expect(readFileSync(join(dir, 'got'), 'utf8')).toBe('{"type":"gate"}\n');
    expect(readFileSync(join(dir, 'env'), 'utf8')).not.toContain('geheim');
    expect(readFileSync(join(dir, 'count'), 'utf8')).toBe('0\n');
    expect(targetOf(program('true'), env).shown).toBe(`cmd:${dir}/a hook`);
  });

  it('that reads nothing has done its work all the same', async () => {
    await expect(send(program('exit 0'))).resolves.toBeUndefined();
  });

  it('that fails is told with its exit code, and one that hangs is ended with what it started', async () => {
    await expect(send(program('exit 7'))).rejects.toThrow('it ended with exit code 7');
    await expect(send(program(`(sleep 2; touch "${dir}/late") & wait`), 300)).rejects.toThrow('it did not end within 300 ms');
    await new Promise((resolve) => setTimeout(resolve, 2300));
    expect(existsSync(join(dir, 'late'))).toBe(false);
  });

  it('that has become another user, and cannot be ended, is told as that, and ends nothing else', async () => {
    const ended = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    });
    try {
      await expect(send(program(`sleep 2; touch "${dir}/late"`), 200)).rejects.toThrow(
        'it did not end within 200 ms, and could not be ended (EPERM)',
      );
      expect(ended).toHaveBeenCalledTimes(1);
      // It is not waited for, and does its work.
      await expect.poll(() => existsSync(join(dir, 'late')), { timeout: 5000 }).toBe(true);
    } finally {
      ended.mockRestore();
    }
  });

  it('that cannot be run is refused beforehand', () => {
    expect(wrong('cmd:/nowhere/hook')).toContain('cmd:/nowhere/hook: there is no such file');
    expect(wrong(program('true', 0o600))).toContain('it may not be executed');
    expect(wrong(`cmd:${dir}`)).toContain('it is no file');
  });
});

describe('a webhook', () => {
  it('gets the notice as JSON, and only its origin is shown', async () => {
    const address = `http://me:pw%21@127.0.0.1:${port}/hooks/T0KEN?key=T0KEN`;
    await send(address);
    const login = `Basic ${Buffer.from('me:pw!').toString('base64')}`;
    expect(heard).toEqual([
      { method: 'POST', url: '/hooks/T0KEN?key=T0KEN', type: 'application/json', login, body: '{"type":"gate"}\n' },
    ]);
    expect(targetOf(address, env).shown).toBe(`http://127.0.0.1:${port}`);
  });

  it('that answers with an error, sends elsewhere, hangs or is not there is told without its address', async () => {
    answer = () => ({ status: 500 });
    await expect(send(`http://127.0.0.1:${port}/T0KEN`)).rejects.toThrow(/^it answered 500$/);
    answer = (url) => (url === '/there' ? { status: 200 } : { status: 307, headers: { location: '/there' } });
    await expect(send(`http://127.0.0.1:${port}/T0KEN`)).rejects.toThrow(/^it answered 307$/);
    expect(heard.map(({ url }) => url)).not.toContain('/there');
    answer = () => null;
    await expect(send(`http://127.0.0.1:${port}/T0KEN`, 200)).rejects.toThrow(/^no answer within 200 ms$/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(send(`http://127.0.0.1:${port}/T0KEN`)).rejects.toThrow(/^it cannot be reached \(ECONNREFUSED\)$/);
  });

  it('has its certificate checked', async () => {
    expect(wrong('https://hooks.example.com/T0KEN', { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toContain('certificates not checked');
    // No TLS is spoken there, let alone with a certificate anybody signed.
    await expect(send(`https://127.0.0.1:${port}/T0KEN`)).rejects.toThrow(/^it cannot be reached \([A-Z_]+\)$/);
  });

  it('is refused beforehand without TLS to another machine, and in words that do not repeat what was given', () => {
    expect(wrong('http://hooks.example.com/T0KEN')).toMatch(/http is for this machine alone/);
    for (const text of ['T0KEN', 'ftp://x/T0KEN', 'hooks.example.com/T0KEN', '']) {
      expect(wrong(text)).toContain('neither cmd:PATH nor https://');
      expect(wrong(text)).not.toContain('T0KEN');
    }
  });
});
