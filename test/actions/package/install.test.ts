import { describe, expect, test } from 'vitest';
import install from '../../../src/actions/package/install.ts';
import { aptScript, dnfScript } from '../../../src/actions/package/scripts.ts';
import { fileStat, somethingThere } from '../../../src/facts/file-stat.ts';
import { fileTree } from '../../../src/facts/file-tree.ts';
import { hostTools } from '../../../src/facts/host-tools.ts';
import { packageVersion } from '../../../src/facts/package-version.ts';
import { unitState } from '../../../src/facts/unit-state.ts';
import { factOf, siteOf } from '../../kit/facts.ts';

describe('package.install', () => {
  const plan = (found: Record<string, string | undefined>, units: string[] = [], files: string[] = []) =>
    install.plan(
      install.params.parse({ packages: Object.keys(found), units, files }),
      {
        packages: Object.entries(found).map(([name, version]) => [
          factOf(packageVersion(name).on('one'), version ? { version } : undefined),
        ]),
        units: units.map((unit) => factOf(unitState(unit).on('one'), undefined)),
        files: files.map((path) => factOf(fileStat(path).on('one'), undefined)),
        trees: files.map((path) => factOf(fileTree(path).on('one'), undefined)),
        tools: factOf(hostTools([]).on('one'), { missing: [], family: 'debian' }),
      },
      siteOf('one'),
    );

  test('installs what is missing, and undo leaves it there', () => {
    expect(plan({ a: '1', b: undefined }, ['b.service'], ['/etc/b'])).toMatchObject({
      summary: 'install b',
      undo: { packages: ['b'], units: ['b.service'], files: ['/etc/b'] },
      undoSummary: 'nothing: packages stay',
      outputs: { installed: ['b'] },
      opaque: true,
    });
    expect(plan({ a: '1' })).toMatchObject({ kind: 'no-change', summary: 'installed already' });
  });

  test('its files will be there, in a form nobody knows yet', () => {
    const planned = plan({ b: undefined }, [], ['/etc/b']);
    const found = planned.kind === 'change' && planned.predicts.slice(1).map(({ key, to }) => [key, to]);
    expect(found).toEqual([
      ['fileStat(/etc/b)', { state: 'value', value: somethingThere }],
      ['fileTree(/etc/b)', undefined],
    ]);
  });

  test.each([
    ['debian', 'postgresql'],
    ['el', 'postgresql-server'],
    ['other', 'postgresql'],
  ] as const)('a package with two names is installed under that of the system: %s', (family, name) => {
    const params = install.params.parse({ packages: [{ debian: 'postgresql', el: 'postgresql-server' }, 'postgresql-contrib'] });
    const facts = {
      packages: [['postgresql', 'postgresql-server'], ['postgresql-contrib']].map((names) =>
        names.map((one) => factOf(packageVersion(one).on('one'), one === name ? undefined : { version: '1' })),
      ),
      units: [],
      files: [],
      trees: [],
      tools: factOf(hostTools([]).on('one'), { missing: [], family }),
    };
    const planned = install.plan(params, facts, siteOf('one'));
    // The client alone, or nothing of that name, is not the server.
    expect(planned).toMatchObject({ kind: 'change', data: { packages: [name] }, outputs: { installed: [name] } });
    expect(planned.kind === 'change' && planned.predicts.map(({ key }) => key)).toEqual([`packageVersion(${name})`]);
  });

  test('a name that apt would take for a removal or an option is refused', () => {
    for (const bad of ['vim-', '-y', 'a b', 'a=1', '']) expect(install.params.safeParse({ packages: [bad] }).success).toBe(false);
    for (const good of ['g++', 'libc6:amd64', 'postgresql-15', 'x'])
      expect(install.params.safeParse({ packages: [good] }).success).toBe(true);
  });
});

describe('the commands of package managers', () => {
  test('apt asks nothing, waits for its lock and keeps conf files', () => {
    const text = aptScript(['a', 'b'], 'auto', 300).text;
    expect(text).toContain('DEBIAN_FRONTEND=noninteractive');
    expect(text).toContain(
      "apt-get -q -s install -- a b >/dev/null 2>&1 || apt-get -q -o 'DPkg::Lock::Timeout=300' update || exit 1",
    );
    expect(text).toContain('--force-confold --no-install-recommends install -- a b');
    expect(aptScript(['a'], 'never', 1).text).not.toContain('update');
  });

  test.each([
    ['always', 'dnf -q -y --refresh --setopt=install_weak_deps=False install -- a'],
    ['never', 'dnf -q -y --cacheonly --setopt=install_weak_deps=False install -- a'],
  ] as const)('dnf with refresh %s', (refresh, expected) => {
    expect(dnfScript(['a'], refresh).text.replaceAll("'", '')).toBe(expected);
  });

  test('dnf asks its lists first, and fetches them when they have no such package', () => {
    const text = dnfScript(['a'], 'auto').text;
    const install = '--setopt=install_weak_deps=False install -- a';
    expect(text).toContain(`out=$(dnf -q -y ${install} 2>&1)`);
    expect(text).toContain(`*'Unable to find a match'*) dnf -q -y --refresh ${install}; exit;;`);
  });
});
