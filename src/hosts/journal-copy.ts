import { SECURE_FOLDER } from './host-folder.ts';
import { FERRY_DIR, runDir } from './layout.ts';
import { putWhole } from './put-whole.ts';
import { type Sh, sh } from './sh.ts';
import { endStale } from './stale-epoch.ts';

/** The records of a run after a number, one line each, and the hash of the one before them: what a host's copy is made of. */
export type RecordsAfter = (seq: number) => { readonly previous: string | null; readonly lines: readonly string[] };

/** Some of a run's records on their way to a host, as text on stdin; `first` is the number of the first of them. */
export interface RecordsPart {
  readonly run: string;
  readonly text: string;
  readonly first: number;
  readonly previous: string | null;
}

/** How much of a copy is read in one go, in bytes; as base64 it stays well below what a command may print. */
const CHUNK_BYTES = 3 << 20;

/** Goes no further when the run belongs to another epoch: `stale EPOCH HOLDER`. Needs the lock, shared. */
export function epochCheck(run: string, epoch: number): Sh {
  return sh`E=$(cat ${`${runDir(run)}/epoch`} 2>/dev/null || echo gone); [ -e ${`${runDir(run)}/abandoned`} ] && E=gone; [ "$E" = ${epoch} ] || ${endStale(run)}`;
}

/**
 * A piece of script that adds lines from stdin to the host's copy of a run's records, on disk when it goes on. It goes no
 * further with `has N` when the copy holds another number of records than those before `first`, which a call tried again over a
 * fresh connection finds too, and with `forked N` when record N there is not the one they stand on. A last line that died
 * half-way goes first: cut off where it lies, since a disk that is full has no room for a copy without it.
 */
export function addRecords(part: RecordsPart | null): Sh {
  if (part === null) return sh`:`;
  const { run, first, previous } = part;
  const before = first - 1;
  const isOnTop = sh`case "$(sed -n ${`${before}{p;q}`} "$J" | cut -c1-120)" in ${`{"seq":${before},"hash":"${previous}",`}*) ;; *) echo ${`forked ${before}`}; exit 0;; esac`;
  return sh`J=${`${runDir(run)}/journal`}; exec 3>>"$J.lock"; flock -x 3; [ -e "$J" ] || { true >>"$J" && sync ${runDir(run)}; } || exit 1
if [ "$(tail -c 1 "$J" | wc -l)" -eq 0 ] && [ -s "$J" ]; then truncate -s $(($(wc -c <"$J") - $(tail -n 1 "$J" | wc -c))) "$J" && sync "$J" || exit 1; fi
n=$(wc -l <"$J"); [ "$n" -eq ${before} ] || { echo "has $n"; exit 0; }
${before > 0 && previous !== null ? isOnTop : sh`:`}
cat >>"$J" && sync "$J" || { echo "$J could not be written" >&2; exit 1; }
exec 3>&-`;
}

/** Prints how many bytes the host's copy of a run's records has, or nothing. */
export function copySizeScript(run: string): Sh {
  return sh`[ ! -e ${`${runDir(run)}/journal`} ] || wc -c <${`${runDir(run)}/journal`}`;
}

/** Prints one piece of the copy, from a byte on, in base64: a piece may end within a letter. */
export function copyChunkScript(run: string, offset: number): Sh {
  return sh`tail -c +${offset + 1} ${`${runDir(run)}/journal`} | head -c ${CHUNK_BYTES} | base64 -w0`;
}

/**
 * Gives a run to another controller: raises its epoch on this host, writes down who holds the lease now, and waits for short commands
 * under way, at most `waitS` seconds. From the first moment on the guard refuses every command of an epoch before, and the host is not taken
 * for one. Prints `none` where the run has left nothing, `unsafe WHY`, `abandoned`, `stale EPOCH` when it belongs to a later one already, `busy` when a command did not end in that time, `raised` else; and
 * `raised held` or `busy held` where the run has the lease.
 */
export function raiseEpochScript(lease: { run: string; holder: string; since: string }, epoch: number, waitS: number): Sh {
  const line = `${lease.run} ${lease.holder} ${lease.since}`;
  return sh`umask 077; ${SECURE_FOLDER}
R=${runDir(lease.run)}; L=${`${FERRY_DIR}/lease`}; exec 7>>${`${FERRY_DIR}/lease.lock`}; flock -x 7; [ ! -e "$R/abandoned" ] || { echo abandoned; exit 0; }
${refuseLower(lease.run, epoch)}
[ -d "$R" ] || { ${writeEpoch(epochMark(lease.run), epoch)}; echo none; exit 0; }
${writeEpoch(`${runDir(lease.run)}/epoch`, epoch)}
h=; H=$(cat "$L" 2>/dev/null || :); if [ "\${H%% *}" = ${lease.run} ]; then h=' held'; ${putWhole(sh`"$L"`, sh`printf '%s\\n' ${line}`)} || exit 1; fi; exec 7>&-
flock -w ${waitS} -x ${`${FERRY_DIR}/lock`} true && echo "raised$h" || echo "busy$h"`;
}

/** Where the epoch of a run stands on a host that it has not taken yet: its folder would say that it knows the machine. */
export function epochMark(run: string): string {
  return `${runDir(run)}.epoch`;
}

/** Goes no further with `stale EPOCH` where a run's epoch on this host is higher than one. Needs the lock of leases. */
export function refuseLower(run: string, epoch: number): Sh {
  return sh`E=0; for e in $(cat ${`${runDir(run)}/epoch`} ${epochMark(run)} 2>/dev/null); do case "$e" in *[!0-9]*) ;; *) [ "$e" -le "$E" ] || E=$e;; esac; done; [ "$E" -le ${epoch} ] || ${endStale(run)}`;
}

/** Writes an epoch that was found to be no lower. */
export function writeEpoch(file: string, epoch: number): Sh {
  return sh`${putWhole(sh`${file}`, sh`echo ${epoch}`)} || exit 1`;
}
