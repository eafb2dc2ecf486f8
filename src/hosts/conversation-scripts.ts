import { markKill } from './detached-scripts.ts';
import { guard, REFUSE_FIRED, TAKE_LOCK } from './effect-scripts.ts';
import { LEAVE_CODE } from './exit-code.ts';
import { type AttemptId, attemptDir, FERRY_DIR, unitName } from './layout.ts';
import { POSTMORTEM, RECORD_BOOT } from './postmortem.ts';
import { type Sh, sh } from './sh.ts';

/**
 * Runs `command` at the terminal this script was started at, at most once per attempt and name. It leaves what a detached command
 * leaves (its session, a lock and a mark in the environment that all it starts inherits), so that whoever ends those ends this one
 * too, though no unit has its name. Its shell dies of the hangup, and then leaves no exit code. Echo is switched off: what is typed
 * is not for a screen. What is here no more when the terminal comes up, ended or counted as lost, does not begin.
 */
export function conversationScript(id: AttemptId, name: string, command: Sh, kill = false): Sh {
  return sh`umask 077
${guard(id)}
F="$A/"${name}; ${TAKE_LOCK}
mkdir "$F" 2>/dev/null || exit 0
if true >"$F/out" && ${markKill(kill)} && ${RECORD_BOOT} && echo ${unitName(id, name)} >"$F/unit" && echo terminal >"$F/how" && mkdir "$F/begun"; then
logger -t ferry -- ${`run=${id.run} step=${id.step} attempt=${id.attempt}${id.undo ? ' undo' : ''} terminal=${name}`} 2>/dev/null
read -r S </proc/$$/stat; set -- \${S##*) }; P=$4; read -r S <"/proc/$P/stat"; set -- \${S##*) }; echo "$P \${20}" >"$F/pid"
exec 6>>"$F/held"; flock -x 6; exec 8>&- 9>&-
stty -echo cols 1000 rows 50 2>/dev/null
FERRY_EFFECT="\${F#${FERRY_DIR}/}"; export FERRY_EFFECT
umask 022; env -i LC_ALL=C PATH="$PATH" TERM=dumb FERRY_EFFECT="$FERRY_EFFECT" sh -c ${command.text}; r=$?; umask 077
[ -e "$F/ended" ] && exit 143
${LEAVE_CODE}
else true >"$F/unwritten"; fi`;
}

/**
 * Tells in one line how a conversation stands: `none`, `running`, `exited CODE`, or `lost` with what is known of how it died; or
 * `fired` for one that is not to be begun any more.
 */
export function conversationStateScript(id: AttemptId, name: string): Sh {
  return sh`${guard(id)}
${REFUSE_FIRED}
F=${`${attemptDir(id)}/${name}`}; u=; [ -d "$F" ] || { echo none; exit 0; }
exec 8>>"$F.alive"; flock -x 8
if [ -s "$F/rc" ]; then echo "exited $(cat "$F/rc")"; elif [ -e "$F/held" ] && ! flock -n "$F/held" true; then echo running
else echo "lost $(${POSTMORTEM})"; fi`;
}
