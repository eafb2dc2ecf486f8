import { guard, TAKE_LOCK } from './effect-scripts.ts';
import { LEAVE_CODE } from './exit-code.ts';
import type { Limits } from './host.ts';
import { type AttemptId, attemptDir, FERRY_DIR, runDir, SECRETS_DIR, secretsDir, unitName } from './layout.ts';
import { plainLimits, unitLimits } from './limits.ts';
import { LOG_CHUNK_BYTES } from './log-follower.ts';
import { POSTMORTEM, RECORD_BOOT } from './postmortem.ts';
import { type Sh, sh } from './sh.ts';

/** How much of the log of a long command is given back, from its end. */
export const LOG_TAIL_BYTES = 65_536;

/** How long a log may grow before its command is ended. It lies under /var/lib, as databases do. */
export const LOG_LIMIT_BYTES = 256 << 20;

/** How long what is ended has for an end of its own, before it is killed. */
const GRACE_S = 10;

/** What `systemctl is-active` says of a unit that is not over; for `case "$S" in`. */
const UNIT_LIVES = sh`active|activating|deactivating|reloading`;

/** Asks how unit `$u` stands. A systemd that gives no answer, as one that goes down, does not say that it is over. */
const ASK_UNIT = sh`S=$(systemctl is-active "$u" 2>/dev/null); [ -z "$S" ] && [ "$(cat "$F/how" 2>/dev/null)" = systemd ] && S=active`;

/** Leaves word, before a command can begin, that it is to be killed at once by whoever ends it. */
export function markKill(kill: boolean): Sh {
  return kill ? sh`true >"$F/kill"` : sh`true`;
}

/**
 * Starts `command` on its own, at most once per attempt and name: as a transient unit, or, where there is no systemd or
 * systemd-run is refused, as a session of its own. Its script writes its log and, by rename, its exit code, because a unit does not outlive a
 * reboot and a file does. The script is a file, and not begun unless it is whole: systemd expands `$` in arguments. It begins by an atomic mkdir, so that a unit
 * which starts after all, when systemd-run has failed, does nothing; and what is asked to end leaves no exit code, whoever of its
 * processes hears it first.
 */
export function detachedScript(id: AttemptId, name: string, command: Sh, limits: Limits = {}, kill = false): Sh {
  const unit = unitName(id, name);
  const stop = kill ? sh`--property=KillSignal=SIGKILL` : sh`--property=TimeoutStopSec=${GRACE_S}`;
  const body = sh`mkdir "$F/begun" 2>/dev/null || exit 0
trap 'exit 143' TERM
exec >>"$F/out" 2>&1 </dev/null
read -r S </proc/$$/stat; set -- \${S##*) }; echo "$$ \${20}" >"$F/pid"
FERRY_EFFECT="\${F#${FERRY_DIR}/}" FERRY_SECRETS=${secretsDir(id, name)}; export FERRY_EFFECT FERRY_SECRETS
umask 022; sh -c ${command.text}; r=$?; umask 077
[ -e "$F/ended" ] && exit 143
rm -rf "$FERRY_SECRETS"
${LEAVE_CODE}`;
  return sh`umask 077
${guard(id)}
F="$A/"${name}; ${TAKE_LOCK}
if mkdir "$F" 2>/dev/null; then
if true >"$F/out" && true >"$F/err" && ${markKill(kill)} && ${RECORD_BOOT} && echo ${unit} >"$F/unit" && printf 'F=%s\n%s\n' "$F" ${body.text} >"$F/script" && sync "$F/script"; then
logger -t ferry -- ${`run=${id.run} step=${id.step} attempt=${id.attempt}${id.undo ? ' undo' : ''} detached=${name}`} 2>/dev/null
if [ -d /run/systemd/system ] && systemd-run --quiet --unit=${unit} --property=WorkingDirectory=/ --property=KillMode=control-group ${stop} ${unitLimits(limits)} --setenv=LC_ALL=C --setenv="PATH=$PATH" /bin/sh "$F/script" >"$F/err" 2>&1 8>&- 9>&-
then echo systemd >"$F/how"
else echo setsid >"$F/how"; exec 6>>"$F/held"; flock -x 6; cd /; setsid env -i LC_ALL=C PATH="$PATH" ${plainLimits(limits)} /bin/sh "$F/script" </dev/null >>"$F/err" 2>&1 8>&- 9>&- & exec 6>&-
fi; else true >"$F/unwritten"; fi; fi
echo running`;
}

/**
 * Asks how a detached command stands: answer line, bytes done, and then, of one that ended, the end of its log; of one that
 * runs `FROM SIZE BASE64`: a chunk of its log from the byte `offset` on, nearer to the end where that is far off.
 */
export function watchScript(id: AttemptId, name: string, progress: Sh | undefined, offset: number | null): Sh {
  // Whether it lives is asked first and the file second: the other order could miss an exit in between and call it lost.
  return sh`F=${`${attemptDir(id)}/${name}`}; u=${unitName(id, name)}; [ -e "$F.alive" ] && { exec 8>>"$F.alive"; flock -x 8; }
${ASK_UNIT}; [ -e "$F/held" ] && ! flock -n "$F/held" true && S=active
if [ -s "$F/rc" ]; then echo "exited $(cat "$F/rc")"; echo; tail -c ${LOG_TAIL_BYTES} "$F/out"
else case "$S" in ${UNIT_LIVES}) echo running; ${progress ? sh`echo $(sh -c ${progress.text} 2>/dev/null)` : sh`echo`}
z=$(stat -c %s "$F/out"); o=${offset ?? -1}; [ $o -ge 0 ] || { o=$((z-4096)); [ $o -ge 0 ] || o=0; }; [ $((z-o)) -le ${LOG_CHUNK_BYTES} ] || o=$((z-${LOG_CHUNK_BYTES}))
if [ $z -gt $o ]; then echo "$o $z $(tail -c +$((o+1)) "$F/out" | head -c ${LOG_CHUNK_BYTES} | base64 -w0)"; else echo "$o $z"; fi;;
*) echo "lost $(${POSTMORTEM})"; echo; tail -c ${LOG_TAIL_BYTES} "$F/out"; systemctl reset-failed "$u" 2>/dev/null; rm -rf ${secretsDir(id, name)};; esac; fi`;
}

/**
 * Lists what an attempt did on a host, one effect a line: `name detached|short exited|running|lost`, after `exited` its exit code,
 * after `lost` what is known of how it died.
 */
export function effectsScript(id: AttemptId): Sh {
  return sh`A=${attemptDir(id)}; [ -d "$A" ] || { echo none; exit 0; }; echo found
for F in "$A"/*/; do F="\${F%/}"; [ -d "$F" ] || continue; n="\${F##*/}"; k=short; u=; [ -e "$F/unit" ] && { k=detached; u=$(cat "$F/unit"); }
S=inactive; if ! flock -n "$F.alive" true || { [ -e "$F/held" ] && ! flock -n "$F/held" true; }; then S=active; elif [ "$k" = detached ]; then ${ASK_UNIT}; fi
if [ -s "$F/rc" ]; then s="exited $(cat "$F/rc")"; else case "$S" in ${UNIT_LIVES}) s=running;; *) s="lost $(${POSTMORTEM})";; esac; fi
echo "$n $k $s"; done`;
}

/** Sets `P` to the first process of the session of the command in folder `$F`, while that is known to be the same one. */
const SESSION = sh`P=; if read -r p t <"$F/pid" && read -r S <"/proc/$p/stat"; then set -- \${S##*) }; [ "\${20}" = "$t" ] && P=$p; fi 2>/dev/null`;

/** Defines `members`, which prints the processes of the command in folder `$F` where that is no unit. */
const MEMBERS = sh`members() { { grep -lzxF -e "FERRY_EFFECT=\${F#${FERRY_DIR}/}" /proc/[0-9]*/environ
for d in /proc/[0-9]*; do [ "$d/fd/6" -ef "$F/held" ] && echo "$d/"; [ -n "$P" ] && read -r S <"$d/stat" && set -- \${S##*) } && [ "$4" = "$P" ] && echo "$d/"; done; } 2>/dev/null | cut -d/ -f3 | sort -u; }`;

/** Both, for a look at what runs. */
export const SET_PARTS = sh`${MEMBERS}
${SESSION}`;

/**
 * Shell functions that end the command in folder `$F`, of unit `$u` where it has one, and everything it started, and return when nothing of it is
 * left; 1 and a word when something is. What has ended by itself is left alone. A unit is ended with its control group. A session is ended with all that belongs
 * to it: what has the command's mark in its environment, or the lock it was started with, or is of its session while the
 * process that began it is known to be the same one.
 */
const END_ONE = sh`${MEMBERS}
end_one() { [ -d "$F" ] || return 0; [ ! -s "$F/rc" ] && [ ! -s "$F/lost" ] && true >"$F/ended"
if [ -n "$u" ]; then C=$(systemctl show -p ControlGroup --value "$u" 2>/dev/null); systemctl stop "$u" 2>/dev/null; systemctl reset-failed "$u" 2>/dev/null
if [ -n "$C" ] && cat "/sys/fs/cgroup$C/cgroup.procs" "/sys/fs/cgroup/systemd$C/cgroup.procs" 2>/dev/null | grep -q .; then echo "what runs in $u cannot be ended" >&2; return 1; fi; fi
[ -s "$F/rc" ] && return 0
${SESSION}
n=0; while L=$(members); [ -n "$L" ]; do [ $n -lt ${GRACE_S * 15} ] || { echo "process $(echo $L) cannot be ended" >&2; return 1; }
if [ -e "$F/kill" ] || [ $n -ge ${GRACE_S * 10} ]; then kill -KILL $L; elif [ $n -eq 0 ]; then kill -TERM $L; fi 2>/dev/null; n=$((n+1)); sleep 0.1; done; }`;

/**
 * Ends what an attempt's detached commands still run, and everything those started; waits until it is gone. It passes the guard: what a
 * controller has joined, one that it has replaced must not end.
 */
export function endDetachedScript(id: AttemptId): Sh {
  return sh`${guard(id)}
${END_ONE}
r=0; for F in ${attemptDir(id)}/*/unit; do [ -e "$F" ] || continue; u=$(cat "$F"); F="\${F%/unit}"; end_one || r=1; done
for S in ${secretsDir(id, '')}*; do [ -e "$S" ] && rm -rf "$S"; done; rmdir ${`${SECRETS_DIR}/${id.run}`} 2>/dev/null; exit $r`;
}

/**
 * A piece of script for the host's own use, which asks for no epoch: ends whatever is at work of an attempt, short commands too, and sets
 * `r` to 1 where it cannot. What is just being begun holds its lock by then, and is ended as soon as it shows.
 */
export function endAttempt(id: AttemptId): Sh {
  return sh`${END_ONE}
A=${attemptDir(id)}; r=0; for X in "$A"/*.alive; do [ -e "$X" ] || continue; F="\${X%.alive}"; m=0
while :; do flock -n "$X" true; h=$?; u=$(cat "$F/unit" 2>/dev/null); end_one || { r=1; break; }
[ $h -ne 0 ] || break; [ $m -lt ${GRACE_S * 15} ] || { echo "$F cannot be ended" >&2; r=1; break; }; m=$((m+1)); sleep 0.1; done; done
for S in ${secretsDir(id, '')}*; do [ -e "$S" ] && rm -rf "$S"; done; rmdir ${`${SECRETS_DIR}/${id.run}`} 2>/dev/null; :`;
}

/** The same for all of a run's long commands, as a piece of a script; what cannot be ended is told on stderr. */
export function endAllDetached(run: string): Sh {
  return sh`${END_ONE}
for F in ${runDir(run)}/*/*/unit; do [ -e "$F" ] || continue; u=$(cat "$F"); F="\${F%/unit}"; end_one; done`;
}
