import { endAttempt } from './detached-scripts.ts';
import { guard } from './effect-scripts.ts';
import { type AttemptId, attemptDir, DEAD_MAN, runDir, unitName } from './layout.ts';
import { putWhole } from './put-whole.ts';
import { type Sh, sh } from './sh.ts';

/**
 * How the dead-man switch of an attempt stands: `armed` also when its time is over and it could not do its work; `none` when
 * there is none.
 */
export type DeadManState = 'none' | 'armed' | 'confirmed' | 'reverted';

/** What a host does by itself unless Ferry confirms in time. */
export interface DeadMan {
  readonly afterMs: number;
  /** Brings back the kept bytes: a target state, right whatever was done of the step. */
  readonly putBack: Sh;
  /** Shell text that lets a service see them. */
  readonly reload: string | null;
}

/** The longest time `reload` may take. */
const RELOAD_S = 60;

function folderOf(id: AttemptId): string {
  return `${attemptDir(id)}/${DEAD_MAN}`;
}

function unitOf(id: AttemptId): string {
  return unitName(id, 'dead-man').replace(/\.service$/, '');
}

/** Prints the answer line: the state, and after `reverted` the exit code of `reload`. */
const ANSWER = sh`if [ -e "$D/confirmed" ]; then echo confirmed; elif [ -e "$D/reverted" ]; then echo "reverted $(cat "$D/reverted")"; elif [ -e "$D/armed" ]; then echo armed; else echo none; fi`;

/** Gives the mark made at arming its name, `fired` or `confirmed`: a disk that takes no new file has room for that still. */
function mark(name: 'fired' | 'confirmed'): Sh {
  return sh`{ mv -f "$D/waits" "$D/"${name} 2>/dev/null || true >"$D/"${name}; sync "$D"; }`;
}

/**
 * Arms the switch of an open attempt, once: a timer of its own where there is systemd, else a session that waits. Its script
 * and `confirmDeadManScript` take the same lock, so exactly one of them wins, also at the last moment. It is armed when `armed`
 * is written, which holds the boot the timer is of: it is set again after a reboot, and one nobody knows of does nothing. Prints
 * `unarmed WHY` when no timer could be set or that could not be written. With `fired` on disk no effect of the attempt begins any more;
 * `reverted` says that all was put back and nothing was left that could change it again.
 */
export function armDeadManScript(id: AttemptId, { afterMs, putBack, reload }: DeadMan): Sh {
  const seconds = Math.ceil(afterMs / 1000);
  // What is still at work of the attempt could change again what is put back. Where it cannot be ended, all is put back even so.
  const body = sh`exec >>"$D/out" 2>&1 </dev/null
exec 8>>"$D/lock"; flock -x 8
[ -e "$D/armed" ] || exit 0; [ ! -e "$D/confirmed" ] || exit 0; [ ! -e "$D/reverted" ] || [ "$1" = again ] || exit 0
[ -e "$D/fired" ] || ${mark('fired')}
( ${endAttempt(id)}; exit $r ) 8>&-; e=$?
umask 022; sh -c ${putBack.text} 8>&- || { echo "what was kept could not be put back: exit code $?"; exit 1; }
${reload === null ? sh`r=0` : sh`timeout ${RELOAD_S} sh -c ${reload} 8>&-; r=$?`}
[ $e -eq 0 ] || { echo "what was kept was put back, but what could change it again still runs"; exit 1; }
umask 077; ${putWhole(sh`"$D/reverted"`, sh`echo $r`)} || { echo "what was kept was put back, but that could not be written down"; exit 1; }
logger -t ferry -- ${`run=${id.run} step=${id.step} attempt=${id.attempt} dead-man reverted`} 2>/dev/null; exit 0`;
  return sh`umask 077
${guard(id)}
D=${folderOf(id)}; mkdir -p "$D"; exec 8>>"$D/lock"; flock -x 8
B=; read -r B </proc/sys/kernel/random/boot_id
if [ ! -e "$D/confirmed" ] && [ ! -e "$D/fired" ] && [ ! -e "$D/reverted" ] && { [ ! -e "$D/armed" ] || [ "$(cat "$D/armed")" != "$B" ]; }; then
unarmed() { ${stopTimer(id)}; echo "unarmed $1"; exit 0; }
rm -f "$D/armed"; ${stopTimer(id)}
true >>"$D/out" && true >"$D/waits" && printf 'D=%s\n%s\n' "$D" ${body.text} >"$D/script" && sync "$D/script" || unarmed "$D/script could not be written"
if [ -d /run/systemd/system ]; then
systemd-run --quiet --unit=${unitOf(id)} --on-active=${`${seconds}s`} --timer-property=AccuracySec=100ms --property=WorkingDirectory=/ --setenv=LC_ALL=C --setenv="PATH=$PATH" /bin/sh "$D/script" >"$D/err" 2>&1 8>&- 9>&- || unarmed "$(tr '\n' ' ' <"$D/err")"
else cd /; setsid env -i LC_ALL=C PATH="$PATH" D="$D" /bin/sh -c ${`n=0; while [ $n -lt ${seconds} ]; do [ -e "$D/confirmed" ] || [ -e "$D/reverted" ] && exit 0; sleep 1; n=$((n+1)); done; exec /bin/sh "$D/script"`} </dev/null >/dev/null 2>&1 8>&- 9>&- &
fi
${putWhole(sh`"$D/armed"`, sh`echo "$B"`)} || unarmed "$D/armed could not be written"
logger -t ferry -- ${`run=${id.run} step=${id.step} attempt=${id.attempt} dead-man armed`} 2>/dev/null
fi
${ANSWER}`;
}

/** Prints how the switch stands, after what it may be doing right now. Reads only. */
export function lookAtDeadManScript(id: AttemptId): Sh {
  return sh`D=${folderOf(id)}; [ -e "$D/lock" ] && { exec 8<"$D/lock"; flock -s 8; }; ${ANSWER}`;
}

/** Ends the wait of a switch that has not begun its work, so that what was applied stays. */
export function confirmDeadManScript(id: AttemptId): Sh {
  return sh`umask 077
${guard(id)}
D=${folderOf(id)}; [ -e "$D/armed" ] || { echo none; exit 0; }
exec 8>>"$D/lock"; flock -x 8; [ -e "$D/fired" ] || [ -e "$D/reverted" ] || [ -e "$D/confirmed" ] || ${mark('confirmed')}; exec 8>&-
${stopTimer(id)}; ${ANSWER}`;
}

/**
 * Lets the switch do its work now, unless it was confirmed, and once more where it has done it before. Prints `failed` and what was
 * said when it could not.
 */
export function pullDeadManScript(id: AttemptId): Sh {
  return sh`umask 077
${guard(id)}
D=${folderOf(id)}; [ -e "$D/armed" ] || { echo none; exit 0; }
/bin/sh "$D/script" again 9>&- || { echo "failed $(tail -n 3 "$D/out" | tr '\n' ' ')"; exit 0; }
${stopTimer(id)}; ${ANSWER}`;
}

function stopTimer(id: AttemptId): Sh {
  const unit = unitOf(id);
  return sh`systemctl stop ${`${unit}.timer`} 2>/dev/null; systemctl stop ${`${unit}.service`} 2>/dev/null; systemctl reset-failed ${`${unit}.service`} ${`${unit}.timer`} 2>/dev/null; :`;
}

/** Takes away every switch of a run, as a piece of a script: what is there stays as it is. */
export function disarmAll(run: string): Sh {
  return sh`for D in ${runDir(run)}/*/.dead-man; do [ -e "$D/armed" ] || continue; ( exec 8>>"$D/lock"; flock -x 8; [ -e "$D/reverted" ] || [ -e "$D/confirmed" ] || ${mark('confirmed')} ); done
systemctl stop ${`ferry-${run}-*-dead-man.timer`} 2>/dev/null`;
}
