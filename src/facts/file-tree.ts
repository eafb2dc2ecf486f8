import { sh } from '../hosts/sh.ts';
import { plural } from '../lib/text.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';
import { keyedHash } from './file-hash.ts';

/** More than a folder of settings has. */
const LIMIT = 2000;

export interface FileTree {
  /** `TYPE MODE OWNER:GROUP PATH` of all that is at the path, sorted; the path itself has an empty one, a link names where it leads. */
  readonly members: readonly string[];
  /** Of the bytes of all its files; null on a machine without ssh host keys. */
  readonly keyedHash: string | null;
}

/** A file, or a folder with all that is in it: names, modes, owners, and a hash of the bytes. For settings, not for data. */
export const fileTree = defineFact<[path: string], FileTree>({
  kind: 'fileTree',
  class: 'state',
  script: (path) => sh`f=${path}; [ -e "$f" ] || [ -L "$f" ] || { echo absent; exit 0; }
n=$(find "$f" -xdev | head -n ${LIMIT + 1} | wc -l); [ "$n" -le ${LIMIT} ] || { echo "it has more than ${LIMIT} members" >&2; exit 1; }
${keyedHash(sh`find "$f" -xdev -type f -printf '%P\\0' | sort -z; find "$f" -xdev -type f -print0 | sort -z | xargs -0r cat --`)}
echo "$h"; find "$f" -xdev -printf '%y %04m %u:%g %P %l\n' | sort`,
  parse({ code, stdout, stderr }) {
    if (code !== 0) return unreadable(stderr.trim() || `find ended with exit code ${code}`);
    const [first = '', ...members] = stdout.trimEnd().split('\n');
    if (first === 'absent') return absent;
    return value({ members: members.map((line) => line.trimEnd()), keyedHash: first === '-' ? null : first });
  },
  around: ([path], [other]) => typeof other === 'string' && other.startsWith(`${path}/`),
  show: (published) => plural((published as unknown as FileTree).members.filter((line) => line.startsWith('f')).length, 'file'),
  parts(published) {
    const { members, keyedHash: hash } = published as unknown as FileTree;
    const named = members.map((line) => {
      const [type = '', mode = '', owner = '', ...path] = line.split(' ');
      return [path.join(' ') || '.', `${type} ${mode} ${owner}`] as const;
    });
    return { ...Object.fromEntries(named), 'the bytes': (hash ?? '').slice(0, 8) };
  },
});
