import { sh } from '../hosts/sh.ts';
import { formatBytes } from '../lib/bytes.ts';
import { defineFact, unreadable, value } from './fact.ts';

export interface DiskFree {
  readonly bytes: number;
  /** Where the file system is mounted: two paths with the same one share the room. */
  readonly mount: string;
}

/** Bytes free for root where a path is or would be: on the file system of its nearest parent that is there. */
export const diskFree = defineFact<[path: string], DiskFree>({
  kind: 'diskFree',
  class: 'measure',
  script: (path) => sh`p=${path}; while [ ! -e "$p" ] && [ "$p" != / ]; do p=$(dirname -- "$p"); done; df -Pk -- "$p"`,
  parse(answer) {
    const free = parseDf(answer.stdout.split('\n')[1] ?? '');
    if (answer.code !== 0 || !free) return unreadable(answer.stderr.trim() || 'df printed nothing that can be read');
    return value(free);
  },
  show: (published) => `${formatBytes((published as { bytes: number }).bytes)} free`,
});

/** Reads a line of `df -Pk`; null when it is none. */
export function parseDf(line: string): DiskFree | null {
  // The name of the device may hold spaces; what follows it are three numbers, the used percentage and the mount point.
  const [, kilobytes, mount] = /\s\d+\s+\d+\s+(\d+)\s+(?:\d+%|-)\s+(\/.*)$/.exec(line) ?? [];
  return kilobytes === undefined || mount === undefined ? null : { bytes: Number(kilobytes) * 1024, mount };
}
