import { sh } from '../hosts/sh.ts';
import { cutEnd, printable } from '../lib/text.ts';
import { type Answer, absent, defineFact, type Observed, unreadable, value } from './fact.ts';

export type MaintenanceMode = 'global' | 'local' | 'none';

/** The hosted-engine maintenance mode this host sees; absent where hosted-engine is not installed. */
export const maintenanceMode = defineFact<[], MaintenanceMode>({
  kind: 'maintenanceMode',
  class: 'state',
  script: () => sh`command -v hosted-engine >/dev/null || { echo absent; exit 0; }
sed -n 's/^host_id=/id /p' /etc/ovirt-hosted-engine/hosted-engine.conf 2>/dev/null | tail -n 1; hostname; hostname -f 2>/dev/null
echo ---; LC_ALL=C hosted-engine --vm-status --json`,
  parse: readMode,
  show: (published) => (published === 'none' ? 'no maintenance' : `${published as string} maintenance`),
});

function readMode(answer: Answer): Observed<MaintenanceMode> {
  if (answer.stdout.trim() === 'absent') return absent;
  const [head = '', ...rest] = answer.stdout.split('---\n');
  const said = rest.join('---\n').trim();
  // On failure stdout holds a Python dict that only looks like JSON: the exit code is asked first.
  if (answer.code !== 0)
    return unreadable(
      `hosted-engine --vm-status ended with exit code ${answer.code}: ${clip([answer.stderr.trim(), said].filter(Boolean).join(' '))}`,
    );
  let status: unknown;
  try {
    status = JSON.parse(said);
  } catch {
    return unreadable(`hosted-engine --vm-status --json printed no JSON: ${clip(said)}`);
  }
  if (status === null || typeof status !== 'object' || !('global_maintenance' in status))
    return unreadable(`hosted-engine --vm-status --json says nothing of global_maintenance: ${clip(said)}`);
  if (status.global_maintenance === true) return value('global');
  return value(ownEntry(status, head.split('\n'))?.maintenance === true ? 'local' : 'none');
}

/** The entry of the host that was asked: by its host id, else by its name. */
function ownEntry(status: object, names: readonly string[]): { maintenance?: unknown } | undefined {
  const id = names
    .find((line) => line.startsWith('id '))
    ?.slice(3)
    .trim();
  for (const [key, entry] of Object.entries(status) as [string, unknown][]) {
    if (entry === null || typeof entry !== 'object') continue;
    const name = (entry as { hostname?: unknown }).hostname;
    if (id === undefined ? typeof name === 'string' && names.includes(name) : key === id) return entry;
  }
  return undefined;
}

function clip(text: string): string {
  const plain = printable(text).replaceAll('\n', ' ');
  return cutEnd(plain, 300) || 'nothing';
}
