import { readFile } from 'node:fs/promises';
import { databaseConfFiles, dwhAccess, dwhConfFiles } from './engine-conf.ts';
import { asset } from './folders.ts';
import { DOMAIN, type LabHost } from './lab-state.ts';
import type { RootFiles } from './root-files.ts';

const ENGINE_SHARE = '/usr/share/ovirt-engine/services/ovirt-engine';
const HA_SHARE = '/usr/share/ovirt-hosted-engine-ha';
const OVIRT = { user: 'ovirt', group: 'ovirt' };
/** The engine's services; the notifier is installed but not enabled. */
const UNITS = ['ovirt-engine', 'ovirt-engine-notifier', 'ovirt-fence-kdump-listener'];
/** Those that come with a package. */
const PACKED_UNITS = ['ovirt-engine-dwhd', 'grafana-server'];

/** Installs what plays the hosted-engine command and the HA agent. The engine's machine runs on the first of these hosts. */
export async function installHostedEngine(files: RootFiles, host: LabHost): Promise<void> {
  await copy(files, ['hosted-engine.py', '/usr/sbin/hosted-engine'], ['ovirt-ha-agent.py', `${HA_SHARE}/ovirt-ha-agent.py`]);
  await copy(files, ['daemon_kit.py', `${HA_SHARE}/daemon_kit.py`]);
  await files.write(
    '/etc/systemd/system/ovirt-ha-agent.service',
    await readFile(asset('stand-ins', 'units', 'ovirt-ha-agent.service'), 'utf8'),
  );
  await files.enable('ovirt-ha-agent.service');
  const conf = {
    fqdn: `engine.${DOMAIN}`,
    vmid: '7c1b0f5a-52fd-4e5c-8d4e-3e6a6a1c9f10',
    host_id: String(host.heId),
    hostname: `${host.name}.${DOMAIN}`,
    vm_host_id: '1',
  };
  const text = Object.entries(conf).map(([key, value]) => `${key}=${value}\n`);
  await files.write('/etc/ovirt-hosted-engine/hosted-engine.conf', text.join(''), { mode: 0o640 });
  await files.folder('/var/lib/ovirt-hosted-engine-ha');
}

/** Installs what plays the engine and its other services, with the files that engine-setup leaves; the data warehouse and Grafana are packages. */
export async function installEngine(files: RootFiles, password: string): Promise<void> {
  for (const name of UNITS) {
    await copy(
      files,
      [`${name}.py`, `${ENGINE_SHARE}/${name}.py`],
      [`units/${name}.service`, `/etc/systemd/system/${name}.service`],
    );
    if (name !== 'ovirt-engine-notifier') await files.enable(`${name}.service`);
  }
  for (const name of PACKED_UNITS) await files.enable(`${name}.service`, '/lib/systemd/system');
  await copy(files, ['ovirt-engine.conf', `${ENGINE_SHARE}/ovirt-engine.conf`], ['engine-backup.py', '/usr/bin/engine-backup']);
  await files.write('/etc/ovirt-engine/engine.conf', '# Settings go to files in engine.conf.d\n', {
    group: 'ovirt',
    mode: 0o640,
  });
  const fqdn = `engine.${DOMAIN}`;
  await files.write(
    '/etc/ovirt-engine/engine.conf.d/10-setup-protocols.conf',
    `ENGINE_FQDN=${fqdn}\nENGINE_PROXY_ENABLED=true\n`,
    { group: 'ovirt' },
  );
  const engine = { host: 'localhost', port: 5432, user: 'engine', password, database: 'engine' };
  const access = dwhAccess(password);
  for (const file of [...databaseConfFiles(engine, access.dwh), ...dwhConfFiles(access, fqdn)])
    await files.write(file.path, file.text, { user: file.owner, group: file.group, mode: file.mode });
  for (const folder of ['/var/log/ovirt-engine', '/var/lib/ovirt-engine']) await files.folder(folder, OVIRT);
}

/** Copies files from stand-ins/ into the root; programs become executable. */
async function copy(files: RootFiles, ...pairs: [from: string, to: string][]): Promise<void> {
  for (const [from, to] of pairs) {
    const program = from.endsWith('.py') ? 0o755 : 0o644;
    await files.write(to, await readFile(asset('stand-ins', ...from.split('/')), 'utf8'), { mode: program });
  }
}
