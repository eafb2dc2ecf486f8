import {
  ADD_LINE,
  AS_OWNER,
  dropKeyLines,
  endReceivers,
  keyMarker,
  LOCK_KEYS,
  receivesFor,
  recordKeyFile,
} from '../../hosts/authorized-keys.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import { makeFolders, removeFolders } from '../made-folders.ts';

/** What transfers of a step leave on hosts while they run. */
export interface Places {
  readonly run: string;
  /** On the source: key, known_hosts, pid. On the destination: the forced command. 0700, on a tmpfs. */
  readonly folder: string;
  /** Holds the folders of all attempts. */
  readonly parent: string;
  /** The comment of the key line in authorized_keys. */
  readonly marker: string;
  /** The beginning of the markers of all attempts. */
  readonly markers: string;
}

export function placesOf({ run, step, attempt }: { run: string; step: string; attempt: number }): Places {
  const parent = `/run/ferry/${run}/transfer/${step}`;
  const markers = `${keyMarker(run)}${step}:`;
  return { run, folder: `${parent}/${attempt}`, parent, marker: `${markers}${attempt}`, markers };
}

/** The path under which bytes stand until they are whole and compared. */
export function partOf(path: string): string {
  return `${path}.ferry-part`;
}

/** On the source: makes the key of one transfer and pins the destination's host key. Prints the public key. */
export function makeKeyScript({ folder, marker }: Places, hostKey: { type: string; blob: string }): Sh {
  return sh`set -e; umask 077; rm -rf ${folder}; mkdir -p ${folder}; cd ${folder}
ssh-keygen -q -t ed25519 -N '' -C ${marker} -f key
printf '%s\\n' ${`ferry-destination ${hostKey.type} ${hostKey.blob}`} >known_hosts
cat key.pub`;
}

export interface Login {
  readonly user: string;
  readonly address: string;
  readonly port: number;
}

/** Sets `$s` and `$a` to the .ssh folder and the authorized_keys of a user. */
function loginFiles(user: string): Sh {
  return sh`h=$(getent passwd ${user} | cut -d: -f6); [ -n "$h" ] || { echo "no home folder of "${user} >&2; exit 1; }; s="$h/.ssh"; a="$s/authorized_keys"`;
}

/**
 * On the destination: lets the key in for a day, from the source alone, and for nothing but to receive this one file. What receives
 * for a former attempt is ended first. A file made for it is marked as such, so that it goes again.
 */
export function authorizeScript(
  places: Places,
  user: string,
  publicKey: string,
  addresses: readonly string[],
  path: string,
  folders: readonly string[],
): Sh {
  const { run, folder, parent, marker } = places;
  const receive = `${folder}/receive`;
  const command = `${user === 'root' ? '' : 'sudo -n '}/bin/sh ${receive}`;
  const [type = '', blob = ''] = publicKey.split(' ');
  return sh`set -e; umask 077; ${makeFolders(folders)}
rm -f -- ${parent}/*/receive; ${endReceivers(parent)}
mkdir -p ${folder}; printf '%s\\n' ${receiveScript(path, parent).text} >${receive}
${LOCK_KEYS}
${loginFiles(user)}; ${recordKeyFile(run)}
if [ ! -d "$s" ]; then mkdir -m 0700 "$s"; chown -h ${user}: "$s"; fi
e=$(unset TZ; date -d "@$(( $(date +%s) + 86400 ))" +%Y%m%d%H%M%S)
l=$(printf 'restrict,from="%s",command="%s",expiry-time="%s" %s %s %s' ${addresses.join(',')} ${command} "$e" ${type} ${blob} ${marker})
${AS_OWNER}
as_owner "$s" ${ADD_LINE.text} sh ${`# made for ${marker}`} "$l" ${user}`;
}

/**
 * Writes what comes in beside the destination, hashing while it streams; as the forced command of the transfers in a folder, where one is
 * given. Prints `received SHA256 BYTES`.
 */
export function receiveScript(path: string, folder?: string): Sh {
  // How the writing ended goes past the hash, not by a file: a full disk may have no room for one, and another may take it away.
  // Former versions left one there, `.failed`.
  return sh`${folder === undefined ? sh`:` : receivesFor(folder)}
umask 077; p=${partOf(path)}; rm -f -- "$p" "$p.failed"
set -- $( { { tee -- "$p"; echo "wrote $?" >&3; } | sha256sum; } 3>&1 )
[ "$1 $2" = 'wrote 0' ] || { rm -f -- "$p"; exit 74; }
sync "$p" || exit 74
echo "received $3 $(stat -c %s -- "$p")"`;
}

/**
 * Takes away every key line of a step's transfers and their forced commands, also one still at work; nothing is left of them. Without its
 * file a forced command receives nothing, so that goes first: the key lines may be in a file that cannot be edited.
 */
export function revokeScript({ parent, markers }: Places, user: string): Sh {
  return sh`set -e; umask 077; ${removeFolder(parent)}
e=0; ( ${endReceivers(parent)} ) || e=1
${LOCK_KEYS}
${loginFiles(user)}
${AS_OWNER}
${dropKeyLines(sh`${markers}`)}
exit $e`;
}

/** On the source: sends the file and compares both hashes. Prints `sent SHA256 BYTES CHANGED`; whatever ssh says goes to its log. */
export function sendScript({ folder }: Places, source: string, to: Login, hostKeyType: string): Sh {
  const algorithms = hostKeyType === 'ssh-rsa' ? 'rsa-sha2-512,rsa-sha2-256' : hostKeyType;
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'PreferredAuthentications=publickey',
    'StrictHostKeyChecking=yes',
    'HostKeyAlias=ferry-destination',
    `HostKeyAlgorithms=${algorithms}`,
    `UserKnownHostsFile=${folder}/known_hosts`,
    'GlobalKnownHostsFile=/dev/null',
    'Compression=no',
    'ConnectTimeout=15',
    'ServerAliveInterval=5',
    'ServerAliveCountMax=6',
  ].flatMap((option) => ['-o', option]);
  return sh`f=${source}; cd ${folder} || exit 1
trap 'rm -f key' EXIT
c=$(stat -L -c %Y -- "$f") || exit 1
sha256sum <"$f" >sum & s=$!
ssh -T -F /dev/null -i ${`${folder}/key`} ${options} -p ${to.port} -l ${to.user} -- ${to.address} receive <"$f" >answer & p=$!
echo $p >pid; wait $p; r=$?
[ $r -eq 0 ] || { kill $s 2>/dev/null; [ $r -ne 74 ] || echo 'the destination could not write it all'; exit $r; }
wait $s || exit 1
read -r word hash bytes <answer; read -r own rest <sum
[ "$word" = received ] || { echo "unexpected answer: $word"; exit 65; }
[ "$hash" = "$own" ] || { echo "hashes differ: sent $own, received $hash"; exit 65; }
echo "sent $hash $bytes $c"`;
}

/** The same for a source and a destination on one machine. */
export function copyScript(source: string, path: string, folders: readonly string[]): Sh {
  return sh`${makeFolders(folders)}
f=${source}; c=$(stat -L -c %Y -- "$f") || exit 1
set -- $( ( ${receiveScript(path)}
) <"$f" )
[ "$1" = received ] || { echo 'it could not be written'; exit 74; }
echo "sent $2 $3 $c"`;
}

/** Prints how many bytes of the file ssh has read so far. */
export function progressScript({ folder }: Places): Sh {
  return sh`sed -n 's/^pos:[^0-9]*//p' "/proc/$(cat ${`${folder}/pid`})/fdinfo/0"`;
}

/** The key in what ssh-keygen printed; undefined for anything else, which would stand in the authorized_keys of another host. */
export function parsePublicKey(printed: string): string | undefined {
  return /^ssh-ed25519 [A-Za-z0-9+/]{60,100}={0,2}(?= |$)/.exec(printed.trim().includes('\n') ? '' : printed.trim())?.[0];
}

export interface Whole {
  readonly sha256: string;
  readonly bytes: number;
  readonly changedAtS: number;
}

/** Reads the last line of what the sender printed. */
export function parseSent(log: string): Whole | undefined {
  const [, sha256, bytes, changed] = /^sent ([0-9a-f]{64}) (\d+) (-?\d+)$/m.exec(log) ?? [];
  return sha256 && bytes && changed ? { sha256, bytes: Number(bytes), changedAtS: Number(changed) } : undefined;
}

/** On the destination: gives whole bytes their mode, owner and time, and their name, without writing over anything. */
export function placeScript(path: string, has: { mode: string; owner: string; group: string }, changedAtS: number): Sh {
  return sh`set -e; p=${partOf(path)}; f=${path}
chown ${`${has.owner}:${has.group}`} -- "$p"; chmod ${has.mode} -- "$p"; touch -d ${`@${changedAtS}`} -- "$p"
mv -nT -- "$p" "$f"; if [ -e "$p" ]; then echo "something else is at $f by now" >&2; exit 17; fi
sync "\${f%/*}/"`;
}

/** Takes away the file, its parts and everything else a transfer may have left on the destination. */
export function removeScript(path: string, folders: readonly string[]): Sh {
  return sh`rm -f -- ${path} ${partOf(path)} ${`${partOf(path)}.failed`}; ${removeFolders(folders)}`;
}

/** Takes away the keys of a step's transfers on the source. */
export function forgetKeysScript({ parent }: Places): Sh {
  return removeFolder(parent);
}

/** Removes a folder and those above it that are empty then. */
function removeFolder(path: string): Sh {
  return sh`rm -rf -- ${path}; rmdir -p -- ${path.slice(0, path.lastIndexOf('/'))} 2>/dev/null || :`;
}
