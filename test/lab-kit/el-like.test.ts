import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archiveScript, dnfRemove, fetchScript, restoreScript, TAKES_MORE } from '../../src/actions/package/remove-scripts.ts';
import { dnfScript } from '../../src/actions/package/scripts.ts';
import { packageRemoval } from '../../src/facts/package-removal.ts';
import { packageVersion } from '../../src/facts/package-version.ts';
import type { Sh } from '../../src/hosts/sh.ts';

const STAND_INS = join(import.meta.dirname, '..', '..', 'lab', 'stand-ins');
const NEEDED = ['sh', 'sed', 'grep', 'cut', 'tar', 'mktemp', 'rm', 'chmod', 'cat', 'cmp', 'touch'];
let dir: string;

/** Runs shell text where the stand-ins are the only package managers, on made-up packages whose files are in a folder of the test. */
function run(text: string | Sh) {
  const script = typeof text === 'string' ? text : text.text;
  const env = { PATH: join(dir, 'bin'), LC_ALL: 'C', EL_LIKE_HOME: dir };
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8', env, cwd: dir });
  return { code: status ?? 255, stdout, stderr };
}

function offer(name: string, version: string, more: object = {}): string {
  const made = { name, version, release: '1.el9', arch: 'noarch', ...more };
  const file = join(dir, 'repository', `${name}-${version}-1.el9.noarch.rpm`);
  writeFileSync(file, JSON.stringify(made));
  return file;
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ferry-el-'));
  for (const name of ['bin', 'repository']) mkdirSync(join(dir, name));
  for (const name of NEEDED) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\nexec ${found} "$@"\n`, { mode: 0o755 });
  }
  rmSync(join(dir, 'bin', 'sh'));
  symlinkSync('/bin/sh', join(dir, 'bin', 'sh'));
  for (const name of ['dnf', 'rpm']) {
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\nexec /usr/bin/python3 -B ${STAND_INS}/${name}.py "$@"\n`);
    chmodSync(join(dir, 'bin', name), 0o755);
  }
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

// They are Python, as on the lab's hosts.
const hasPython = existsSync('/usr/bin/python3');
const here = describe.skipIf(!hasPython);
const named = (what: string) => (hasPython ? what : `${what}: left out, there is no /usr/bin/python3 on this machine`);

here(named('the stand-ins of dnf and rpm'), () => {
  test.each([
    'dnf upgrade',
    'dnf -q -y install --allowerasing -- a',
    'dnf -q -y --setopt=best=0 install -- a',
    'dnf -q -y --nobest install -- a',
    'dnf -q -y --downloadonly install -- a',
    'dnf -q -y reinstall -- a',
    'dnf -q -y install',
    'rpm -i a.rpm',
    'rpm -q a',
    'rpm -qa --',
    "rpm -q --qf '%{EPOCH}' -- a",
  ])('refuse what they do not play, and write it down: %s', (typed) => {
    offer('a', '1.0', {});
    run('dnf -q -y install -- a');
    const { code, stderr } = run(typed);
    if (typed === 'rpm -qa --')
      return expect({ code, stderr }).toEqual({ code: 1, stderr: 'rpm: no arguments given for query\n' });
    expect(code).toBe(99);
    expect(stderr).toContain('is not played here');
    expect(readFileSync(join(dir, 'refused'), 'utf8')).toBe(stderr);
  });

  test('do by themselves what the options of Ferry keep them from', () => {
    for (const [name, more] of [
      ['main', { requires: ['libs'], recommends: ['doc'] }],
      ['libs', {}],
      ['doc', {}],
      ['plugin', { requires: ['main'] }],
    ] as const)
      offer(name, '1.0', more);
    const there = () =>
      run('rpm -q --qf "%{NAME} " -- main libs doc plugin').stdout.replace(/package (\w+) is not installed\n/g, '');
    expect(run('dnf -q install -- main')).toMatchObject({ code: 1, stderr: 'Is this ok [y/N]: Operation aborted.\n' });
    run('dnf -q -y install -- main plugin');
    expect(there()).toBe('main libs doc plugin ');
    expect(run('rpm -e --test -- main')).toMatchObject({
      code: 1,
      stderr: 'error: Failed dependencies:\n\tmain is needed by (installed) plugin-1.0-1.el9.noarch\n',
    });
    expect(run('rpm -e --test -- none')).toMatchObject({ code: 1, stderr: 'error: package none is not installed\n' });
    run('dnf -q -y remove -- main');
    expect(there()).toBe('');
  });

  test('change conf files as rpm does', () => {
    const conf = join(dir, 'a.conf');
    offer('a', '1.0', { files: { [conf]: { text: 'stock', config: true } } });
    run('dnf -q -y install -- a');
    expect(run('rpm -qc -- a; rpm -ql -- a').stdout).toBe(`${conf}\n${conf}\n`);
    writeFileSync(conf, 'mine');
    expect(run('dnf -q -y remove -- a').stderr).toBe(`warning: ${conf} saved as ${conf}.rpmsave\n`);
    expect([existsSync(conf), readFileSync(`${conf}.rpmsave`, 'utf8')]).toEqual([false, 'mine']);
    run('dnf -q -y install -- a');
    expect(run('dnf -q -y remove -- a').stderr).toBe('');
  });
});

here(named('with them, scripts of Ferry'), () => {
  const read = (packages: string[]) => packageRemoval.definition.parse(run(packageRemoval.definition.script(packages)), packages);

  test('install what is missing, also what came into the repository after its lists were fetched', () => {
    offer('a', '1.0', { recommends: ['b'] });
    expect(run(dnfScript(['a'], 'auto')).code).toBe(0);
    expect(packageVersion.definition.parse(run(packageVersion.definition.script('a')), 'a')).toEqual({
      state: 'value',
      value: { version: '1.0-1.el9' },
    });
    offer('b', '1.0');
    expect(packageVersion.definition.parse(run(packageVersion.definition.script('b')), 'b')).toEqual({ state: 'absent' });
    expect(run(dnfScript(['b'], 'never'))).toMatchObject({ code: 1, stderr: 'Error: Unable to find a match: b\n' });
    expect(run(dnfScript(['b'], 'auto')).code).toBe(0);
    expect(run(dnfScript(['b', 'c'], 'auto'))).toEqual({ code: 1, stdout: '', stderr: 'Error: Unable to find a match: c\n' });
    offer('d', '1.0', { requires: ['e'] });
    expect(run(dnfScript(['d'], 'always'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing provides e needed by d'),
    });
    expect(run(dnfScript(['d'], 'auto'))).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('nothing provides e needed by d'),
    });
  });

  test('see what needs a package and whether it could come back, fetch it, and remove it alone', () => {
    const file = offer('main', '1.0', { requires: ['libs'] });
    offer('libs', '1.0');
    offer('plugin', '1.0', { requires: ['main'] });
    run('dnf -q -y install -- main plugin');
    offer('main', '1.1');
    expect(read(['main', 'none'])).toMatchObject({
      value: { packages: [{ name: 'main', version: '1.0-1.el9', inRepository: true }], takes: ['plugin-1.0-1.el9.noarch'] },
    });
    expect(run(dnfRemove(['main'], join(dir, 'kept')))).toMatchObject({
      code: TAKES_MORE,
      stdout: expect.stringContaining('needed by (installed) plugin'),
    });
    const versioned = { name: 'main', version: '1.0-1.el9', auto: false };
    expect(run(namesIn(fetchScript([versioned])))).toMatchObject({ code: 0, stdout: './main-1.0-1.el9.noarch.rpm\n' });
    expect(run(dnfRemove(['plugin', 'main'], join(dir, 'kept')))).toMatchObject({ code: 0 });
    expect(run('rpm -q -- main plugin libs').stdout).toContain('libs-1.0-1.el9.noarch');

    run('dnf -q -y install -- main-1.0-1.el9');
    rmSync(file);
    // The lists do not know yet.
    expect(read(['main'])).toMatchObject({ value: { packages: [{ inRepository: true }] } });
    expect(run(fetchScript([versioned]))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Cannot download main-1.0-1.el9'),
    });
    run('dnf -q -y --refresh install -- libs');
    expect(read(['main'])).toMatchObject({ value: { packages: [{ inRepository: false }], takes: [] } });
    expect(run(fetchScript([versioned]))).toMatchObject({ code: 1, stderr: 'Error: No packages marked for reinstall.\n' });
  });

  test.each([
    ['stayed of a conf file that was changed', null],
    ['was saved of it long before', 'older'],
  ])('bring a package back at its version, with its conf file, and see to what %s', (_, saved) => {
    const conf = join(dir, 'a.conf');
    const files = { [conf]: { text: 'stock', config: true } };
    writeFileSync(join(dir, 'bin', 'systemctl'), `#!/bin/sh\necho "$*" >>${dir}/told\n`, { mode: 0o755 });
    offer('a', '1.0', { files });
    offer('a', '1.1', { files });
    run('dnf -q -y install -- a-1.0');
    writeFileSync(conf, 'mine');
    if (saved !== null) writeFileSync(`${conf}.rpmsave`, saved);
    const packages = [{ name: 'a', version: '1.0-1.el9', auto: false }];
    const kept = { packages: join(dir, 'kept'), conf: join(dir, 'kept-conf') };
    run(`(${fetchScript(packages).text}) >${kept.packages}; (${archiveScript([conf]).text}) >${kept.conf}`);
    run(dnfRemove(['a'], join(dir, 'kept')));
    expect([existsSync(conf), readFileSync(`${conf}.rpmsave`, 'utf8')]).toEqual([false, 'mine']);
    const undo = { packages, units: [{ name: 'a.service', enabled: 'disabled' }], lockWaitS: 1 };
    for (let times = 0; times < 2; times += 1) {
      expect(run(restoreScript(undo, kept))).toMatchObject({ code: 0 });
      expect(run('rpm -q -- a').stdout).toBe('a-1.0-1.el9.noarch\n');
      expect(readFileSync(conf, 'utf8')).toBe('mine');
      expect(existsSync(`${conf}.rpmsave`) ? readFileSync(`${conf}.rpmsave`, 'utf8') : null).toBe(saved);
    }
    const told = readFileSync(join(dir, 'told'), 'utf8').split('\n');
    expect(told.slice(0, 4)).toEqual([
      '-q mask --runtime -- a.service',
      '-q unmask --runtime -- a.service',
      'daemon-reload',
      '-q disable -- a.service',
    ]);
  });
});

/** The names in the archive that a script prints. */
function namesIn(script: Sh): string {
  return `(${script.text}) | tar -tf -`;
}
