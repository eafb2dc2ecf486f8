import { sh } from '../hosts/sh.ts';
import { formatBytes } from '../lib/bytes.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

/** Bytes a file takes on disk, or a folder with all that is in it; absent where nothing is. */
export const treeSize = defineFact<[path: string], number>({
  kind: 'treeSize',
  class: 'measure',
  script: (path) => sh`p=${path}; [ -e "$p" ] || [ -L "$p" ] || exit 90; du -skx -- "$p"`,
  parse(answer) {
    if (answer.code === 90) return absent;
    const kilobytes = /^(\d+)\s/.exec(answer.stdout)?.[1];
    return kilobytes === undefined ? unreadable(answer.stderr.trim() || 'du printed nothing') : value(Number(kilobytes) * 1024);
  },
  show: (published) => formatBytes(published as number),
});
