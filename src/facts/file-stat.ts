import { sh } from '../hosts/sh.ts';
import { formatBytes } from '../lib/bytes.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';
import { parseStat } from './file-content.ts';

/** What is at a path. In a prediction, null means: whatever it will be. */
export interface FileStat {
  readonly type: 'file' | 'folder' | 'link' | 'other' | null;
  /** Four octal digits; null for a link, whose mode says nothing. */
  readonly mode: string | null;
  readonly owner: string | null;
  readonly group: string | null;
  /** Null for all but regular files. */
  readonly sizeBytes: number | null;
  /** Only in predictions: what the dump will be that an earlier step is to put there. */
  readonly dump?: ExpectedDump;
}

/** A dump that does not exist yet, as far as its database tells. */
export interface ExpectedDump {
  /** It cannot be smaller, and is likely no bigger. */
  readonly least: number;
  readonly likely: number;
  /** What a database restored from it takes, likewise. */
  readonly restored: { readonly least: number; readonly likely: number };
  /** Major versions of the server and of the pg_dump. */
  readonly server: number | null;
  readonly client: number | null;
  /** Roles its GRANTs will name. */
  readonly grantees: readonly string[];
  readonly format: 'custom' | 'plain';
}

/** A prediction that something is at the path. */
export const somethingThere: FileStat = { type: null, mode: null, owner: null, group: null, sizeBytes: null };

/** Kind, mode, owner and size of what is at a path, links not followed; nothing of its content. */
export const fileStat = defineFact<[path: string], FileStat>({
  kind: 'fileStat',
  class: 'state',
  script: (path) => sh`f=${path}
if [ -L "$f" ]; then t=link; elif [ ! -e "$f" ]; then echo absent; exit 0; elif [ -f "$f" ]; then t=file; elif [ -d "$f" ]; then t=folder; else t=other; fi
stat -c "$t %a %U %G %u %g %s" -- "$f"`,
  parse(answer) {
    if (answer.code !== 0) return unreadable(answer.stderr.trim() || `stat ended with exit code ${answer.code}`);
    const line = answer.stdout.trim();
    if (line === 'absent') return absent;
    const stat = parseStat(line);
    const type = line.slice(0, line.indexOf(' '));
    if (!stat || (type !== 'file' && type !== 'folder' && type !== 'link' && type !== 'other'))
      return unreadable(`stat printed ${line}`);
    return value({
      type,
      mode: type === 'link' ? null : stat.mode,
      owner: stat.owner,
      group: stat.group,
      sizeBytes: type === 'file' ? stat.sizeBytes : null,
    });
  },
  publish: ({ dump: _, ...stat }) => stat,
  same: (before, after) => agree(before as unknown as FileStat, after as unknown as FileStat),
  meets: (read, predicted) => agree(predicted, read),
  show(published) {
    const stat = published as unknown as FileStat;
    const size = stat.sizeBytes === null ? '' : `, ${formatBytes(stat.sizeBytes)}`;
    return `${stat.type ?? 'something'}${stat.mode ? ` ${stat.mode}` : ''}${stat.owner ? ` ${stat.owner}:${stat.group}` : ''}${size}`;
  },
});

function agree(a: FileStat, b: FileStat): boolean {
  const same = (one: unknown, other: unknown) => one === null || other === null || one === other;
  return (
    same(a.type, b.type) &&
    same(a.mode, b.mode) &&
    same(a.owner, b.owner) &&
    same(a.group, b.group) &&
    same(a.sizeBytes, b.sizeBytes)
  );
}
