import { z } from 'zod';
import { type Sh, sh } from '../hosts/sh.ts';
import { plural } from '../lib/text.ts';
import { defineFact, unreadable, value } from './fact.ts';
import { keyedHash } from './file-hash.ts';

const shape = z.object({ files: z.int(), keyedHash: z.string() });
export type SavedFiles = z.infer<typeof shape>;

// What programs write while they run is under /var/lib and is no state: it is kept for an undo all the same.
const STATE_PATHS: readonly string[] = [
  ...['/etc/ovirt-engine', '/etc/ovirt-engine-dwh', '/etc/ovirt-provider-ovn', '/etc/ovirt-vmconsole', '/etc/pki/ovirt-engine'],
  ...['/etc/pki/ovirt-vmconsole', '/etc/ovirt-engine-setup.conf.d', '/etc/grafana'],
];

/** Shell that sets the arguments of its script to what there is of the given paths. */
export function existing(paths: readonly string[]): Sh {
  return sh`set --; for each in ${paths}; do if [ -e "$each" ] || [ -L "$each" ]; then set -- "$@" "$each"; fi; done`;
}

/** The product's configuration as one value: names, owners, modes, links and bytes of all that engine-backup saves under /etc. */
export const savedFiles = defineFact<[], SavedFiles>({
  kind: 'savedFiles',
  class: 'state',
  script: () => sh`${existing(STATE_PATHS)}
[ $# -gt 0 ] || { echo 0 -; exit 0; }
n=$(find "$@" ! -type d | wc -l)
${keyedHash(sh`{ find "$@" -printf '%p %y %m %U %G %l\\n' | LC_ALL=C sort; find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum; }`)}
echo "$n $h"`,
  parse(answer) {
    const [, files, hash] = /^(\d+) (\S+)$/.exec(answer.stdout.trim()) ?? [];
    if (answer.code !== 0 || files === undefined || hash === undefined)
      return unreadable(answer.stderr.trim() || 'find told nothing');
    return value({ files: Number(files), keyedHash: hash });
  },
  show: (published) => plural((published as unknown as SavedFiles).files, 'file'),
});
