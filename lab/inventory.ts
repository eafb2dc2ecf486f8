import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostPublicKeys } from './host-root.ts';
import { DOMAIN, type LabState } from './lab-state.ts';

/** Which host plays a role when the lab has it. */
const ROLES: [role: string, host: string][] = [
  ['he_host', 'he1'],
  ['engine', 'engine'],
  ['old_db', 'engine'],
  ['new_db', 'newdb'],
  ['dwh', 'dwh'],
];

/** Writes inventory.yaml and known_hosts into the lab folder, so that Ferry and ssh find the hosts and know their keys. */
export async function writeInventory(state: LabState): Promise<void> {
  const hosts = state.hosts.map(
    ({ name, address }) =>
      `  ${name}: { address: ${address}, name: ${name}.${DOMAIN}, user: root, identityFile: ./id_ed25519 }\n`,
  );
  const names = new Set(state.hosts.map(({ name }) => name));
  const roles = ROLES.filter(([, host]) => names.has(host)).map(([role, host]) => `  ${role}: ${host}\n`);
  const head = '# written by ferry lab\nferry: 1\nknownHosts: ./known_hosts\n';
  const text = `${head}hosts:\n${hosts.join('')}${roles.length > 0 ? `roles:\n${roles.join('')}` : ''}`;
  await writeFile(join(state.dir, 'inventory.yaml'), text);
  const lines = state.hosts.map(async ({ name, address }) =>
    (await hostPublicKeys(state, name)).map((key) => `${name},${name}.${DOMAIN},${address} ${key}\n`).join(''),
  );
  await writeFile(join(state.dir, 'known_hosts'), (await Promise.all(lines)).join(''));
}
