import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HostSettings } from '../../src/inventory/inventory.ts';
import { poll } from '../../src/lib/clock.ts';
import { JumpHosts } from '../../src/transports/jump-hosts.ts';
import { KeyRing } from '../../src/transports/key-ring.ts';
import { type SshShared, sshConnect } from '../../src/transports/ssh-connect.ts';
import { SmallSshd } from '../kit/small-sshd.ts';
import { SshKeys } from '../kit/ssh-keys.ts';

const keys = new SshKeys();
afterAll(() => keys.remove());
const [hostKey, login] = [keys.make(), keys.make()];
const knownHosts = join(keys.folder, 'known_hosts');

let [gate, target]: SmallSshd[] = [];
let hop: HostSettings;
let behind: (name: string) => HostSettings;
let shared: SshShared;
beforeEach(async () => {
  [gate, target] = [new SmallSshd(hostKey, knownHosts), new SmallSshd(hostKey, knownHosts)];
  const [gatePort, targetPort] = [await gate.listen(), await target.listen()];
  const host = (name: string, port: number): HostSettings => ({
    name,
    hostName: '127.0.0.1',
    port,
    user: 'me',
    address: name,
    identityFiles: [login],
    agent: null,
    knownHostsFiles: [knownHosts],
    connection: 'ssh',
  });
  hop = host('gate', gatePort);
  behind = (name) => ({ ...host(name, targetPort), via: { ...hop } });
  shared = { keys: new KeyRing(), jumpHosts: new JumpHosts() };
});
afterEach(() => {
  gate?.close();
  target?.close();
});
const reach = (settings: HostSettings) => sshConnect(settings, 10_000, shared);
const count = (sshd: SmallSshd | undefined) => sshd?.logins.length;
const becomes = (sshd: SmallSshd | undefined, wanted: number) =>
  poll(async () => count(sshd) === wanted || undefined, { timeoutMs: 10_000 });

describe('a jump host', () => {
  it('is logged in to once, however many go through it at once, and let go after the last of them', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => void warnings.push(warning);
    process.on('warning', warn);
    const names = Array.from({ length: 20 }, (_, index) => `db${index}`);
    const connections = await Promise.all(names.map((name) => reach(behind(name))));
    expect([count(gate), count(target)]).toEqual([1, 20]);
    for (const { client } of connections.slice(1)) client.end();
    expect(await becomes(target, 1)).toBe(true);
    expect(count(gate)).toBe(1);
    connections[0]?.client.end();
    expect(await becomes(gate, 0)).toBe(true);
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });

  it('is logged in to anew when its connection was lost', async () => {
    const first = await reach(behind('db1'));
    const lost = new Promise((resolve) => first.client.once('close', () => resolve(undefined)));
    gate?.logins[0]?.end();
    await lost;
    const second = await reach(behind('db1'));
    expect(count(gate)).toBe(1);
    second.client.end();
  });

  it('that cannot be entered fails all who wait for it, by its name and theirs, and is tried again for the next', async () => {
    const away = (name: string): HostSettings => ({ ...behind(name), via: { ...hop, identityFiles: ['/nowhere'] } });
    const failed = await Promise.allSettled([reach(away('db1')), reach(away('db2'))]);
    expect(failed.map((one) => one.status === 'rejected' && (one.reason as Error).message)).toEqual([
      'The private key /nowhere for gate, the jump host of db1, cannot be used: no such file.',
      'The private key /nowhere for gate, the jump host of db2, cannot be used: no such file.',
    ]);
    const connection = await reach(behind('db1'));
    connection.client.end();
  });

  it('behind another is reached through that one, and an error far out names the machine it is about', async () => {
    const inner = { ...behind('inner') };
    const connection = await reach({ ...behind('db'), via: inner });
    expect([count(gate), count(target)]).toEqual([1, 2]);
    connection.client.end();
    expect(await becomes(gate, 0)).toBe(true);
    await expect(reach({ ...behind('db'), via: { ...inner, via: { ...hop, port: 1 } } })).rejects.toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: expect.stringMatching(/^gate, the jump host of inner, \(127.0.0.1 port 1\) cannot be reached/),
    });
  });

  it('that does not get through is told apart from one that is away', async () => {
    await expect(reach({ ...behind('db'), port: 1 })).rejects.toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: expect.stringMatching(/^db \(127.0.0.1 port 1\) cannot be reached: its jump host gate does not get through/),
      hint: expect.stringContaining(`ssh -J me@127.0.0.1:${hop.port} -p 1 127.0.0.1`),
    });
    expect(await becomes(gate, 0)).toBe(true);
  });
});
