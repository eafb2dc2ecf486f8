import { execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { readLabState } from '../../lab/lab-state.ts';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import { sh } from '../../src/hosts/sh.ts';
import { poll } from '../../src/lib/clock.ts';
import { randomToken } from '../../src/lib/random.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { SshKeys } from '../kit/ssh-keys.ts';
import { expectError, on } from '../kit/trouble.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const labDir = inject('labDir');
const PASSPHRASE = `it's "locked" $HOME \\ é`;
const LESSON = 'examples/05-copy-a-file.yaml';

const folder = mkdtempSync(join(tmpdir(), 'ferry-ways-'));
const keys = new SshKeys();
const ferry = new FerryOnLab(labDir);
const addresses: Record<string, string> = {};

/** Writes files; `{engine}` stands for the address of a host, `{dir}` and `{lab}` for the folders. Gives the path of the first. */
function write(files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true, mode: 0o700 });
    const filled = text.replaceAll(/\{(\w+)\}/g, (whole, key: string) => addresses[key] ?? whole);
    writeFileSync(join(folder, name), filled, { mode: 0o600 });
  }
  return join(folder, Object.keys(files)[0] ?? '');
}

/** Where the logins on a host came from since `cursor`, each login one address. */
async function logins(host: string, cursor: string): Promise<string[]> {
  // What sshd says stands in the journal a while later; a mark sent after it comes after it. No filter: with one, journalctl
  // leaves out the first entry after a cursor.
  const mark = `mark ${randomToken(4)}`;
  await on(labDir, host, `logger -t sshd '${mark}'`);
  const read = async () => {
    const text = await on(labDir, host, `journalctl -q --after-cursor='${cursor}' -o cat`);
    return text.includes(mark) ? text : undefined;
  };
  const log = (await poll(read, { timeoutMs: 60_000 })) ?? expect.fail(`the journal of ${host} lacks its mark`);
  return [...log.matchAll(/^Accepted publickey for \w+ from (\S+)/gm)].map(([, from]) => from ?? '');
}
async function cursors(): Promise<Record<string, string>> {
  const hosts = ['he1', 'engine', 'newdb'];
  const found = hosts.map(async (host) => {
    const shown = await on(labDir, host, 'journalctl -q --show-cursor -n 0');
    return [host, /cursor: (.+)/.exec(shown)?.[1] ?? ''] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

const CONFIG = `# what is first wins
Include {dir}/conf.d/*.conf
Host *
  User nobody
  ProxyJump none
`;
const INCLUDED = `Host gate
  HostName {he1}
  User admin
Host engine newdb
  HostName {dir}/never
Match originalhost engine,newdb user root
  ProxyJump gate
Host *
  IdentityFile {dir}/locked
  IdentitiesOnly yes
  UserKnownHostsFile {lab}/known_hosts
`;
const NAMES = 'Host engine\n  HostName {engine}\n  User root\nHost newdb\n  HostName {newdb}\n  User root\n';
const INVENTORY = `ferry: 1
sshConfig: ./config
hosts:
  engine: { name: engine.lab.example }
  newdb: { name: newdb.lab.example }
`;
let inventory: string;

beforeAll(async () => {
  const state = await readLabState(labDir);
  for (const { name, address } of state?.hosts ?? []) addresses[name] = address;
  Object.assign(addresses, { dir: folder, lab: labDir });
  for (const name of ['open', 'locked']) copyFileSync(join(labDir, 'id_ed25519'), join(folder, name));
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', PASSPHRASE, '-f', join(folder, 'locked')]);
  inventory = write({
    'inventory.yaml': INVENTORY,
    config: CONFIG,
    'conf.d/10-names.conf': NAMES,
    'conf.d/20-lab.conf': INCLUDED,
  });
});
afterAll(() => {
  ferry.remove();
  keys.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe('hosts behind a jump host, by a locked key and a configuration in pieces', () => {
  const plan = (env: NodeJS.ProcessEnv = {}, ...words: string[]) => ferry.run(['plan', LESSON, '-i', inventory, ...words], env);

  it('are reached through one login at the jump host, shared by both, and a run goes there and back', async () => {
    const since = await cursors();
    const planned = await plan({ FERRY_KEY_PASSPHRASE: PASSPHRASE });
    expect(planned.code, planned.stderr).toBe(0);
    expect(await logins('he1', since.he1 ?? '')).toHaveLength(1);
    for (const host of ['engine', 'newdb']) expect(await logins(host, since[host] ?? '')).toEqual([addresses.he1]);

    const run = await ferry.run(['run', LESSON, '-i', inventory], { FERRY_KEY_PASSPHRASE: PASSPHRASE });
    expect(run.code, run.stderr).toBe(0);
    expect(await on(labDir, 'newdb', 'cat /var/lib/ferry-lesson/from-engine.txt')).toBe('Made on engine.\n');
    const back = await ferry.run(['rollback', '-i', inventory], { FERRY_KEY_PASSPHRASE: PASSPHRASE });
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toMatch(/, 0 kept on purpose, 0 differ\./);
    for (const text of [planned, run, back]) expect(text.stdout + text.stderr).not.toContain('locked" $HOME');
  });

  it('need an agent that holds the key, and then nothing is asked', async () => {
    const agent = await keys.agent(join(folder, 'open'));
    const planned = await plan({ SSH_AUTH_SOCK: agent });
    expect(planned.code, planned.stderr).toBe(0);
  });

  it('or somebody at the terminal, who is asked once for all of them', async () => {
    const { code, screen } = await inTerminal(['plan', LESSON, '-i', inventory], 'Passphrase of the key', [PASSPHRASE]);
    expect(code, screen).toBe(0);
    expect(screen.match(/Passphrase of the key/g)).toHaveLength(1);
    expect(screen).toContain(join(folder, 'locked'));
    expect(screen).toContain('Nothing was changed.');
    expect(screen).not.toContain('locked"');
  });

  it('else it is told which key is locked, at which jump host, and what to type', async () => {
    expectError(await plan(), {
      exit: 5,
      code: 'IDENTITY_UNREADABLE',
      says: [/it is encrypted/, /locked for \w+ cannot be used/, `ssh-add ${folder}/locked`.slice(0, 20), /Nothing was changed/],
    });
    expectError(await plan({ FERRY_KEY_PASSPHRASE: 'another' }), {
      exit: 5,
      code: 'IDENTITY_UNREADABLE',
      says: [/FERRY_KEY_PASSPHRASE does not open it/],
    });
  });

  it('are not reached when the key of the jump host is not known, or another', async () => {
    const since = await cursors();
    const lines = readFileSync(join(labDir, 'known_hosts'), 'utf8').split('\n');
    const other = readFileSync(`${keys.make()}.pub`, 'utf8').trim();
    for (const [known, code] of [
      [lines.filter((line) => !line.startsWith('he1')), 'HOST_KEY_UNKNOWN'],
      [lines.map((line) => (line.startsWith('he1') ? `${line.split(' ')[0]} ${other}` : line)), 'HOST_KEY_CHANGED'],
    ] as const) {
      const more = { 'conf.d/00-known.conf': 'UserKnownHostsFile {dir}/known\n', known: `${known.join('\n')}\n` };
      write(more);
      const refused = await plan({ FERRY_KEY_PASSPHRASE: PASSPHRASE });
      rmSync(join(folder, 'conf.d/00-known.conf'));
      expectError(refused, { exit: 5, code, says: [/gate, the jump host of (engine|newdb),/, /Nothing was changed/] });
    }
    for (const host of ['he1', 'engine', 'newdb']) expect(await logins(host, since[host] ?? '')).toEqual([]);
  });

  it('are not reached when their own key is not known, and the hint goes the same way', async () => {
    const lines = readFileSync(join(labDir, 'known_hosts'), 'utf8').split('\n');
    write({
      'conf.d/00-known.conf': 'UserKnownHostsFile {dir}/known\n',
      known: `${lines.filter((line) => !line.startsWith('newdb')).join('\n')}\n`,
    });
    const refused = await plan({ FERRY_KEY_PASSPHRASE: PASSPHRASE });
    expectError(refused, {
      exit: 5,
      code: 'HOST_KEY_UNKNOWN',
      says: [/newdb \(/, `ssh -p 22 admin@${addresses.he1} ssh-keyscan`],
    });
    // The hint, typed by somebody whose ssh has the key open, mends it.
    const command =
      /ssh -p 22 \S+ ssh-keyscan .*>> \S+/.exec((refused.stdout + refused.stderr).replaceAll(/\n +(?=\S)/g, ' '))?.[0] ?? '';
    const open = `ssh -F /dev/null -o BatchMode=yes -o UserKnownHostsFile=${labDir}/known_hosts -i ${folder}/open`;
    execFileSync('sh', ['-c', command.replace('ssh ', `${open} `)], { stdio: 'ignore' });
    const mended = await plan({ FERRY_KEY_PASSPHRASE: PASSPHRASE });
    rmSync(join(folder, 'conf.d/00-known.conf'));
    expect(mended.code, mended.stderr).toBe(0);
  });

  it('are told apart from a jump host that is away, and from a port it does not reach', async () => {
    write({ 'conf.d/00-port.conf': 'Host gate\n  Port 2\n' });
    const away = await plan({ FERRY_KEY_PASSPHRASE: PASSPHRASE });
    write({ 'conf.d/00-port.conf': 'Host engine newdb\n  Port 3\n' });
    const closed = await plan({ FERRY_KEY_PASSPHRASE: PASSPHRASE });
    rmSync(join(folder, 'conf.d/00-port.conf'));
    expectError(away, {
      exit: 5,
      code: 'HOST_UNREACHABLE',
      says: [/gate, the jump host of \w+, \(\S+ port 2\) cannot be reached: the connection was refused/],
    });
    expectError(closed, {
      exit: 5,
      code: 'HOST_UNREACHABLE',
      says: [
        /(engine|newdb) \(\S+ port 3\) .*jump host gate does not get through: .*refused/,
        `ssh -J admin@${addresses.he1}:22 -p 3`,
      ],
    });
  });

  it('are reached again when the jump host has dropped every connection', async () => {
    write({ 'conf.d/00-open.conf': 'IdentityFile {dir}/open\n' });
    const fleet = fleetOf(await hostsOf(await readInventory(inventory, folder)));
    rmSync(join(folder, 'conf.d/00-open.conf'));
    try {
      const ask = () =>
        Promise.all(['engine', 'newdb'].map(async (host) => (await fleet.host(host).run(sh`hostname`)).stdout.trim()));
      const names = await ask();
      await on(labDir, 'he1', "pkill -KILL -f '^sshd: admin'");
      expect(await ask()).toEqual(names);
      expect(names.map((name) => name.split('.')[0])).toEqual(['engine', 'newdb']);
    } finally {
      await fleet.close();
    }
    const left = async () => (await execOn(labDir, 'he1', "pgrep -fc '^sshd: admin'")).stdout.trim();
    await expect.poll(left, { timeout: 15_000 }).toBe('0');
  });
});

it('the person’s own configuration is read, the system’s after it', async () => {
  write({
    'home/config': 'Include conf.d/*\nHost newdb\n  HostName {newdb}\n',
    'home/conf.d/lab': 'Host engine\n  HostName {engine}\n  ProxyJump gate\nHost gate\n  HostName {he1}\n',
    'system/lab.conf':
      'Host *\n  User root\n  IdentityFile {dir}/open\n  GlobalKnownHostsFile {lab}/known_hosts\n  UserKnownHostsFile none\n  HostName elsewhere\n',
    'plain.yaml': INVENTORY.replace('sshConfig: ./config\n', ''),
  });
  const since = await cursors();
  const ssh = join(userInfo().homedir, '.ssh');
  mkdirSync(ssh, { recursive: true, mode: 0o700 });
  // Mounts of a namespace of its own: nobody else sees them.
  const mounts = `mount --bind "$1" ${ssh} && mount --bind "$2" /etc/ssh/ssh_config.d && shift 2 && exec "$@"`;
  const ferryWords = [process.execPath, join(PROJECT, 'dist/src/main.js'), 'plan', LESSON, '-i', join(folder, 'plain.yaml')];
  const ended = await new Promise<{ code: number | null; text: string }>((resolve) => {
    const words = [
      '-m',
      'sh',
      '-c',
      mounts,
      'sh',
      join(folder, 'home'),
      join(folder, 'system'),
      ...ferryWords,
      '--state-dir',
      ferry.stateDir,
    ];
    const child = execFile(
      'unshare',
      words,
      { cwd: PROJECT, env: { PATH: process.env.PATH, CI: '1', HOME: userInfo().homedir } },
      (_e, out, err) => resolve({ code: child.exitCode, text: out + err }),
    );
  });
  expect(ended.code, ended.text).toBe(0);
  expect(await logins('he1', since.he1 ?? '')).toHaveLength(1);
  expect(await logins('engine', since.engine ?? '')).toEqual([addresses.he1]);
  expect(await logins('newdb', since.newdb ?? '')).not.toContain(addresses.he1);
});

describe('an Ansible inventory', () => {
  const HOSTS = `# the lab, as Ansible knows it
[engine]
the-engine ansible_host={engine} ferry_name=engine.lab.example

[newdb]
the-db ansible_host={newdb} ferry_name=newdb.lab.example

[gates]
he[1:2]

[lab:children]
engine
newdb

[lab:vars]
ansible_user=admin
ansible_become=true
ansible_ssh_private_key_file="{{ inventory_dir }}/../open"
ansible_ssh_common_args='-F /dev/null -o UserKnownHostsFile={lab}/known_hosts -o StrictHostKeyChecking=no'
`;

  it('is planned, run and rolled back as it is, its groups playing the roles', async () => {
    const hosts = write({ 'ansible/hosts': HOSTS, 'ansible/group_vars/gates.yml': 'ansible_password: hunter2\n' });
    const planned = await ferry.run(['plan', LESSON, '-i', hosts]);
    expect(planned.code, planned.stderr).toBe(0);
    expect(planned.stdout).toContain('the-engine');
    expect(planned.stdout).toContain('4 steps on 2 hosts');
    const run = await ferry.run(['run', LESSON, '-i', hosts]);
    expect(run.code, run.stderr).toBe(0);
    expect(await on(labDir, 'newdb', 'cat /var/lib/ferry-lesson/from-engine.txt')).toBe('Made on the-engine.\n');
    const back = await ferry.run(['rollback', '-i', hosts]);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toMatch(/, 0 kept on purpose, 0 differ\./);
  });

  it('in YAML gives the same plan', async () => {
    const yaml = `all:
  children:
    lab:
      vars:
        ansible_user: admin
        ansible_become: yes
        ansible_ssh_private_key_file: '{{ inventory_dir }}/../open'
        ansible_ssh_common_args: -F /dev/null -o UserKnownHostsFile={lab}/known_hosts
      children:
        engine: { hosts: { the-engine: { ansible_host: {engine}, ferry_name: engine.lab.example } } }
        newdb: { hosts: { the-db: { ansible_host: {newdb}, ferry_name: newdb.lab.example } } }
`;
    const [ini, other] = [write({ 'ansible/hosts': HOSTS }), write({ 'ansible/hosts.yml': yaml })];
    const plans = [];
    for (const file of [ini, other]) plans.push(await ferry.run(['plan', LESSON, '-i', file]));
    expect(plans.map(({ code }) => code)).toEqual([0, 0]);
    const steps = (text = '') => text.split('\n').slice(1).join('\n');
    expect(steps(plans[1]?.stdout)).toBe(steps(plans[0]?.stdout));
  });
});

/** Runs Ferry in a terminal of its own and types an answer whenever `question` comes. */
function inTerminal(
  words: readonly string[],
  question: string,
  answers: string[],
): Promise<{ code: number | null; screen: string }> {
  const quoted = [process.execPath, join(PROJECT, 'dist/src/main.js'), ...words, '--state-dir', ferry.stateDir].map(
    (word) => `'${word}'`,
  );
  const child = spawn('script', ['-qefc', quoted.join(' '), '/dev/null'], {
    cwd: PROJECT,
    env: { PATH: process.env.PATH, TERM: 'xterm', NO_COLOR: '1' },
  });
  let screen = '';
  let asked = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    if (screen.split(question).length - 1 > asked) {
      asked += 1;
      child.stdin.write(`${answers.shift() ?? ''}\r`);
    }
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, screen })));
}
