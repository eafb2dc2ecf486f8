import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { expectSame, Step } from '../kit/contract.ts';

const labDir = inject('labDir');
const open: Step[] = [];
let fleet: Fleet;
let count = 0;

async function make(name: string, host: string, params: unknown, on: Fleet = fleet): Promise<Step> {
  count += 1;
  const step = await Step.make(on, name, host, params, `r-failures-${process.pid}-${count}`);
  open.push(step);
  return step;
}

/** Plans, intends and applies; gives the error apply threw, and the way back. */
async function failing(step: Step, prepare: () => Promise<unknown> = async () => {}) {
  const change = await step.planChange();
  await step.intend(change);
  await prepare();
  const error = await step.apply(change).then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { code: string; left?: string },
  );
  return { error, rollback: () => step.rollback(change) };
}

const run = async (host: string, script: string) => (await execOn(labDir, host, script)).stdout.trim();

beforeAll(async () => {
  fleet = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
});
afterEach(async () => {
  for (const step of open.splice(0)) await step.release();
});
afterAll(() => fleet.close());

describe('what fails on a host is told in its own words', () => {
  test('a unit that does not start, with its last words, and the one that did', async () => {
    const unit = (name: string, command: string) =>
      `printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=${command}\\n' >/etc/systemd/system/${name}.service`;
    const broken = '/bin/sh -c "echo it broke; exit 3"';
    await run('newdb', `${unit('works', '/bin/true')}; ${unit('breaks', broken)}; systemctl daemon-reload`);
    const step = await make('service.start', 'newdb', { units: ['works', 'breaks'] });
    const before = await step.state();
    const { error, rollback } = await failing(step);
    expect(error).toMatchObject({ code: 'UNITS_FAILED', left: 'On newdb works is running.' });
    expect(error?.message).toContain('breaks.service is failed');
    expect(error?.message).toContain('it broke');
    await rollback();
    expectSame(before, await step.state());
    await run('newdb', 'rm /etc/systemd/system/works.service /etc/systemd/system/breaks.service; systemctl daemon-reload');
  });

  test('a package that does not exist', async () => {
    const { error } = await failing(await make('package.install', 'newdb', { packages: ['no-such-package'], refresh: 'never' }));
    expect(error).toMatchObject({ code: 'PACKAGES_FAILED' });
    expect(error?.message).toContain('Unable to locate package no-such-package');
  });

  test('a hosted-engine whose agent is down', async () => {
    await run('he1', 'systemctl stop ovirt-ha-agent');
    const step = await make('ovirt.maintenance', 'he1', { mode: 'global' });
    await expect(step.plan()).rejects.toThrow(/hosted-engine --vm-status ended with exit code 1: .*exception/);
    await run('he1', 'systemctl start ovirt-ha-agent');
  });
});

describe('file.transfer', () => {
  test('a disk that fills up meanwhile leaves nothing behind', async () => {
    await run('engine', 'head -c 3000000 /dev/urandom >/srv/big');
    await run('newdb', 'mkdir -p /srv/small');
    const step = await make('file.transfer', 'newdb', { from: { host: 'engine', path: '/srv/big' }, path: '/srv/small/big' });
    const { error, rollback } = await failing(step, () => run('newdb', 'mount -t tmpfs -o size=1m none /srv/small'));
    expect(error).toMatchObject({
      code: 'TRANSFER_FAILED',
      left: expect.stringContaining('Nothing is at /srv/small/big on newdb'),
    });
    expect(error?.message).toContain('could not write it all');
    expect(
      await run('newdb', 'ls -A /srv/small; grep ferry: /root/.ssh/authorized_keys; find /run/ferry -type f -name receive'),
    ).toBe('');
    expect(await run('engine', 'find /run/ferry -name key')).toBe('');
    await rollback();
    await run('newdb', 'umount /srv/small; rmdir /srv/small');
  });

  test('too little space is seen before anything is sent', async () => {
    await run('newdb', 'mkdir -p /srv/small; mount -t tmpfs -o size=1m none /srv/small');
    const step = await make('file.transfer', 'newdb', { from: { host: 'engine', path: '/srv/big' }, path: '/srv/small/x/big' });
    expect(await step.plan()).toMatchObject({
      kind: 'blocked',
      summary: '/srv/small/x/big on newdb needs 3.0 MB and 1 MB to spare, and there are 1.0 MB free',
    });
    await run('newdb', 'umount /srv/small; rmdir /srv/small');
  });

  test('the key it makes opens nothing but the way for this file', async () => {
    const step = await make('file.transfer', 'newdb', { from: { host: 'engine', path: '/srv/big' }, path: '/srv/copy' });
    const change = await step.planChange();
    await step.intend(change);
    // Dies after the key was let in and before anything was sent.
    await step.apply(change, 2);
    expect(await run('newdb', 'grep ferry: /root/.ssh/authorized_keys')).toMatch(
      /^restrict,from="[0-9.:a-f,]+",command="\/bin\/sh \/run\/ferry\/\S+\/receive",expiry-time="\d{14}" ssh-ed25519 /,
    );
    await run('engine', 'cp $(find /run/ferry -name key) /srv/stolen');
    const ssh = `ssh -i /srv/stolen -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o BatchMode=yes root@newdb`;
    expect(await run('engine', `${ssh} touch /srv/broken-in </dev/null 2>/dev/null`)).toMatch(/^received e3b0c442\S+ 0$/);
    expect(await run('newdb', 'ls /srv/broken-in 2>/dev/null')).toBe('');
    await step.rollback(change);
    expect(await run('engine', `${ssh} true </dev/null 2>&1`)).toContain('Permission denied');
    expect(await run('engine', 'rm /srv/stolen; find /run/ferry -name key')).toBe('');
    expect(await run('newdb', 'ls -A /srv | grep copy; grep ferry: /root/.ssh/authorized_keys')).toBe('');
  });

  test('the key it makes goes with a run that is given up', async () => {
    const step = await make('file.transfer', 'newdb', { from: { host: 'engine', path: '/srv/big' }, path: '/srv/copy' });
    const change = await step.planChange();
    await step.intend(change);
    const keys = await run('newdb', 'cat /root/.ssh/authorized_keys');
    await step.apply(change, 2);
    expect(await run('newdb', 'grep -c ferry: /root/.ssh/authorized_keys')).toBe('1');
    const id = `r-failures-${process.pid}-${count}`;
    await Promise.all(['newdb', 'engine'].map((host) => fleet.fenceRun(host, id)));
    expect(await run('newdb', 'cat /root/.ssh/authorized_keys; ls -A /root/.ssh | grep ferry')).toBe(keys);
    for (const host of ['newdb', 'engine']) expect(await run(host, 'find /run/ferry -type f')).toBe('');
  });
});

describe('text that a shell or a server would act on', () => {
  const touch = 'touch /srv/canary';
  const hostile = [
    `'; ${touch}; '`,
    `"; ${touch}; "`,
    `$(${touch})`,
    `\`${touch}\``,
    `; ${touch} #`,
    `| ${touch}`,
    `-v x\\! ${touch}`,
    `\\'; ${touch}; \\"`,
    `:'db' :"x" \\! ${touch}`,
    `$$; ${touch}; $$`,
    `%s%n * ~ {a,b} ü🚢\u202e`,
    `x' ; COPY t TO PROGRAM '${touch}`,
  ];
  const named = (index: number) => (hostile[index] ?? '').replaceAll('/', ':').slice(0, 50);

  test('is text to real programs, and comes back as it went', async () => {
    const all = hostile.join('\n');
    const path = `/srv/${named(2)}${named(0)}${named(5)}${named(7)}`;
    const conf = '/srv/hostile.conf';
    await run('newdb', `printf 'A=1\\n' >${conf}`);
    const steps: [action: string, params: unknown, look: string, sees: string][] = [
      ['file.put', { path, content: all }, "find /srv -maxdepth 1 -type f -name '*touch*' -exec cat {} +", all.trim()],
      [
        'config.set',
        { path: conf, set: Object.fromEntries(hostile.map((text, index) => [`K${index}`, text])) },
        `wc -l <${conf}`,
        '13',
      ],
      [
        'command.run',
        { argv: ['sh', '-c', 'for a; do printf "%s\\n" "$a"; done >/srv/argv', 'sh', ...hostile], creates: '/srv/argv' },
        'cat /srv/argv',
        all.trim(),
      ],
      ...[0, 9].flatMap((index): [string, unknown, string, string][] => [
        [
          'postgres.role',
          { name: named(index) },
          `runuser -u postgres -- psql -XAtc "SELECT count(*) FROM pg_roles WHERE rolname ~ 'touch'"`,
          '1',
        ],
      ]),
      ...[1, 8].flatMap((index): [string, unknown, string, string][] => [
        [
          'postgres.database',
          { database: named(index), owner: 'postgres' },
          `runuser -u postgres -- psql -XAtc "SELECT count(*) FROM pg_database WHERE datname ~ 'touch'"`,
          '1',
        ],
      ]),
    ];
    for (const [action, params, look, sees] of steps) {
      const step = await make(action, 'newdb', params);
      const before = await step.state();
      const change = await step.planChange();
      await step.intend(change);
      await step.apply(change);
      await step.verify(change);
      expect(await run('newdb', look), `${action} ${JSON.stringify(params).slice(0, 200)}`).toBe(sees);
      await step.rollback(change);
      expectSame(before, await step.state());
      await step.release();
    }
    for (const host of ['newdb', 'engine']) expect(await run(host, 'find / -xdev -name canary')).toBe('');
    await run('newdb', `rm -f ${conf}`);
  });
});

describe('for a login that is not root', () => {
  let admins: Fleet;
  beforeAll(async () => {
    const path = join(labDir, 'inventory-admin.yaml');
    await writeFile(path, (await readFile(join(labDir, 'inventory.yaml'), 'utf8')).replaceAll('user: root', 'user: admin'));
    admins = fleetOf(await hostsOf(await readInventory(path, labDir)));
    // It stands beside the lab's own, whose key it names; what is not the lab's keeps its folder from going.
    await rm(path);
  });
  afterAll(() => admins.close());

  test('a file goes from host to host all the same, and belongs to root', async () => {
    const step = await make('file.transfer', 'newdb', { from: { host: 'engine', path: '/srv/big' }, path: '/srv/copy' }, admins);
    const before = await step.state();
    const keys = await run(
      'newdb',
      'cat /home/admin/.ssh/authorized_keys; stat -c "%a %U %G" /home/admin/.ssh /home/admin/.ssh/authorized_keys',
    );
    const change = await step.planChange();
    await step.intend(change);
    await step.apply(change);
    await step.verify(change);
    expect(await run('newdb', 'sha256sum </srv/copy')).toBe(await run('engine', 'sha256sum </srv/big'));
    expect(
      await run(
        'newdb',
        'cat /home/admin/.ssh/authorized_keys; stat -c "%a %U %G" /home/admin/.ssh /home/admin/.ssh/authorized_keys',
      ),
    ).toBe(keys);
    await step.rollback(change);
    expectSame(before, await step.state());
  });

  test('secrets arrive on stdin as another user', async () => {
    const secret = new Secret(`a'b"c$d\\e`, 'input:p');
    const step = await make(
      'command.run',
      'newdb',
      { shell: 'id -un; cat', as: 'postgres', stdin: secret, readOnly: true },
      admins,
    );
    expect(await step.check()).toEqual({ code: 0, stdout: `postgres\n${secret.reveal()}` });
  });
});
