import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { asset } from './folders.ts';

/** A file of a package: its place on a host, its text and its mode. */
export type PackedFile = { readonly path: string; readonly text: string; readonly mode: number };

/** A package of stand-ins as it is before it is built: what goes into DEBIAN/, the files, and folders that it makes. */
export type Package = {
  readonly name: string;
  readonly version: string;
  readonly control: readonly PackedFile[];
  readonly files: readonly PackedFile[];
  readonly folders: readonly string[];
};

/** The data warehouse's version of this lab; the engine's MinimalETLVersion goes with it. */
export const DWH_VERSION = '4.5.9';
/** An older one that is in the repository too, for a machine that cannot have the one that was removed elsewhere. */
export const OLDER_DWH_VERSION = '4.5.8';
/** What is installed on a fresh engine host, from the repository. */
export const INSTALLED = ['python3-ovirt-engine-lib', 'ovirt-engine-dwh', 'ovirt-engine-dwh-setup', 'grafana'];

const DWH_SHARE = '/usr/share/ovirt-engine-dwh/services/ovirt-engine-dwhd';
const PYTHON = '/usr/lib/python3/dist-packages';
const UNITS = '/lib/systemd/system';
const SCRIPTS = ['control', 'postinst', 'prerm', 'postrm', 'conffiles'];

/** Every package of the lab's own repository, both versions of the data warehouse among them. */
export async function labPackages(): Promise<Package[]> {
  const dwh = (version: string) => [
    pack('ovirt-engine-dwh', version, {
      files: [
        ['ovirt-engine-dwhd.py', `${DWH_SHARE}/ovirt-engine-dwhd.py`],
        ['ovirt-engine-dwhd.conf', `${DWH_SHARE}/ovirt-engine-dwhd.conf`],
        ['packages/ovirt-engine-dwh/local.conf', '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf'],
        ['units/ovirt-engine-dwhd.service', `${UNITS}/ovirt-engine-dwhd.service`],
      ],
      folders: [
        ...['/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d', '/etc/ovirt-engine-dwh/examples'],
        ...['/var/log/ovirt-engine-dwh', '/var/lib/ovirt-engine-dwh/backups'],
      ],
    }),
    pack('ovirt-engine-dwh-setup', version, { files: [['engine-setup.py', '/usr/bin/engine-setup']], folders: [] }),
  ];
  return Promise.all([
    pack('python3-ovirt-engine-lib', '4.5.7', {
      files: [
        ['ovirt_conf.py', `${PYTHON}/ovirt_conf.py`],
        ['daemon_kit.py', `${PYTHON}/daemon_kit.py`],
      ],
      folders: [],
    }),
    ...dwh(DWH_VERSION),
    ...dwh(OLDER_DWH_VERSION),
    pack('grafana', '9.2.10', {
      files: [
        ['grafana-server.py', '/usr/share/grafana/bin/grafana-server.py'],
        ['units/grafana-server.service', `${UNITS}/grafana-server.service`],
      ],
      folders: ['/etc/grafana/conf/provisioning/datasources', '/var/log/grafana', '/var/lib/grafana'],
    }),
  ]);
}

async function pack(
  name: string,
  version: string,
  { files, folders }: { files: [from: string, to: string][]; folders: string[] },
): Promise<Package> {
  const textOf = async (...path: string[]) =>
    (await readFile(asset('stand-ins', ...path), 'utf8')).replaceAll('@VERSION@', version);
  const scripts = SCRIPTS.filter((script) => existsSync(`${asset('stand-ins', 'packages', name)}/${script}`));
  const control = scripts.map(async (script) => ({
    path: script,
    text: await textOf('packages', name, script),
    mode: script.startsWith('p') ? 0o755 : 0o644,
  }));
  const packed = files.map(async ([from, path]) => ({
    path,
    text: await textOf(...from.split('/')),
    mode: from.endsWith('.py') && !path.startsWith(PYTHON) ? 0o755 : 0o644,
  }));
  return { name, version, control: await Promise.all(control), files: await Promise.all(packed), folders };
}
