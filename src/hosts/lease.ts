import { forgetKeysOfRun } from './authorized-keys.ts';
import { disarmAll } from './dead-man.ts';
import { endAllDetached } from './detached-scripts.ts';
import { wholeStdin } from './effect-scripts.ts';
import { SECURE_FOLDER } from './host-folder.ts';
import { addRecords, type RecordsPart, refuseLower, writeEpoch } from './journal-copy.ts';
import { FERRY_DIR, runDir } from './layout.ts';
import { putWhole } from './put-whole.ts';
import { type Ended, runsSince, takeOutLine, writeLine } from './runs-here.ts';
import { type Sh, sh } from './sh.ts';

export interface Lease {
  readonly run: string;
  /** Who works on it: `user@machine`. */
  readonly holder: string;
  readonly since: string;
}

/**
 * Takes the host for a run, or prints why not: `held RUN HOLDER SINCE` when another has it, `abandoned` when this run was shut
 * out here, `stale EPOCH` when another controller has it, `unsafe WHY` when Ferry's folder there cannot be trusted, `plan-only`
 * for a login that may change nothing (docs/security.md), and what `addRecords` says. Takes records from stdin; writes the
 * run's epoch, under which name the run knows this machine, and that it worked here. Taking it twice is fine.
 */
export function takeLeaseScript(host: string, lease: Lease, epoch: number, records: RecordsPart | null = null): Sh {
  const line = `${lease.run} ${lease.holder} ${lease.since}`;
  return sh`[ -z "\${FERRY_PLAN_ONLY:-}" ] || { echo "plan-only"; exit 0; }
umask 077; ${records?.text ? wholeStdin(Buffer.byteLength(records.text)) : sh`exec </dev/null`}
set -e
${SECURE_FOLDER}
exec 9>>${`${FERRY_DIR}/lease.lock`}; flock -x 9
L=${`${FERRY_DIR}/lease`}; H=$(cat "$L" 2>/dev/null || :)
if [ -e ${`${runDir(lease.run)}/abandoned`} ]; then echo abandoned; exit 0; fi
if [ -n "$H" ] && [ "\${H%% *}" != ${lease.run} ]; then echo "held $H"; exit 0; fi
${refuseLower(lease.run, epoch)}
mkdir -p ${runDir(lease.run)}; sync ${FERRY_DIR}
${writeEpoch(`${runDir(lease.run)}/epoch`, epoch)}
${addRecords(records)}
N=${`${runDir(lease.run)}/hosts`}; grep -qxF -e ${host} "$N" 2>/dev/null || { printf '%s\\n' ${host} >>"$N" && sync "$N"; } || exit 1
${writeLine(lease.run)}
if [ -z "$H" ]; then ${putWhole(sh`"$L"`, sh`printf '%s\\n' ${line}`)} || exit 1; fi
echo taken`;
}

/**
 * Prints `yes N` where a run took the lease of this machine under this name; N records of it are there. A folder that names
 * nobody, as older releases left it, is of any name. Then what `runsSince` does. Reads only.
 */
export function knowsRunScript(host: string, run: string): Sh {
  return sh`R=${runDir(run)}; [ -d "$R" ] || exit 0; [ -s "$R/hosts" ] && { grep -qxF -e ${host} "$R/hosts" || exit 0; }; echo "yes $(cat "$R/journal" 2>/dev/null | wc -l)"
${runsSince(run)}`;
}

/**
 * Gives the host back, when this run has it and no later epoch of it. What it kept stays; what its transfers were let in by does
 * not. It is judged and done under one lock: a controller that takes the run over meanwhile loses nothing. Of a run that `ended` with
 * nothing of it left, the host says so from then on.
 */
export function releaseLeaseScript(run: string, epoch = Number.MAX_SAFE_INTEGER, ended: Ended | null = null): Sh {
  return sh`umask 077; [ -d ${FERRY_DIR} ] || exit 0; exec 9>>${`${FERRY_DIR}/lease.lock`}; flock -x 9
L=${`${FERRY_DIR}/lease`}; ${refuseLower(run, epoch)}
${forgetKeysOfRun(run)}
H=$(cat "$L" 2>/dev/null || :); if [ "\${H%% *}" = ${run} ]; then ${ended === null ? sh`:` : takeOutLine(run, ended)}
rm -f "$L"; fi`;
}

/**
 * Gives the host back and shuts the run out for good: it is marked and its epoch taken away, so the guard of every command of
 * its controller, should that still live, refuses, and that controller cannot take the host again. Waits for short commands
 * under way, also for those whose shell died, and ends detached ones, so that nothing of the run changes the host any more when
 * this returns, and no key of its transfers opens it. No lock is held for longer than it takes: others of this host wait for it.
 */
export function fenceLeaseScript(run: string): Sh {
  return sh`umask 077; mkdir -p ${runDir(run)}; exec 7>>${`${FERRY_DIR}/lease.lock`}; flock -x 7; true >${`${runDir(run)}/abandoned`} || exit 1; sync -f ${runDir(run)}; exec 7>&-
exec 8>>${`${FERRY_DIR}/lock`}; flock -x 8; rm -f ${`${runDir(run)}/epoch`}; exec 8>&-
${endAllDetached(run)}
${disarmAll(run)}
for H in ${runDir(run)}/*/*/held; do [ ! -e "$H" ] || [ -s "\${H%held}rc" ] || flock -x "$H" true; done
${forgetKeysOfRun(run)}
exec 7>>${`${FERRY_DIR}/lease.lock`}; flock -x 7
L=${`${FERRY_DIR}/lease`}; H=$(cat "$L" 2>/dev/null || :); if [ "\${H%% *}" = ${run} ]; then rm -f "$L"; fi`;
}

/** Prints the lease, or nothing. Reads only. */
export function readLeaseScript(): Sh {
  return sh`cat ${`${FERRY_DIR}/lease`} 2>/dev/null || :`;
}

/** Reads the line `readLeaseScript` prints; null when the host is free. */
export function parseLease(line: string): Lease | null {
  const [run, holder, since] = line.trim().split(' ');
  return run && holder && since ? { run, holder, since } : null;
}
