import { sh } from '../hosts/sh.ts';
import { formatBytes } from '../lib/bytes.ts';
import { absent, defineFact, type Parts, unreadable, value } from './fact.ts';
import { KEYED_HASH } from './file-hash.ts';
import { MASK, maskLines } from './mask.ts';

/** Files over this size are known by hash and size alone. */
export const CONTENT_LIMIT_BYTES = 65536;

export interface FileContent {
  /** Four octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
  /** The bytes in base64; null when the file is too large to be read. */
  readonly base64: string | null;
  /** Null in predictions, and on a machine without ssh host keys. */
  readonly keyedHash: string | null;
}

/** The form that may be written down. */
export interface PublishedFile {
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
  readonly keyedHash: string | null;
  /** Masked; null when the file is too large or no text. */
  readonly lines: readonly string[] | null;
}

/** The bytes, mode and owner of a regular file. Absent when nothing is at the path; a link or a folder is unreadable. */
export const fileContent = defineFact<[path: string], FileContent>({
  kind: 'fileContent',
  class: 'state',
  script: (path) => sh`f=${path}
if [ -L "$f" ]; then echo link; readlink -- "$f"; exit 0; fi
[ -e "$f" ] || { echo absent; exit 0; }
[ -f "$f" ] || { echo other; exit 0; }
stat -c 'file %a %U %G %u %g %s' -- "$f" || exit 1
${KEYED_HASH}
echo "$h"; [ "$(stat -c %s -- "$f")" -gt ${CONTENT_LIMIT_BYTES} ] || base64 -w0 -- "$f"`,
  parse(answer) {
    const [first = '', second = '', third = ''] = answer.stdout.split('\n');
    if (answer.code !== 0) return unreadable(answer.stderr.trim() || `reading it ended with exit code ${answer.code}`);
    if (first === 'absent') return absent;
    if (first === 'link') return unreadable(`it is a symbolic link to ${second}; name that file instead`);
    if (first === 'other') return unreadable('it is not a regular file');
    const stat = parseStat(first);
    if (!stat) return unreadable(`stat printed ${JSON.stringify(first.slice(0, 80))}`);
    const base64 = stat.sizeBytes > CONTENT_LIMIT_BYTES ? null : third;
    return value({ ...stat, base64, keyedHash: second === '-' ? null : second });
  },
  publish: (found) => ({ ...publishFile(found) }) as never,
  same: (before, after) => sameFile(before as unknown as PublishedFile, after as unknown as PublishedFile),
  meets: (read, predicted) =>
    read.mode === predicted.mode &&
    read.owner === predicted.owner &&
    read.group === predicted.group &&
    read.sizeBytes === predicted.sizeBytes &&
    read.base64 === predicted.base64,
  show(published) {
    const file = published as unknown as PublishedFile;
    return `${formatBytes(file.sizeBytes)}, ${file.mode} ${file.owner}:${file.group}`;
  },
  parts: (published) => partsOfFile(published as unknown as PublishedFile),
});

/** What of a file may be shown, a line each; a change that only masked lines hold shows as another hash. */
export function partsOfFile({ mode, owner, group, lines, keyedHash }: PublishedFile): Parts {
  const numbered = Object.fromEntries((lines ?? []).map((line, index) => [`line ${index + 1}`, line]));
  return { mode, owner: `${owner}:${group}`, ...numbered, 'what is masked or cannot be shown': (keyedHash ?? '').slice(0, 8) };
}

/** Reads a line `file MODE OWNER GROUP UID GID SIZE`; numbers stand in for names the machine does not know. */
export function parseStat(line: string): { mode: string; owner: string; group: string; sizeBytes: number } | undefined {
  const [, mode, owner, group, uid, gid, size] = /^\w+ ([0-7]{1,4}) (\S+) (\S+) (\d+) (\d+) (\d+)$/.exec(line) ?? [];
  if (!mode || !owner || !group || !uid || !gid || !size) return undefined;
  return {
    mode: mode.padStart(4, '0'),
    owner: owner === 'UNKNOWN' ? uid : owner,
    group: group === 'UNKNOWN' ? gid : group,
    sizeBytes: Number(size),
  };
}

/** The text of a file, or null when it is too large, holds NUL or is no UTF-8. */
export function textOf(file: Pick<FileContent, 'base64'>): string | null {
  if (file.base64 === null) return null;
  const bytes = Buffer.from(file.base64, 'base64');
  const text = bytes.toString('utf8');
  return text.includes('\0') || !Buffer.from(text, 'utf8').equals(bytes) ? null : text;
}

/** Content as a prediction gives it. */
export function contentOf(text: string | Uint8Array, has: { mode: string; owner: string; group: string }): FileContent {
  const bytes = Buffer.from(text as string);
  return {
    mode: has.mode,
    owner: has.owner,
    group: has.group,
    sizeBytes: bytes.length,
    base64: bytes.length > CONTENT_LIMIT_BYTES ? null : bytes.toString('base64'),
    keyedHash: null,
  };
}

export function publishFile(found: FileContent): PublishedFile {
  const text = textOf(found);
  const readableByAll = (Number.parseInt(found.mode, 8) & 0o004) !== 0;
  return {
    mode: found.mode,
    owner: found.owner,
    group: found.group,
    sizeBytes: found.sizeBytes,
    keyedHash: found.keyedHash,
    lines: text === null ? null : maskLines(text, readableByAll),
  };
}

/** Two published files are the same when their hashes are; where one has none (a prediction), by what can be seen of them. */
export function sameFile(before: PublishedFile, after: PublishedFile): boolean {
  if (before.mode !== after.mode || before.owner !== after.owner || before.group !== after.group) return false;
  if (before.keyedHash !== null && after.keyedHash !== null) return before.keyedHash === after.keyedHash;
  if (before.sizeBytes !== after.sizeBytes || before.lines?.length !== after.lines?.length) return false;
  return (before.lines ?? []).every((line, index) => sameLine(line, after.lines?.[index] ?? ''));
}

/** A mask stands for any text: what one side knew to be secret the other may not have known. */
function sameLine(a: string, b: string): boolean {
  const stretches = (line: string) => line.split(MASK).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const covers = (masked: string, line: string) =>
    masked.includes(MASK) && new RegExp(`^${stretches(masked).join('.*')}$`).test(line);
  return a === b || covers(a, b) || covers(b, a);
}
