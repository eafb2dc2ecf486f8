import { Secret } from '../../src/hosts/secret.ts';
import { NFTABLES_DOWN, NFTABLES_UP } from './firewalls.ts';
import { MADE_PACKAGE, UNMADE_PACKAGE } from './made-package.ts';
import type { Row } from './row.ts';

const secret = new Secret('s3cr"e$t w0rd', 'input:password');
const secrets = ['s3cr'];
const CONF = '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf';
const units = ['ovirt-engine-notifier.service', 'ovirt-fence-kdump-listener.service', 'no-such-unit.service'];
const someRun = 'systemctl stop ovirt-engine-notifier; systemctl enable -q --now ovirt-fence-kdump-listener';

/** Actions that are not about PostgreSQL. */
export const rows: readonly Row[] = [
  {
    action: 'service.stop',
    host: 'engine',
    with: { units, disable: true },
    before: { engine: someRun },
    after: { engine: someRun },
    half: { engine: 'systemctl stop ovirt-fence-kdump-listener' },
    outputs: { stopped: ['ovirt-fence-kdump-listener.service'] },
  },
  {
    action: 'service.start',
    host: 'engine',
    with: { units: units.slice(0, 2), enable: true },
    before: { engine: `systemctl disable -q --now ovirt-engine-notifier; ${someRun}` },
    after: { engine: someRun },
    half: { engine: 'systemctl enable -q ovirt-engine-notifier' },
    outputs: { started: ['ovirt-engine-notifier.service'] },
  },
  {
    action: 'service.restart',
    host: 'engine',
    with: { units: units.slice(0, 2) },
    before: { engine: someRun },
    after: { engine: someRun },
    half: { engine: 'systemctl start ovirt-engine-notifier' },
  },
  {
    action: 'service.read',
    host: 'engine',
    with: { units: units.slice(1) },
    before: { engine: someRun },
    outputs: { active: ['ovirt-fence-kdump-listener.service'], states: { 'no-such-unit.service': 'missing' } },
    fails: { with: { units: units.slice(2), expect: 'active' }, code: 'blocked' },
  },
  {
    action: 'file.put',
    about: 'over a file with an owner of its own',
    host: 'newdb',
    with: { path: '/srv/ferry test/a.conf', content: secret, mode: '0640', group: 'adm' },
    before: {
      newdb: `mkdir -p '/srv/ferry test'; cd '/srv/ferry test'; rm -f *; echo old >a.conf; chown daemon:adm a.conf; chmod 4754 a.conf`,
    },
    after: { newdb: `rm -rf '/srv/ferry test'` },
    half: { newdb: `cd '/srv/ferry test'; echo half >.a.conf.ferry-ABCdef` },
    secrets,
  },
  {
    action: 'file.put',
    about: 'where nothing was',
    host: 'newdb',
    with: { path: '/srv/made-by-test', content: 'x\n'.repeat(40_000) },
    before: { newdb: 'rm -f /srv/made-by-test' },
    again: 'change',
  },
  {
    action: 'file.remove',
    host: 'newdb',
    with: { paths: ['/srv/ferry/d', '/srv/ferry/link', '/srv/ferry/none'], recursive: true },
    before: {
      newdb: `rm -rf /srv/ferry; mkdir -p -m 0711 /srv/ferry/d/e; echo x >"/srv/ferry/d/e/it's"; ln -s d /srv/ferry/link`,
    },
    after: { newdb: 'rm -rf /srv/ferry' },
    half: { newdb: 'rm -rf /srv/ferry/d/e' },
    outputs: { removed: ['/srv/ferry/d', '/srv/ferry/link'] },
  },
  {
    action: 'file.transfer',
    about: 'from host to host',
    host: 'newdb',
    with: { from: { host: 'engine', path: '/srv/a file' }, path: '/srv/the copy', owner: 'postgres' },
    before: { engine: `head -c 3000000 /dev/urandom >'/srv/a file'`, newdb: `rm -f '/srv/the copy'` },
    after: { engine: `rm '/srv/a file'`, newdb: `rm -f '/srv/the copy'` },
    half: { newdb: `echo half >'/srv/the copy.ferry-part'` },
    outputs: { bytes: 3_000_000 },
    clean: {
      engine: '[ ! -e /run/ferry ] || [ -z "$(find /run/ferry -type f -name "key*")" ]',
      newdb:
        '! grep -q ferry: /root/.ssh/authorized_keys && [ -z "$(find /srv /run/ferry -name "*ferry-part*" -o -name receive)" ]',
    },
  },
  {
    action: 'file.transfer',
    about: 'on one host',
    host: 'engine',
    with: { from: { host: 'engine', path: '/srv/a' }, path: '/srv/b' },
    before: { engine: 'echo x >/srv/a; rm -f /srv/b' },
    after: { engine: 'rm -f /srv/a /srv/b' },
    outputs: { bytes: 2 },
  },
  {
    action: 'config.set',
    host: 'engine',
    with: { path: CONF, set: { ENGINE_DB_HOST: 'newdb.lab.example', ENGINE_DB_PASSWORD: secret, NEW_KEY: 5 } },
    half: { engine: `echo half >/etc/ovirt-engine/engine.conf.d/.10-setup-database.conf.ferry-ABCdef` },
    outputs: { changed: ['ENGINE_DB_HOST', 'ENGINE_DB_PASSWORD', 'NEW_KEY'] },
    clean: { engine: '[ -z "$(ls -A /etc/ovirt-engine/engine.conf.d | grep ferry)" ]' },
    secrets,
  },
  {
    action: 'config.set',
    about: 'making its file',
    host: 'engine',
    with: { path: '/etc/sysconfig-test', set: { A: '1' }, create: true, mode: '0644' },
    before: { engine: 'rm -f /etc/sysconfig-test' },
  },
  {
    action: 'config.set',
    about: 'in a YAML file',
    host: 'engine',
    with: {
      ...{ path: '/etc/ferry-test.yaml', format: 'yaml' },
      set: { 'datasources[0].url': 'newdb:5432', 'datasources[0].secureJsonData.password': secret },
    },
    before: {
      engine: `printf '# c\\ndatasources:\\n- url: "old:1"  # x\\n  secureJsonData: { password: a }\\n' >/etc/ferry-test.yaml; chmod 640 /etc/ferry-test.yaml`,
    },
    after: { engine: 'rm -f /etc/ferry-test.yaml' },
    secrets,
  },
  {
    action: 'config.read',
    host: 'engine',
    with: {
      files: ['/etc/ovirt-engine/engine.conf', '/etc/ovirt-engine/engine.conf.d/*.conf'],
      keys: { database: 'ENGINE_DB_DATABASE', user: 'ENGINE_DB_USER' },
    },
    outputs: { database: 'engine', user: 'engine' },
    fails: { with: { files: [CONF], expect: { ENGINE_DB_HOST: 'elsewhere' } }, code: 'blocked' },
  },
  {
    action: 'command.run',
    about: 'with a check and an undo',
    host: 'newdb',
    with: { shell: 'echo on >/srv/state', check: 'grep -q on /srv/state', undo: 'rm -f /srv/state', as: 'root' },
    before: { newdb: 'rm -f /srv/state' },
    after: { newdb: 'rm -f /srv/state' },
    half: { newdb: ': >/srv/state' },
    again: 'no-change',
  },
  {
    action: 'command.run',
    about: 'that makes a folder as another user',
    host: 'newdb',
    with: { argv: ['mkdir', "/var/lib/postgresql/it's"], as: 'postgres', creates: "/var/lib/postgresql/it's" },
    before: { newdb: `rm -rf "/var/lib/postgresql/it's"` },
    again: 'no-change',
  },
  {
    action: 'command.run',
    about: 'that runs long, reads a secret and changes protected files',
    host: 'newdb',
    with: {
      shell: 'umask 077; cat >/srv/p1; echo new >/srv/p2; sleep 1',
      ...{ stdin: secret, long: true, protects: ['/srv/p1', '/srv/p2'] },
    },
    before: { newdb: 'echo old >/srv/p1; chown daemon /srv/p1; rm -f /srv/p2' },
    after: { newdb: 'rm -f /srv/p1 /srv/p2' },
    half: { newdb: 'echo half >/srv/p1' },
    again: 'change',
    secrets,
  },
  {
    action: 'command.run',
    about: 'that only looks',
    host: 'newdb',
    with: { argv: ['id', '-un'], as: 'postgres', readOnly: true },
    outputs: { code: 0, stdout: 'postgres\n' },
    fails: { with: { argv: ['false'], readOnly: true }, code: 'CHECK_FAILED' },
  },
  {
    action: 'ovirt.setup',
    about: 'where the data warehouse was set up before',
    host: 'engine',
    with: {
      answers: {
        'OVESETUP_DIALOG/confirmSettings': true,
        'OVESETUP_CONFIG/continueSetupOnHEVM': true,
        'OVESETUP_DWH_DB/performBackup': false,
        'OVESETUP_DWH_CONFIG/scale': '2',
        'OVESETUP_CONFIG/remoteEngineHostRootPassword': new Secret('s3cr"e$t %w0rd', 'input:password'),
      },
      options: ['--offline', '--reconfigure-dwh-scale'],
      protects: ['/etc/ovirt-engine-dwh', '/etc/ovirt-engine-setup.conf.d', '/etc/ovirt-engine/engine.conf.d', '/srv/none'],
      units: ['ovirt-engine-dwhd'],
    },
    half: { engine: 'systemctl stop ovirt-engine-dwhd; cd /etc/ovirt-engine-dwh && rm -r examples && chmod 0700 . && touch new' },
    clean: {
      engine: '[ -z "$(ls /var/lib/ovirt-engine/setup/answers)" ] && ! grep -rq s3cr /var/log/ovirt-engine /var/lib/ferry',
    },
    secrets,
  },
  {
    action: 'prompt.answer',
    host: 'newdb',
    with: {
      shell:
        "echo half >/srv/wizard.conf; printf 'Word: '; read -r w; printf '%s\\n' \"$w\" >/srv/wizard.conf; mkdir /srv/wizard; tty; exit 3",
      answers: [
        { expect: 'Never asked', send: 'x', optional: true },
        { expect: 'Word: $', send: secret },
      ],
      ...{ protects: ['/srv/wizard.conf'], creates: '/srv/wizard', exitCodes: [3] },
    },
    before: {
      newdb: 'rm -rf /srv/wizard; echo old >/srv/wizard.conf; chown daemon /srv/wizard.conf; chmod 0600 /srv/wizard.conf',
    },
    after: { newdb: 'rm -rf /srv/wizard /srv/wizard.conf' },
    half: { newdb: 'echo half >/srv/wizard.conf' },
    again: 'no-change',
    outputs: { code: 3 },
    secrets,
  },
  {
    action: 'package.install',
    host: 'he2',
    with: { packages: ['tree', 'jq'] },
    before: { he2: 'DEBIAN_FRONTEND=noninteractive apt-get -q -y purge tree >/dev/null 2>&1; :' },
    after: { he2: 'DEBIAN_FRONTEND=noninteractive apt-get -q -y purge tree jq >/dev/null 2>&1; :' },
  },
  {
    action: 'firewall.open',
    about: 'in nftables, which loads its rules at boot',
    host: 'newdb',
    with: { ports: [2222, 5432], from: ['engine', '2001:db8::/32', '198.51.100.0/24'] },
    before: { newdb: NFTABLES_UP },
    after: { newdb: NFTABLES_DOWN },
    half: { newdb: `nft 'insert rule inet filter input ip saddr 198.51.100.0/24 tcp dport 5432 accept comment "ferry"'` },
    outputs: { firewall: 'nftables', added: 6 },
    clean: { newdb: 'cmp /etc/nftables.conf /srv/nftables.conf && nft -c -f /etc/nftables.conf' },
  },
  {
    action: 'locale.generate',
    about: 'that the running server does not see yet',
    host: 'newdb',
    with: { locales: ['en_US.UTF-8', 'de_DE.UTF-8'] },
    before: {
      newdb: `localedef --delete-from-archive de_DE.utf8 2>/dev/null; sed -i '/^de_DE/d' /etc/locale.gen; pg_ctlcluster 15 main restart -m fast`,
    },
    after: { newdb: `localedef --delete-from-archive de_DE.utf8; sed -i '/^de_DE/d' /etc/locale.gen` },
    half: { newdb: 'echo de_DE.UTF-8 UTF-8 >>/etc/locale.gen' },
    outputs: { made: ['de_DE.UTF-8'], restarted: true },
  },
  {
    action: 'certificate.make',
    host: 'newdb',
    with: {
      ...{ certificate: '/srv/tls/server.crt', key: '/srv/tls/server.key', owner: 'postgres', group: 'postgres' },
      names: ['newdb.lab.example', 'newdb', '192.0.2.1'],
    },
    before: { newdb: 'rm -rf /srv/tls; mkdir /srv/tls' },
    after: { newdb: 'rm -rf /srv/tls' },
    half: { newdb: 'echo half >/srv/tls/server.key' },
    clean: { newdb: '[ -z "$(ls -A /srv/tls)" ]' },
  },
  {
    action: 'package.remove',
    host: 'he2',
    with: { packages: ['ferry-test', 'pv', 'no-such-package'], units: ['ferry-test'], keep: ['/etc/ferry-test.d'] },
    before: { he2: MADE_PACKAGE },
    after: { he2: UNMADE_PACKAGE },
    half: { he2: 'DEBIAN_FRONTEND=noninteractive apt-get remove -y -q ferry-test >/dev/null; rm /etc/ferry-test.conf' },
    outputs: { removed: ['ferry-test', 'pv'] },
    // Its own scripts would start it and write over what is ours; pv had come because something needed it.
    clean: {
      he2: '[ "$(cat /etc/ferry-test.conf /etc/ferry-test.d/id | xargs)" = "A=mine mine" ] && [ "$(apt-mark showauto pv)" = pv ] && [ ! -e /srv/ferry-test-started ]',
    },
  },
  {
    action: 'ovirt.maintenance',
    host: 'he1',
    with: { mode: 'global' },
    before: { he1: 'hosted-engine --set-maintenance --mode=none' },
    after: { he1: 'hosted-engine --set-maintenance --mode=none' },
    outputs: { before: 'none' },
  },
  {
    action: 'http.check',
    host: 'newdb',
    with: { url: 'http://engine.lab.example/ovirt-engine/services/health', text: 'DB Up!' },
    outputs: { status: 200, body: 'DB Up!Welcome to Health Status!' },
    fails: { with: { url: 'http://engine.lab.example:81/', timeout: '100ms' }, code: 'CHECK_FAILED' },
  },
  {
    action: 'address.check',
    host: 'engine',
    with: { address: 'newdb.lab.example', host: 'newdb' },
    fails: { with: { address: 'localhost', host: 'newdb' }, code: 'blocked' },
  },
  {
    action: 'port.check',
    host: 'engine',
    with: { address: 'newdb', port: 22 },
    fails: { with: { address: 'newdb', port: 23, timeout: '100ms' }, code: 'CHECK_FAILED' },
  },
];
