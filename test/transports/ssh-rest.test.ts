import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JumpHosts } from '../../src/transports/jump-hosts.ts';
import { KeyRing } from '../../src/transports/key-ring.ts';
import { SshTransport } from '../../src/transports/ssh.ts';
import { SmallSshd } from '../kit/small-sshd.ts';
import { SshKeys } from '../kit/ssh-keys.ts';

const keys = new SshKeys();
afterAll(() => keys.remove());
const [hostKey, login] = [keys.make(), keys.make()];
const knownHosts = join(keys.folder, 'known_hosts');

let sshd: SmallSshd;
let transport: SshTransport;
beforeEach(async () => {
  sshd = new SmallSshd(hostKey, knownHosts);
  const at = { name: 'one', hostName: '127.0.0.1', port: await sshd.listen(), user: 'root', address: 'one' };
  const how = { identityFiles: [login], agent: null, knownHostsFiles: [knownHosts], connection: 'ssh' as const };
  transport = new SshTransport({ ...at, ...how }, { keys: new KeyRing(), jumpHosts: new JumpHosts() });
});
afterEach(async () => {
  await transport.close();
  sshd.close();
});

const say = async (words: string) => (await transport.exec(`echo ${words}`, { timeoutMs: 10_000 })).stdout;

describe('a connection that is put to rest', () => {
  it('is closed, and another is opened when it is needed: one at a time', async () => {
    expect(await say('before')).toBe('before\n');
    expect(sshd.logins).toHaveLength(1);
    transport.rest();
    await expect.poll(() => sshd.logins.length).toBe(0);
    transport.rest();
    expect(await Promise.all([say('after'), say('and'), say('beside')])).toEqual(['after\n', 'and\n', 'beside\n']);
    expect(sshd.logins).toHaveLength(1);
  });

  it('does not take its successor with it when its end is seen late', async () => {
    await say('before');
    transport.rest();
    // At once, before the server has said that the first is closed.
    expect(await say('at once')).toBe('at once\n');
    await expect.poll(() => sshd.logins.length).toBe(1);
    expect(await say('still')).toBe('still\n');
    expect(sshd.logins).toHaveLength(1);
  });

  it('stays while something goes through it', async () => {
    const slow = transport.exec('read line; echo "$line"', { stdin: Buffer.from('heard\n'), timeoutMs: 10_000 });
    transport.rest();
    expect(sshd.logins.length).toBeLessThanOrEqual(1);
    expect((await slow).stdout).toBe('heard\n');
    const long = transport.exec('sleep 0.3; echo done', { timeoutMs: 10_000 });
    await expect.poll(() => sshd.logins.length).toBe(1);
    transport.rest();
    expect((await long).stdout).toBe('done\n');
  });
});
