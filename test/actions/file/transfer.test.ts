import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import transfer from '../../../src/actions/file/transfer.ts';
import {
  authorizeScript,
  copyScript,
  parseSent,
  placeScript,
  placesOf,
  receiveScript,
  revokeScript,
  sendScript,
} from '../../../src/actions/file/transfer-scripts.ts';
import { diskFree } from '../../../src/facts/disk-free.ts';
import { type FileStat, fileStat } from '../../../src/facts/file-stat.ts';
import { fileTime } from '../../../src/facts/file-time.ts';
import { type SshReach, sshReach } from '../../../src/facts/ssh-reach.ts';
import { endReceivers } from '../../../src/hosts/authorized-keys.ts';
import { sh } from '../../../src/hosts/sh.ts';
import { quote } from '../../../src/lib/quote.ts';
import { factOf, siteOf } from '../../kit/facts.ts';
import { localHost } from '../../kit/local-host.ts';
import { withFolder } from '../../kit/read-here.ts';
import { soon } from '../../kit/soon.ts';

const file: FileStat = { type: 'file', mode: '0600', owner: 'root', group: 'root', sizeBytes: 5_000_000 };
const reaches: SshReach = { client: true, answers: true, addresses: ['192.0.2.1'] };

interface State {
  source?: FileStat | undefined;
  there?: FileStat | undefined;
  times?: ({ sizeBytes: number; changedAtS: number } | undefined)[];
  free?: number;
  reach?: SshReach;
}

function plan(
  { source = file, there, times = [undefined, undefined], free = 1e12, reach = reaches }: State,
  absentSource = false,
) {
  const params = transfer.params.parse({ from: { host: 'old', path: '/a' }, path: '/b' });
  const facts = {
    source: factOf(fileStat('/a').on('old'), absentSource ? undefined : source),
    there: factOf(fileStat('/b').on('new'), there),
    times: [factOf(fileTime('/a').on('old'), times[0]), factOf(fileTime('/b').on('new'), times[1])],
    free: factOf(diskFree('/b').on('new'), { mount: '/', bytes: free }),
    folders: [
      factOf(fileStat('/').on('new'), { type: 'folder' as const, mode: '0755', owner: 'root', group: 'root', sizeBytes: null }),
    ],
    reach: [factOf(sshReach('new.example.com', 22).on('old'), reach)],
  };
  return transfer.plan(params, facts, siteOf('new'));
}

describe('planning file.transfer', () => {
  test('size, undo and both hosts are known before', () => {
    expect(plan({})).toMatchObject({
      kind: 'change',
      summary: '/b from old, 5.0 MB, 0600, hashed',
      bytes: 5_000_000,
      undo: { path: '/b', source: 'old', folders: [] },
      outputs: { path: '/b', bytes: 5_000_000 },
      data: { addresses: ['192.0.2.1'] },
    });
    expect(transfer.roles?.(transfer.params.parse({ from: { host: 'old', path: '/a' }, path: '/b' }))).toEqual(['old']);
  });

  test('too little space, no way between the hosts, no client and no source each block with what to do', () => {
    expect(plan({ free: 1_000_000 })).toMatchObject({
      kind: 'blocked',
      summary: '/b on new needs 5.0 MB and 1 MB to spare, and there are 1.0 MB free',
    });
    expect(plan({ reach: { ...reaches, answers: false } })).toMatchObject({
      kind: 'blocked',
      summary: expect.stringContaining('new.example.com port 22'),
    });
    expect(plan({ reach: { ...reaches, client: false } })).toMatchObject({
      kind: 'blocked',
      hint: expect.stringContaining('openssh-client'),
    });
    expect(plan({}, true)).toMatchObject({ kind: 'blocked', summary: '/a is not there on old' });
    expect(plan({ source: { ...file, type: 'folder' } })).toMatchObject({ kind: 'blocked' });
  });

  test('a file of the same size and time is the copy; any other in the way blocks', () => {
    const time = { sizeBytes: 5, changedAtS: 7 };
    expect(plan({ there: file, times: [time, time] })).toMatchObject({ kind: 'no-change', outputs: { bytes: 5 } });
    expect(plan({ there: file, times: [time, { ...time, changedAtS: 8 }] })).toMatchObject({ kind: 'blocked' });
    expect(plan({ there: file })).toMatchObject({ kind: 'blocked' });
  });

  test('a file an earlier step is going to make has no size yet', () => {
    expect(plan({ source: { ...file, sizeBytes: null }, free: 0 })).toMatchObject({
      kind: 'change',
      summary: '/b from old, 0600, hashed',
    });
  });
});

describe('the scripts of a transfer', () => {
  test('what is received is whole under another name, with its hash', () =>
    withFolder(async (dir) => {
      const sent = await localHost().run(receiveScript(`${dir}/b`), { stdin: 'hello' });
      expect(sent.stdout).toBe('received 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 5\n');
      expect(readdirSync(dir)).toEqual(['b.ferry-part']);
      await localHost().change('place', placeScript(`${dir}/b`, { mode: '0640', owner: 'root', group: 'root' }, 1_000_000));
      const stat = statSync(`${dir}/b`);
      expect([readdirSync(dir), stat.mode & 0o777, stat.mtimeMs]).toEqual([['b'], 0o640, 1e9]);
    }));

  test('a full disk is a failure and leaves nothing', () =>
    withFolder(async (dir) => {
      // /dev/full takes no byte, as a full disk does.
      const script = { text: receiveScript(`${dir}/b`).text.replace('tee -- "$p"', 'tee -- /dev/full') };
      const result = await localHost().run(script as never, { stdin: 'hello' });
      expect([result.code, result.stdout, readdirSync(dir)]).toEqual([74, '', []]);
    }));

  test('a receiver of a former attempt that ends late makes no whole file of one that a full disk cut', () =>
    withFolder(async (dir) => {
      // It still hangs on a connection of which only the other end knows that it is cut.
      const late = spawn('sh', ['-c', receiveScript(`${dir}/b`).text], { stdio: ['pipe', 'ignore', 'ignore'] });
      late.stdin.write('hel');
      await soon(() => expect(existsSync(`${dir}/b.ferry-part`)).toBe(true));
      const full = `true >${dir}/begun; while [ ! -e ${dir}/late-is-over ]; do sleep 0.05; done; cat >${dir}/b.ferry-part; echo x >/dev/full`;
      const script = { text: receiveScript(`${dir}/b`).text.replace('tee -- "$p"', `sh -c ${quote(full)}`) };
      const now = localHost().run(script as never, { stdin: 'hello' });
      await soon(() => expect(existsSync(`${dir}/begun`)).toBe(true));
      late.stdin.end();
      await new Promise((resolve) => late.on('close', resolve));
      writeFileSync(`${dir}/late-is-over`, '');
      expect(await now).toMatchObject({ code: 74, stdout: '' });
    }));

  test('a receiver that still runs is ended before the next attempt begins, and whenever a transfer is cleaned up', () =>
    withFolder(async (dir) => {
      const places = (attempt: number) => {
        const { folder, parent, ...rest } = placesOf({ run: 'r-1', step: `copy${process.pid}`, attempt });
        return { ...rest, folder: dir + folder, parent: dir + parent };
      };
      const begin = async (attempt: number) => {
        const { folder, parent } = places(attempt);
        mkdirSync(folder, { recursive: true });
        writeFileSync(`${folder}/receive`, receiveScript(`${dir}/b`, parent).text);
        const receiver = spawn('sh', [`${folder}/receive`], { stdio: ['pipe', 'ignore', 'ignore'] });
        const closed = new Promise((resolve) => receiver.on('close', resolve));
        receiver.stdin.on('error', () => undefined);
        receiver.stdin.write('hel');
        await soon(() => expect(readFileSync(`${dir}/b.ferry-part`, 'utf8')).toBe('hel'));
        return { receiver, closed };
      };
      const first = await begin(1);
      await localHost().change('end', endReceivers(places(2).parent));
      await first.closed;
      expect(first.receiver.signalCode).toBe('SIGKILL');
      // One of another step is none of its own.
      const second = await begin(2);
      await localHost().change('others', endReceivers(`${places(2).parent}x`));
      expect(second.receiver.exitCode).toBe(null);
      expect(second.receiver.signalCode).toBe(null);
      for (const script of [revokeScript(places(3), 'root'), authorizeScript(places(3), 'root', 'ssh-ed25519 A', [], '/b', [])])
        expect(script.text).toContain(endReceivers(places(3).parent).text);
      await localHost().change('end-2', endReceivers(places(3).parent));
      await second.closed;
      // What was let in and begins only now finds nothing to run.
      rmSync(places(2).folder, { recursive: true });
      expect((await localHost().run(sh`sh ${`${places(2).folder}/receive`}`)).code).not.toBe(0);
    }));

  test('what came to stand at the destination meanwhile is not written over', () =>
    withFolder(async (dir) => {
      writeFileSync(`${dir}/b.ferry-part`, 'new');
      writeFileSync(`${dir}/b`, 'theirs');
      const place = placeScript(`${dir}/b`, { mode: '0600', owner: 'root', group: 'root' }, 0);
      await expect(localHost().change('place', place)).rejects.toMatchObject({ code: 'COMMAND_FAILED', args: { code: 17 } });
      expect(readFileSync(`${dir}/b`, 'utf8')).toBe('theirs');
    }));

  test('on one machine the file is copied and hashed', () =>
    withFolder(async (dir) => {
      writeFileSync(`${dir}/a`, 'hello');
      const { stdout } = await localHost().run(copyScript(`${dir}/a`, `${dir}/b`, []));
      expect(parseSent(stdout)).toMatchObject({ sha256: expect.stringMatching(/^2cf24dba/), bytes: 5 });
      expect(existsSync(`${dir}/b`)).toBe(false);
    }));

  test('the key may do one thing from one place', () => {
    const text = authorizeScript(
      placesOf({ run: 'r-1', step: 'copy', attempt: 1 }),
      'admin',
      'ssh-ed25519 AAAA x',
      ['192.0.2.1', '::1'],
      '/b',
      [],
    ).text;
    expect(text).toContain('restrict,from="%s",command="%s",expiry-time="%s"');
    expect(text).toContain("192.0.2.1,::1 'sudo -n /bin/sh /run/ferry/r-1/transfer/copy/1/receive'");
  });

  test('the destination is pinned and no configuration of the source user takes part', () => {
    const text = sendScript(
      placesOf({ run: 'r-1', step: 'copy', attempt: 1 }),
      '/a',
      { user: 'root', address: '-x', port: 22 },
      'ssh-rsa',
    ).text;
    for (const part of [
      '-F /dev/null',
      "'StrictHostKeyChecking=yes'",
      "'HostKeyAlgorithms=rsa-sha2-512,rsa-sha2-256'",
      '-- -x receive',
    ])
      expect(text).toContain(part);
  });
});
