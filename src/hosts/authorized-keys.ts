import { FERRY_DIR, runDir, SECRETS_DIR } from './layout.ts';
import { type Sh, sh } from './sh.ts';

/** Names the keys of a run in an authorized_keys file; a step and an attempt follow. */
export function keyMarker(run: string): string {
  return `ferry:${run}:`;
}

/** Where a run says which authorized_keys files it has edited on a host. */
function listOf(run: string): string {
  return `${runDir(run)}/authorized-keys`;
}

/** Takes the lock that every edit of an authorized_keys file holds, as file 7. */
export const LOCK_KEYS: Sh = sh`exec 7>>${`${FERRY_DIR}/authorized_keys.lock`}; flock -x 7`;

/** Puts the file named by `$a` on record, before the first key gets into it: whoever ends the run finds the key by that. */
export function recordKeyFile(run: string): Sh {
  return sh`printf '%s\\n' "$a" >>${listOf(run)} && sync ${listOf(run)} ${runDir(run)} || exit 1`;
}

/**
 * Shell function `as_owner FOLDER SCRIPT ARGUMENT...`: runs a script in a folder, with the rights of the folder's owner and no more. What is
 * root's must not be written by a name somebody else may turn into a link; so the folder is entered first, and what is done there
 * is done by who could do it anyway. Who owns it can stop that, and has a minute for it.
 */
export const AS_OWNER: Sh = sh`as_owner() ( cd -P -- "$1" || exit 1; shift; exec </dev/null 7>&- 8>&- 9>&-
[ "$(stat -c %u .)" = "$(id -u)" ] || exec timeout 60 runuser -u "$(stat -c %U .)" -- env -i LC_ALL=C PATH="$PATH" sh -c "$@"
[ -z "$(find . -maxdepth 0 -perm /022)" ] || { echo "others may write in $PWD" >&2; exit 1; }
exec sh -c "$@" )`;

/** Sets `$a` to the authorized_keys of the folder it runs in, wherever that leads, and `$t` to what takes its place. */
const FILES = sh`umask 077; a=authorized_keys; [ ! -L "$a" ] || a=$(readlink -f -- "$a"); t="$a.ferry"; rm -f -- "$t"`;

/** For `as_owner`: adds the line `$2`; where there is no file, makes one for the user `$3` that begins with the line `$1`. */
export const ADD_LINE: Sh = sh`set -e; ${FILES}
trap 'rm -f -- "$t"' EXIT
if [ -e "$a" ]; then cp -a -- "$a" "$t"; else printf '%s\\n' "$1" >"$t"; [ "$(id -u)" -ne 0 ] || chown -- "$3:" "$t"; fi
if [ -s "$t" ] && [ -n "$(tail -c 1 "$t")" ]; then echo >>"$t"; fi
printf '%s\\n' "$2" >>"$t"
sync "$t"
mv -fT -- "$t" "$a"
sync .`;

/** For `as_owner`: takes out the lines with `$1` in them. It counts what is to stay before it writes, so nothing else is lost. */
const DROP_LINES = sh`${FILES}
[ -e "$a" ] || exit 0
grep -aqF -e "$1" -- "$a"; case $? in 0) ;; 1) exit 0;; *) exit 1;; esac
k=$(grep -acvF -e "$1" -- "$a"); [ $? -le 1 ] || exit 1
if [ "$k" -eq 0 ] && grep -aqF -e "# made for $1" -- "$a"; then rm -f -- "$a"; exit; fi
cp -a -- "$a" "$t" && { grep -avF -e "$1" -- "$a" >"$t"; [ $? -le 1 ]; } && [ "$(wc -l <"$t")" -eq "$k" ] && sync "$t" && mv -fT -- "$t" "$a" && sync . || { rm -f -- "$t"; exit 1; }`;

/**
 * Takes the lines with a marker, one word of shell text, out of the file named by `$a`; one that was made for them goes when nothing
 * else is in it. Fails where it cannot, and the file is as it was then. Needs `AS_OWNER`.
 */
export function dropKeyLines(marker: Sh): Sh {
  return sh`{ [ ! -d "\${a%/*}" ] || as_owner "\${a%/*}" ${DROP_LINES.text} sh ${marker} || { echo "$a still lets a transfer in: it could not be edited" >&2; false; }; }`;
}

/**
 * Begins a forced command: marks it, and all it starts, as what receives for `folder`. It is read anew for that, so that one whose
 * file is gone by then ends here.
 */
export function receivesFor(folder: string): Sh {
  return sh`[ "\${FERRY_RECEIVES:-}" = ${`${folder}/`} ] || { FERRY_RECEIVES=${`${folder}/`}; export FERRY_RECEIVES; exec /bin/sh "$0"; }`;
}

/**
 * Ends what still receives for a folder, or for one in it: a connection of which only the other end knows that it is cut keeps it at work.
 * The files of the forced commands must be gone before, so that none begins after. Ends the script with 1 where one cannot be ended.
 */
export function endReceivers(folder: string): Sh {
  return sh`n=0; while P=$(grep -lzF -e ${`FERRY_RECEIVES=${folder}/`} /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3); [ -n "$P" ]; do
[ $n -lt 100 ] || { echo "process $(echo $P) still receives, and cannot be ended" >&2; exit 1; }
kill -KILL $P 2>/dev/null || :; n=$((n+1)); sleep 0.1; done`;
}

/**
 * Leaves nothing on a host by which a transfer of the run could go on: no key, no line that lets one in, no forced command at work. Ends the
 * script with 1 where it cannot; what is left is on record still.
 */
export function forgetKeysOfRun(run: string): Sh {
  const transfers = `${SECRETS_DIR}/${run}/transfer`;
  return sh`${AS_OWNER}
if [ -e ${listOf(run)} ]; then rm -rf -- ${transfers}; e=0; ( ${endReceivers(transfers)} ) || e=1
( ${LOCK_KEYS}; left=; while IFS= read -r a; do ${dropKeyLines(sh`${keyMarker(run)}`)} || left=1; done <${listOf(run)}; [ -z "$left" ] ) && [ $e -eq 0 ] && rm -f ${listOf(run)} || exit 1; fi
rm -rf -- ${transfers}; rmdir ${`${SECRETS_DIR}/${run}`} 2>/dev/null || :`;
}
