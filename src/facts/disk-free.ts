import { sh } from '../hosts/sh.ts';
import { formatBytes } from '../lib/bytes.ts';
import { defineFact, unreadable, value } from './fact.ts';

/** Bytes free for root where a path is or would be: on the file system of its nearest parent that is there. */
export const diskFree = defineFact<[path: string], { readonly bytes: number }>({
  kind: 'diskFree',
  class: 'measure',
  script: (path) => sh`p=${path}; while [ ! -e "$p" ] && [ "$p" != / ]; do p=$(dirname -- "$p"); done; df -Pk -- "$p"`,
  parse(answer) {
    // The name of the device may hold spaces; what follows it are three numbers and the used percentage.
    const kilobytes = /\s\d+\s+\d+\s+(\d+)\s+(?:\d+%|-)\s/.exec(answer.stdout.split('\n')[1] ?? '')?.[1];
    if (answer.code !== 0 || kilobytes === undefined)
      return unreadable(answer.stderr.trim() || 'df printed nothing that can be read');
    return value({ bytes: Number(kilobytes) * 1024 });
  },
  show: (published) => `${formatBytes((published as { bytes: number }).bytes)} free`,
});
