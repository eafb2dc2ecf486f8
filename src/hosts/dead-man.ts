import { endDetachedScript } from './detached-scripts.ts';
import { guard } from './effect-scripts.ts';
import { type AttemptId, attemptDir, runDir, unitName } from './layout.ts';
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

/** A folder no effect can have, since their names begin with a letter. */
function folderOf(id: AttemptId): string {
  return `${attemptDir(id)}/.dead-man`;
}

function unitOf(id: AttemptId): string {
  return unitName(id, 'dead-man').replace(/\.service$/, '');
}

/** Prints the answer line: the state, and after `reverted` the exit code of `reload`. */
const ANSWER = sh`if [ -e "$D/confirmed" ]; then echo confirmed; elif [ -e "$D/reverted" ]; then echo "reverted $(cat "$D/reverted")"; elif [ -e "$D/armed" ]; then echo armed; else echo none; fi`;

/**
 * Arms the switch of an open attempt, once: a timer of its own where there is systemd, else a session that waits. Its script
 * and `confirmDeadManScript` take the same lock, so exactly one of them wins, also at the last moment. Prints `unarmed WHY`
 * when no timer could be set; then nothing waits.
 */
export function armDeadManScript(id: AttemptId, { afterMs, putBack, reload }: DeadMan): Sh {
  const seconds = Math.ceil(afterMs / 1000);
  // What is still at work of the attempt could change again what is put back.
  const body = sh`exec >>"$D/out" 2>&1 </dev/null
exec 8>>"$D/lock"; flock -x 8
[ -e "$D/confirmed" ] || [ -e "$D/reverted" ] && exit 0
( ${endDetachedScript(id)} ) 8>&-
umask 022; sh -c ${putBack.text} 8>&- || { echo "what was kept could not be put back: exit code $?"; exit 1; }
${reload === null ? sh`r=0` : sh`timeout ${RELOAD_S} sh -c ${reload} 8>&-; r=$?`}
umask 077; echo $r >"$D/reverted.new"; sync "$D/reverted.new"; mv "$D/reverted.new" "$D/reverted"; sync -f "$D"
logger -t ferry -- ${`run=${id.run} step=${id.step} attempt=${id.attempt} dead-man reverted`} 2>/dev/null; exit 0`;
  return sh`umask 077
${guard(id)}
D=${folderOf(id)}; mkdir -p "$D"; exec 8>>"$D/lock"; flock -x 8
if [ ! -e "$D/armed" ]; then
printf 'D=%s\n%s\n' "$D" ${body.text} >"$D/script"; sync "$D/script"; : >"$D/armed"; sync -f "$D"
logger -t ferry -- ${`run=${id.run} step=${id.step} attempt=${id.attempt} dead-man armed`} 2>/dev/null
if [ -d /run/systemd/system ]; then
systemd-run --quiet --unit=${unitOf(id)} --on-active=${`${seconds}s`} --timer-property=AccuracySec=100ms --property=WorkingDirectory=/ --setenv=LC_ALL=C --setenv="PATH=$PATH" /bin/sh "$D/script" >"$D/err" 2>&1 8>&- 9>&- || { rm -f "$D/armed"; echo "unarmed $(tr '\n' ' ' <"$D/err")"; exit 0; }
else cd /; setsid env -i LC_ALL=C PATH="$PATH" D="$D" /bin/sh -c ${`n=0; while [ $n -lt ${seconds} ]; do [ -e "$D/confirmed" ] || [ -e "$D/reverted" ] && exit 0; sleep 1; n=$((n+1)); done; exec /bin/sh "$D/script"`} </dev/null >/dev/null 2>&1 8>&- 9>&- &
fi; fi
${ANSWER}`;
}

/** Prints how the switch stands, after what it may be doing right now. Reads only. */
export function lookAtDeadManScript(id: AttemptId): Sh {
  return sh`D=${folderOf(id)}; [ -e "$D/lock" ] && { exec 8<"$D/lock"; flock -s 8; }; ${ANSWER}`;
}

/** Ends the wait of a switch that has not done its work, so that what was applied stays. */
export function confirmDeadManScript(id: AttemptId): Sh {
  return sh`umask 077
${guard(id)}
D=${folderOf(id)}; [ -e "$D/armed" ] || { echo none; exit 0; }
exec 8>>"$D/lock"; flock -x 8; [ -e "$D/reverted" ] || { : >"$D/confirmed"; sync -f "$D"; }; exec 8>&-
${stopTimer(id)}; ${ANSWER}`;
}

/** Lets the switch do its work now, unless it was confirmed. Prints `failed` and what was said when it could not. */
export function pullDeadManScript(id: AttemptId): Sh {
  return sh`umask 077
${guard(id)}
D=${folderOf(id)}; [ -e "$D/armed" ] || { echo none; exit 0; }
/bin/sh "$D/script" 9>&- || { echo "failed $(tail -n 3 "$D/out" | tr '\n' ' ')"; exit 0; }
${stopTimer(id)}; ${ANSWER}`;
}

function stopTimer(id: AttemptId): Sh {
  const unit = unitOf(id);
  return sh`systemctl stop ${`${unit}.timer`} 2>/dev/null; systemctl reset-failed ${`${unit}.service`} ${`${unit}.timer`} 2>/dev/null; :`;
}

/** Takes away every switch of a run, as a piece of a script: what is there stays as it is. */
export function disarmAll(run: string): Sh {
  return sh`for D in ${runDir(run)}/*/.dead-man; do [ -e "$D/armed" ] || continue; ( exec 8>>"$D/lock"; flock -x 8; [ -e "$D/reverted" ] || : >"$D/confirmed" ); done
systemctl stop ${`ferry-${run}-*-dead-man.timer`} 2>/dev/null`;
}
