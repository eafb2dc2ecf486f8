import { Sh, sh } from '../hosts/sh.ts';
import { quote } from '../lib/quote.ts';
import { plural } from '../lib/text.ts';
import { defineFact, type Observed, unreadable, value } from './fact.ts';
import {
  CONTENT_LIMIT_BYTES,
  type FileContent,
  type PublishedFile,
  parseStat,
  partsOfFile,
  publishFile,
  sameFile,
} from './file-content.ts';
import { KEYED_HASH } from './file-hash.ts';

/** A file among those a pattern names; links are followed. */
export type ConfigFile = FileContent & { readonly path: string };

type Published = readonly (PublishedFile & { readonly path: string })[];

/**
 * The files a pattern such as `/etc/ovirt-engine/engine.conf.d/*.conf` names, in the order programs read them (by name, as
 * bytes), with their bytes. No file is an empty list: it is a state, and one that a new file changes.
 */
export const configFiles = defineFact<[pattern: string], readonly ConfigFile[]>({
  kind: 'configFiles',
  class: 'state',
  script: (pattern) => sh`LC_ALL=C; export LC_ALL; for f in ${globWord(pattern)}; do [ -f "$f" ] || continue
printf '%s' "$f" | base64 -w0; echo
stat -L -c 'file %a %U %G %u %g %s' -- "$f" || exit 1
${KEYED_HASH}
echo "$h"; [ "$(stat -L -c %s -- "$f")" -gt ${CONTENT_LIMIT_BYTES} ] || base64 -w0 -- "$f"; echo; done`,
  parse: (answer) => (answer.code === 0 ? readFiles(answer.stdout) : unreadable(answer.stderr.trim() || 'a file cannot be read')),
  publish: (found) => found.map((file) => ({ path: file.path, ...publishFile(file) })) as never,
  same: (before, after) =>
    sameList(before as unknown as Published, after as unknown as Published, (a, b) => a.path === b.path && sameFile(a, b)),
  meets: (read, predicted) =>
    sameList(read, predicted, (a, b) => a.path === b.path && a.base64 === b.base64 && a.mode === b.mode && a.owner === b.owner),
  show: (published) => plural((published as unknown as Published).length, 'file'),
  parts: (published) =>
    Object.fromEntries(
      (published as unknown as Published).flatMap((file) =>
        Object.entries(partsOfFile(file)).map(([name, text]) => [`${file.path.split('/').pop()} ${name}`, text]),
      ),
    ),
});

function readFiles(stdout: string): Observed<readonly ConfigFile[]> {
  const lines = stdout.split('\n');
  const files: ConfigFile[] = [];
  for (let at = 0; at + 3 < lines.length; at += 4) {
    const [path64 = '', stat = '', hash = '', base64 = ''] = lines.slice(at, at + 4);
    const path = Buffer.from(path64, 'base64').toString('utf8');
    const parsed = parseStat(stat);
    if (!parsed) return unreadable(`stat of ${path} printed ${stat}`);
    files.push({
      path,
      ...parsed,
      base64: parsed.sizeBytes > CONTENT_LIMIT_BYTES ? null : base64,
      keyedHash: hash === '-' ? null : hash,
    });
  }
  return value(files);
}

function sameList<T>(a: readonly T[], b: readonly T[], same: (one: T, other: T) => boolean): boolean {
  return a.length === b.length && a.every((one, index) => same(one, b[index] as T));
}

/** Whether a path is a pattern. */
export function isPattern(path: string): boolean {
  return /[*?]/.test(path);
}

/** A pattern as a shell word in which only `*` and `?` are live. */
function globWord(pattern: string): Sh {
  return new Sh(pattern.replace(/[^*?]+/g, (plain) => quote(plain)));
}

/** The pattern of a drop-in folder a file belongs to, `DIR/*.conf` for `DIR/10-x.conf`; null for other files. */
export function patternAround(path: string): string | null {
  return /^\/.+\/[^/]+\.conf$/.test(path) ? path.replace(/\/[^/]+$/, '/*.conf') : null;
}

/** The list after one file has become something else; `next` undefined takes it out. */
export function withFile(files: readonly ConfigFile[], path: string, next: FileContent | undefined): ConfigFile[] {
  const others = files.filter((file) => file.path !== path);
  const all = next ? [...others, { ...next, path }] : others;
  return all.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
