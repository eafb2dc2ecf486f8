import { FerryError } from '../errors/ferry-error.ts';
import type { ActingHost } from '../hosts/host.ts';
import type { Secret } from '../hosts/secret.ts';
import { reveal } from '../hosts/secret.ts';
import { type Sh, sh } from '../hosts/sh.ts';
import type { ActContext } from './action.ts';

export type Ownership = { mode: string; owner: string; group: string };

/** What was at a path before a step: kept bytes with their mode and owner, or nothing. */
export type FileUndo = { path: string; was: Ownership | null };

// The exit code of the script below when less came in than was sent.
const CUT = 75;

/**
 * Goes into a folder beside `$f` that no reader of a drop-in folder takes for its own, and prepares `$t` there, with the attributes (ACL,
 * SELinux context) of the file it will replace. The folder is closed to all but root, and entered before anything is written: where
 * another user owns the one around it, no link of theirs leads root astray. What was there is `../$b`.
 */
export const CLOSED_BESIDE: Sh = sh`set -eu; umask 077; d=\${f%/*}; b=\${f##*/}
rm -rf -- "\${d:-/}/.$b.ferry-"??????
c=$(mktemp -d "\${d:-/}/.$b.ferry-XXXXXX"); trap 'cd /; rm -rf -- "$c"' EXIT
cd -P -- "$c"; [ -n "$(find . -maxdepth 0 -user "$(id -u)" ! -perm /077 -empty)" ] || { echo "somebody else writes in \${d:-/}" >&2; exit 1; }
t=./new; if [ -f "../$b" ] && [ ! -L "../$b" ]; then cp -a -- "../$b" "$t"; else : >"$t"; fi
chown 0:0 -- "$t"; chmod 0600 -- "$t"`;

/** Puts what was prepared in its place, on disk. */
export const PUT_IN_PLACE: Sh = sh`sync "$t"; mv -fT -- "$t" "../$b"; sync ..`;

/** A script that replaces a file by what comes in on stdin, all or nothing. */
export function replaceScript(path: string, sizeBytes: number, has: Ownership): Sh {
  return sh`f=${path}; ${CLOSED_BESIDE}
cat >"$t"; [ "$(stat -c %s -- "$t")" -eq ${sizeBytes} ] || exit ${CUT}
chown ${`${has.owner}:${has.group}`} -- "$t"; chmod ${has.mode} -- "$t"
${PUT_IN_PLACE}`;
}

/** Replaces a file by new bytes, which travel by stdin. @throws BYTES_CUT, COMMAND_FAILED */
export async function replaceFile(
  on: ActingHost,
  name: string,
  path: string,
  content: string | Secret,
  has: Ownership,
): Promise<void> {
  const sizeBytes = Buffer.byteLength(reveal(content));
  const result = await on.change(name, replaceScript(path, sizeBytes, has), { stdin: content, okCodes: [0, CUT] });
  if (result.code === CUT) throw new FerryError('BYTES_CUT', { path, host: on.name, expected: sizeBytes });
}

/** A script that brings a path back to kept bytes, or to nothing. Leaves a file alone that is as it was. */
export function restoreScript(undo: FileUndo, kept: string): Sh {
  if (undo.was === null)
    return sh`f=${undo.path}; d=\${f%/*}; rm -f -- "$f"; rm -rf -- "\${d:-/}/.\${f##*/}.ferry-"??????; [ ! -d "\${d:-/}" ] || sync "\${d:-/}"`;
  const { mode, owner, group } = undo.was;
  // Bytes are kept before the first attempt: where none were, nothing was done.
  return sh`f=${undo.path}; k=${kept}
if [ ! -e "$k" ]; then [ ! -e "$k.absent" ] || rm -f -- "$f"; exit 0; fi
if cmp -s -- "$k" "$f" && [ "$(stat -c '%04a' -- "$f")" = ${mode} ] && [ "$(stat -c '%U:%G' -- "$f")" = ${`${owner}:${group}`} ]; then
d=\${f%/*}; rm -rf -- "\${d:-/}/.\${f##*/}.ferry-"??????; exit 0; fi
${CLOSED_BESIDE}
cat -- "$k" >"$t"; chown ${`${owner}:${group}`} -- "$t"; chmod ${mode} -- "$t"
${PUT_IN_PLACE}`;
}

/** The rollback of a step that replaced one file, which it kept as `before`. */
export async function restoreFile({
  on,
  undo,
  ctx,
}: {
  on: ActingHost;
  undo: FileUndo;
  ctx: Pick<ActContext, 'kept'>;
}): Promise<void> {
  await on.change('restore-file', restoreScript(undo, ctx.kept(on.name, 'before')));
}

/** The same for a dead-man switch. */
export function putFileBack(undo: FileUndo, kept: (name: string) => string): Sh {
  return restoreScript(undo, kept('before'));
}
