import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addScript, linesToSave, removeScript, rulesFor, savedWith } from '../src/actions/firewall/rules.ts';
import { langpacks } from '../src/actions/locale/scripts.ts';
import { dnfFetch, dnfRemove, dnfRestore, restoreScript } from '../src/actions/package/remove-scripts.ts';
import { dnfScript } from '../src/actions/package/scripts.ts';
import { localeRefused } from '../src/actions/postgres/locale-refused.ts';
import { awaitServer, control, createCluster, setStart } from '../src/actions/postgres/server.ts';
import type { Firewall } from '../src/facts/firewall.ts';
import { osLocale } from '../src/facts/os-locale.ts';
import { packageRemoval } from '../src/facts/package-removal.ts';
import { packageVersion } from '../src/facts/package-version.ts';
import { type PgCluster, pgCluster } from '../src/facts/pg-cluster.ts';
import { pgInstall } from '../src/facts/pg-install.ts';
import { pgLocale } from '../src/facts/pg-locale.ts';
import { pgRoom } from '../src/facts/pg-room.ts';
import { factOf } from './kit/facts.ts';
import { answer } from './kit/read-here.ts';

const server = { family: 'el', version: 15, name: null, unit: 'postgresql.service' } as const;
const cluster: PgCluster = {
  ...{ family: 'el', version: 15, name: null, unit: 'postgresql.service', dataDirectory: '/var/lib/pgsql/data' },
  ...{ configFile: '/var/lib/pgsql/data/postgresql.conf', hbaFile: '/var/lib/pgsql/data/pg_hba.conf', running: true },
  ...{ enabled: true, start: null, encoding: 'UTF8', versionNum: 150_004 },
};
const firewalld: Firewall = { kind: 'firewalld', zone: 'public', lists: [{ name: 'permanent', rules: [] }], saved: [] };
const opened = rulesFor(firewalld, { port: 5432, protocol: 'tcp', from: null });
const refused = localeRefused(
  factOf(pgLocale(5432, 'en_US.UTF-8').on('one'), { installed: false, accepted: false }),
  factOf(pgCluster(5432).on('one'), cluster),
);

/** Every form for Enterprise Linux: what Ferry types, and where that stands. */
const forms: [action: string, typed: string, form: string, source: string][] = [
  [
    'package.install',
    dnfScript(['postgresql-server', 'postgresql-contrib'], 'auto').text,
    'dnf -q -y --setopt=install_weak_deps=False install -- postgresql-server postgresql-contrib',
    'dnf(8)',
  ],
  [
    'package.install',
    dnfScript(['postgresql-server'], 'auto').text,
    'dnf -q -y --refresh --setopt=install_weak_deps=False install -- postgresql-server',
    'dnf(8)',
  ],
  [
    'package.remove',
    dnfRemove(['a'], '/k').text,
    'dnf -q -y --setopt=clean_requirements_on_remove=False remove',
    'dnf(8), dnf.conf(5)',
  ],
  ['package.remove', packageRemoval.definition.script(['a']).text, 'rpm -e --test', 'rpm(8)'],
  [
    'package.remove',
    packageRemoval.definition.script(['a']).text,
    `dnf -q --cacheonly repoquery --qf='repo %{name} %{version}-%{release}\\n'`,
    'dnf(8)',
  ],
  [
    'package.remove',
    dnfFetch([{ name: 'a', version: '1-2.el9', auto: false }]).text,
    'dnf -q -y reinstall --downloadonly --downloaddir=. -- a-1-2.el9',
    'dnf(8)',
  ],
  ['package.remove', dnfRestore().text, 'dnf -q -y --setopt=install_weak_deps=False install ./*.rpm', 'dnf(8)'],
  ['package.remove', dnfRestore().text, 'dnf -q -y reinstall ./*.rpm', 'dnf(8)'],
  [
    'package.remove',
    restoreScript({ packages: [], units: [], lockWaitS: 1 }, { packages: '/k', conf: '/c' }).text,
    'rpm -V --nodeps --noscripts --nofiledigest',
    'rpm(8)',
  ],
  ['any with packages', packageVersion.definition.script('a').text, `rpm -q --qf 'installed %{VERSION}-%{RELEASE}\\n'`, 'rpm(8)'],
  [
    'postgres.cluster',
    createCluster(server, 5432, 'en_US.UTF-8').text,
    'postgresql-setup --initdb --unit postgresql',
    'postgresql-setup(1)',
  ],
  [
    'postgres.cluster',
    createCluster(server, 5432, 'en_US.UTF-8').text,
    `PGSETUP_INITDB_OPTIONS='--encoding=UTF8 --locale=en_US.UTF-8 --auth-host=scram-sha-256'`,
    'postgresql-setup(1)',
  ],
  [
    'postgres.cluster',
    createCluster(server, 5433, null).text,
    '/var/lib/pgsql/data/postgresql.conf',
    'package postgresql-server',
  ],
  ['postgres.cluster', control(server, 'start').text, 'systemctl start postgresql.service', 'package postgresql-server'],
  [
    'postgres.cluster',
    setStart(server, { enabled: true, start: null }).text,
    'systemctl enable postgresql.service',
    'package postgresql-server',
  ],
  ['postgres.cluster', awaitServer(server, 5432).text, 'journalctl -n 5 -u postgresql.service', 'package postgresql-server'],
  ['postgres.settings', control(server, 'restart').text, 'systemctl restart postgresql.service', 'package postgresql-server'],
  [
    'any with a cluster',
    pgCluster.definition.script(5432).text,
    `systemctl list-unit-files --no-legend 'postgresql*.service'`,
    'package postgresql-server',
  ],
  ['any with a cluster', pgInstall.definition.script().text, '/usr/pgsql-*/bin/initdb', "PostgreSQL's own packages"],
  ['any that needs room', pgRoom.definition.script(5432).text, '/var/lib/pgsql/data', 'package postgresql-server'],
  [
    'locale.generate',
    langpacks(['en_US.UTF-8']).text,
    'dnf -q -y --setopt=install_weak_deps=False install -- glibc-langpack-en',
    'package glibc-langpack-en',
  ],
  ['postgres.database', refused?.hint ?? '', 'dnf install glibc-langpack-en', 'package glibc-langpack-en'],
  [
    'firewall.open',
    addScript('public', opened).text,
    "firewall-cmd -q --permanent --zone=public '--add-port=5432/tcp'",
    'firewall-cmd(1)',
  ],
  [
    'firewall.open',
    removeScript('public', opened).text,
    "firewall-cmd -q --permanent --zone=public '--remove-port=5432/tcp'",
    'firewall-cmd(1)',
  ],
];

/** What test/chapter/el-like.test.ts runs, against stand-ins of dnf, rpm and postgresql-setup. */
const PLAYED =
  /^(dnf -q|rpm|postgresql-setup|PGSETUP|\/var\/lib\/pgsql\/data\/|systemctl (start|enable) |systemctl list-unit-files)/;

describe('forms for Enterprise Linux, which nothing here can run', () => {
  test.each(forms)('%s', (_action, typed, form) => {
    expect(typed).toContain(form);
  });

  test('each stands in the page that says what was run on what, with where it comes from', () => {
    const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'runbooks', 'tested-on.md'), 'utf8');
    const rows = forms.map(
      ([action, , form, source]) => `| ${action} | \`${form}\` | ${source} | ${PLAYED.test(form) ? 'stand-in' : 'not run'} |`,
    );
    expect(rows.filter((row) => !page.includes(row))).toEqual([]);
  });

  test('files of saved rules are those of its services', () => {
    const has = { text: '*filter\nCOMMIT\n', mode: '0600', owner: 'root', group: 'root' };
    const added = [{ list: 'iptables', rule: '-A INPUT -j ACCEPT' }];
    const saved = (path: string) => savedWith({ path, ...has }, linesToSave({ path, ...has }, added));
    expect(saved('/etc/sysconfig/iptables')).toBe('*filter\n-A INPUT -j ACCEPT\nCOMMIT\n');
    expect(saved('/etc/sysconfig/ip6tables')).toBeNull();
  });

  test('what its programs answer is read: rpm, systemd with PGDATA, locale -a', () => {
    expect(packageVersion.definition.parse(answer('rpm\ninstalled 15.4-1.el9\n'), 'a')).toEqual({
      state: 'value',
      value: { version: '15.4-1.el9' },
    });
    const text = 'family=el\nversion=15\nunit=postgresql.service\ndata=/var/lib/pgsql/data\nenabled=enabled\n';
    expect(pgCluster.definition.parse(answer(text), 5432)).toMatchObject({
      value: { family: 'el', unit: 'postgresql.service', hbaFile: '/var/lib/pgsql/data/pg_hba.conf', enabled: true, start: null },
    });
    expect(pgInstall.definition.parse(answer('el\npostgres (PostgreSQL) 15.4\n'))).toEqual({
      state: 'value',
      value: { family: 'el', majors: [15] },
    });
    expect(osLocale.definition.parse(answer('C.utf8\nen_US.utf8\n=langpack\n'), 'en_US.UTF-8')).toMatchObject({
      value: { installed: true },
    });
  });
});
