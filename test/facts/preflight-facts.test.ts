import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { parseDf } from '../../src/facts/disk-free.ts';
import { hostClock } from '../../src/facts/host-clock.ts';
import { hostTools } from '../../src/facts/host-tools.ts';
import { ownAddresses } from '../../src/facts/own-addresses.ts';
import { pgDumpFile } from '../../src/facts/pg-dump-file.ts';
import { pgRoom } from '../../src/facts/pg-room.ts';
import { readFacts } from '../../src/facts/read.ts';
import { resolvedName } from '../../src/facts/resolved-name.ts';
import { runLease } from '../../src/facts/run-lease.ts';
import { tcpListen } from '../../src/facts/tcp-listen.ts';
import { treeSize } from '../../src/facts/tree-size.ts';
import { Machine } from '../../src/hosts/machine.ts';
import { LocalTransport } from '../../src/transports/local.ts';
import { localSettings } from '../kit/local-settings.ts';
import { answer, readHere, withFolder } from '../kit/read-here.ts';

// A line of /proc/net/tcp as the reader greps it out.
const line = (address: string) => `${address}:1538 ${'0'.repeat(address.length)}:0000 0A `;

describe('tcpListen', () => {
  test.each([
    ['anywhere', line('00000000'), { outside: true, inside: false }],
    ['anywhere by IPv6', line('0'.repeat(32)), { outside: true, inside: false }],
    ['at one address', line('0E8B9D0A'), { outside: true, inside: false }],
    ['at the loopback', `${line('0100007F')}\n${line('00000000000000000000000001000000')}`, { outside: false, inside: true }],
    ['at another address of the loopback', line('0200007F'), { outside: false, inside: true }],
    ['nowhere', '', { outside: false, inside: false }],
  ])('%s', (_, stdout, expected) => {
    expect(tcpListen.definition.parse(answer(stdout), 5432)).toEqual({ state: 'value', value: expected });
  });

  test('sees a real listener, and none on a port beside it', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    expect(readHere(tcpListen(port).on('here'))).toEqual({ state: 'value', value: { outside: false, inside: true } });
    await new Promise((resolve) => server.close(resolve));
    expect(readHere(tcpListen(port).on('here'))).toEqual({ state: 'value', value: { outside: false, inside: false } });
  });
});

describe('hostTools', () => {
  test('names what is missing, with the family', () => {
    const found = readHere(hostTools(['sh', 'no-such-command', 'cat', "it's"]).on('here'));
    expect(found).toMatchObject({ state: 'value', value: { missing: ['no-such-command', "it's"] } });
    expect(readHere(hostTools(['sh']).on('here'))).toMatchObject({ value: { missing: [] } });
  });

  test('is unreadable when the answer was cut', () => {
    expect(hostTools.definition.parse(answer('flock\n'), ['flock'])).toMatchObject({ state: 'unreadable' });
  });
});

describe('pgDumpFile', () => {
  const parse = (stdout: string, code = 0, stderr = '') => pgDumpFile.definition.parse(answer(stdout, { code, stderr }), '/x');

  test('reads versions and the roles that privileges name, whatever their names', () => {
    const found = parse(`from database=15
by pg_dump=16

GRANT SELECT ON TABLE public.t TO reader;
REVOKE ALL ON TABLE public.t FROM engine;
GRANT ALL ON TABLE public.t TO "Odd ""one" WITH GRANT OPTION;
GRANT USAGE ON SCHEMA public TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE engine IN SCHEMA public GRANT SELECT ON TABLES TO reader;
`);
    expect(found).toEqual({
      state: 'value',
      value: { format: 'custom', damage: null, server: 15, client: 16, grantees: ['Odd "one', 'engine', 'reader'] },
    });
  });

  test('says why a dump cannot be read, tells none from it, and takes one that says nothing', () => {
    expect(parse('', 92, 'pg_restore: error: unsupported version (1.16) in file header\n')).toMatchObject({
      why: 'pg_restore: error: unsupported version (1.16) in file header',
    });
    expect(parse('', 90)).toEqual({ state: 'absent' });
    expect(parse('\n')).toEqual({
      state: 'value',
      value: { format: 'custom', damage: null, server: null, client: null, grantees: [] },
    });
  });

  test('reads a plain one, says what is wrong with it, and leaves the roles of a big one open', () => {
    const plain = 'format=plain\nfrom database=15\nby pg_dump=15';
    expect(parse(`${plain}\n\n-- Name: TABLE t; Type: ACL\n\nGRANT SELECT ON TABLE public.t TO reader;\n`)).toMatchObject({
      value: { format: 'plain', damage: null, server: 15, grantees: ['reader'] },
    });
    expect(parse(`${plain}\n\n`, 65, 'it was cut\n')).toMatchObject({ value: { damage: 'it was cut', grantees: null } });
    expect(parse(`${plain}\ngrants=unread\n\n`)).toMatchObject({ value: { damage: null, grantees: null } });
  });
});

describe('room', () => {
  test('is read with where the file system is mounted, whatever the name of its device', () => {
    expect(parseDf('/dev/sda1 100 40 60 40% /')).toEqual({ bytes: 60 * 1024, mount: '/' });
    expect(parseDf('//server/a share 100 40 60 40% /mnt/my disk')).toEqual({ bytes: 60 * 1024, mount: '/mnt/my disk' });
    expect(parseDf('none 0 0 0 - /proc')).toEqual({ bytes: 0, mount: '/proc' });
    expect(parseDf('df: no such file')).toBe(null);
  });

  test('of a cluster is that of its data and of its log, which may be elsewhere', () => {
    const stdout = '/data\n1073741824\n/dev/a 9 9 5 9% /data\n/dev/b 9 9 7 9% /wal\n';
    expect(pgRoom.definition.parse(answer(stdout), 5432)).toEqual({
      state: 'value',
      value: {
        directory: '/data',
        data: { bytes: 5120, mount: '/data' },
        wal: { bytes: 7168, mount: '/wal' },
        maxWalBytes: 1_073_741_824,
      },
    });
    expect(pgRoom.definition.parse(answer('/d\n\n/dev/a 9 9 5 9% /\n/dev/a 9 9 5 9% /\n'), 5432)).toMatchObject({
      value: { maxWalBytes: null },
    });
    expect(pgRoom.definition.parse(answer('/d\n\n'), 5432)).toMatchObject({ state: 'unreadable' });
  });

  test('where no cluster is, is that of where one would be', () => {
    expect(readHere(pgRoom(1).on('here'))).toMatchObject({ state: 'value', value: { maxWalBytes: null } });
  });

  test('that a tree takes counts all in it and follows no link', () =>
    withFolder((folder) => {
      mkdirSync(join(folder, 'tree'));
      writeFileSync(join(folder, 'tree', 'a'), 'x'.repeat(100_000));
      symlinkSync('/usr', join(folder, 'tree', 'link'));
      const found = readHere(treeSize(join(folder, 'tree')).on('here'));
      expect(found.state === 'value' && found.value >= 100_000 && found.value < 200_000).toBe(true);
      expect(readHere(treeSize(join(folder, 'none')).on('here'))).toEqual({ state: 'absent' });
    }));
});

describe('runLease', () => {
  test('is absent on a free host, else who has it', () => {
    expect(runLease.definition.parse(answer(''))).toEqual({ state: 'absent' });
    expect(runLease.definition.parse(answer('r-1 root@admin1 2026-01-01T02:00:00Z\n'))).toEqual({
      state: 'value',
      value: { run: 'r-1', holder: 'root@admin1', since: '2026-01-01T02:00:00Z' },
    });
  });
});

describe.runIf(process.getuid?.() === 0)('hostClock', () => {
  const here = new Machine(localSettings, new LocalTransport(localSettings));
  const read = async () => (await readFacts(here, [treeSize('/nowhere').on('here'), hostClock().on('here')]))[1];
  const of = (found: unknown) => (found as { value: { aheadMs: number; withinMs: number } }).value;

  test('is told by the batch that reads the other facts: none where both clocks are one', async () => {
    const { aheadMs, withinMs } = of(await read());
    expect(Math.abs(aheadMs)).toBeLessThanOrEqual(withinMs);
  });

  test('is ahead when ours is late, and behind when ours is early', async () => {
    const real = Date.now.bind(Date);
    for (const by of [-60_000, 60_000]) {
      const clock = vi.spyOn(Date, 'now').mockImplementation(() => real() + by);
      const { aheadMs, withinMs } = of(await read().finally(() => clock.mockRestore()));
      expect(Math.abs(aheadMs + by)).toBeLessThanOrEqual(withinMs);
    }
  });
});

describe('addresses', () => {
  // /proc/net/fib_trie and if_inet6, as the reader greps and cuts them.
  const tables = `           |-- 127.0.0.0
              /8 host LOCAL
              /32 host LOCAL
           |-- 127.255.255.255
        |-- 192.0.2.0
           |-- 192.0.2.2
              /32 host LOCAL
           |-- 192.0.2.255
00000000000000000000000000000001
20010db8000000000000000000000002
`;

  test('of a host are those it has itself, loopback ones and its networks left out', () => {
    expect(ownAddresses.definition.parse(answer(tables))).toEqual({
      state: 'value',
      value: ['192.0.2.2', '2001:0db8:0000:0000:0000:0000:0000:0002'],
    });
    expect(ownAddresses.definition.parse(answer(''))).toMatchObject({ state: 'unreadable' });
  });

  test('of this machine are the ones node knows', () => {
    const known = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter(({ internal }) => !internal));
    const own = readHere(ownAddresses().on('here'));
    for (const { address } of known.filter(({ family }) => family === 'IPv4'))
      expect(own).toMatchObject({ value: expect.arrayContaining([address]) });
  });

  test('a name means what the programs of the host take it for', () => {
    expect(readHere(resolvedName('127.0.0.1').on('here'))).toEqual({ state: 'value', value: ['127.0.0.1'] });
    expect(readHere(resolvedName('no-such-name.invalid').on('here'))).toEqual({ state: 'absent' });
    expect(resolvedName.definition.parse(answer('fe80::1%eth0  STREAM x\nfe80::1%eth0  DGRAM\n'), 'x')).toEqual({
      state: 'value',
      value: ['fe80::1'],
    });
    expect(resolvedName.definition.parse(answer('', { code: 127, stderr: 'sh: getent: not found' }), 'x')).toMatchObject({
      state: 'unreadable',
    });
  });
});
