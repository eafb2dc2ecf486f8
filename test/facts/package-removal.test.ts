import { spawnSync } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type PackageRemoval, packageRemoval, parseRemoval } from '../../src/facts/package-removal.ts';
import { withFolder } from '../kit/read-here.ts';

const APT = `Remv ovirt-engine-dwh [4.5.9-1]
package ovirt-engine-dwh 4.5.9-1
KiB 1200

conf /etc/ovirt-engine-dwh/logrotate.conf d41d8cd98f00b204e9800998ecf8427e
conf /etc/a file.conf d41d8cd98f00b204e9800998ecf8427e obsolete
repo ovirt-engine-dwh |    4.5.9-1 | file:/srv/lab-repo ./ Packages
repo ovirt-engine-dwh |    4.5.8-1 | file:/srv/lab-repo ./ Packages
unit ovirt-engine-dwhd.service active enabled
unit dwh.timer inactive 
`;

/** What the script says where these programs are the only ones; their texts are shell. */
function saidBy(programs: Readonly<Record<string, string>>, packages: string[]): unknown {
  let read: unknown;
  withFolder((folder) => {
    for (const name of ['sh', 'sed', 'grep', 'cut']) symlinkSync(`/bin/${name}`, join(folder, name));
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const ran = spawnSync('/bin/sh', ['-c', packageRemoval.definition.script(packages).text], {
      encoding: 'utf8',
      env: { PATH: folder, LC_ALL: 'C' },
    });
    read = packageRemoval.definition.parse({ code: ran.status ?? 255, stdout: ran.stdout, stderr: ran.stderr }, packages);
  });
  return read;
}

describe('packageRemoval', () => {
  test('what dpkg and apt say is read: versions, conf files, units', () => {
    expect(parseRemoval(APT)).toEqual({
      state: 'value',
      value: {
        packages: [
          {
            ...{ name: 'ovirt-engine-dwh', version: '4.5.9-1', inRepository: true, auto: false, bytes: 1_228_800 },
            conf: ['/etc/ovirt-engine-dwh/logrotate.conf', '/etc/a file.conf'],
            units: [
              { name: 'ovirt-engine-dwhd.service', active: true, enabled: 'enabled' },
              { name: 'dwh.timer', active: false, enabled: 'static' },
            ],
          },
        ],
        ...{ takes: [], brings: [], refused: null },
      },
    });
  });

  const read = (text: string) => (parseRemoval(text) as { value: PackageRemoval }).value;

  test.each([
    ['another version in the repository', APT.replaceAll('4.5.9-1 |', '4.5.10-1 |'), { inRepository: false }],
    ['that it came because it was needed', `${APT}auto\n`, { auto: true }],
  ])('%s is seen', (_, text, expected) => {
    expect(read(text).packages[0]).toMatchObject(expected);
  });

  test('what would go along, come instead, or is refused is told by name', () => {
    expect(read(`Remv a:amd64 [1]\nRemv b [1]\nInst c (2 x)\npackage a 1\n`)).toMatchObject({ takes: ['b'], brings: ['c'] });
    expect(read(`E: dpkg was interrupted\npackage a 1\n`)).toMatchObject({ refused: 'dpkg was interrupted' });
    const needed = 'error: Failed dependencies:\n\tlibpq >= 15 is needed by (installed) php-pgsql-8.0-1.x86_64\npackage a 1\n';
    expect(read(needed)).toMatchObject({ takes: ['php-pgsql-8.0-1.x86_64'], refused: null });
  });

  test('on Enterprise Linux rpm and dnf are asked, and nothing is fetched', () => {
    const programs = {
      rpm: `case "$*" in
'-q -- ovirt-engine-dwh') echo ovirt-engine-dwh-4.5.9-1.el9.noarch;; '-q -- gone') exit 1;;
'-e --test -- ovirt-engine-dwh') :;;
'-q --qf '*' -- ovirt-engine-dwh') printf 'package ovirt-engine-dwh 4.5.9-1.el9\\nbytes 500\\n';;
'-qc -- ovirt-engine-dwh') echo /etc/logrotate.d/ovirt-engine-dwhd;;
'-ql -- ovirt-engine-dwh') printf '/usr/lib/systemd/system/ovirt-engine-dwhd.service\\n/usr/share/x.service\\n/usr/lib/systemd/system/x@.service\\n';;
*) echo "unexpected rpm $*" >&2; exit 9;; esac`,
      dnf: `[ "$*" = '-q --cacheonly repoquery --qf=repo %{name} %{version}-%{release}\\n -- ovirt-engine-dwh' ] || exit 9
printf 'repo ovirt-engine-dwh 4.5.8-1.el9\\n\\nrepo ovirt-engine-dwh 4.5.9-1.el9\\n\\n'`,
      systemctl: `case "$*" in 'show -p ActiveState --value -- '*) echo active;; 'show -p UnitFileState --value -- '*) echo enabled;;
'list-units --all --plain --no-legend -- x@*.service') echo 'x@one.service loaded active running X';; *) exit 9;; esac`,
    };
    expect(saidBy(programs, ['ovirt-engine-dwh', 'gone'])).toEqual({
      state: 'value',
      value: {
        packages: [
          {
            ...{ name: 'ovirt-engine-dwh', version: '4.5.9-1.el9', inRepository: true, auto: false, bytes: 500 },
            conf: ['/etc/logrotate.d/ovirt-engine-dwhd'],
            units: [
              { name: 'ovirt-engine-dwhd.service', active: true, enabled: 'enabled' },
              { name: 'x@one.service', active: true, enabled: 'enabled' },
            ],
          },
        ],
        ...{ takes: [], brings: [], refused: null },
      },
    });
    expect(saidBy({ rpm: 'exit 1' }, ['gone'])).toEqual({ state: 'absent' });
    expect(saidBy({}, ['gone'])).toMatchObject({ state: 'unreadable', why: 'neither dpkg nor rpm is there to ask' });
  });
});
