import { LEAVE_CODE } from './exit-code.ts';
import { epochCheck } from './journal-copy.ts';
import { type AttemptId, type Attempts, attemptDir, DEAD_MAN, FERRY_DIR } from './layout.ts';
import { POSTMORTEM, RECORD_BOOT } from './postmortem.ts';
import { type Sh, sh } from './sh.ts';

/**
 * The guard every mutating command passes: the attempt is open, and the run still belongs to this epoch. It is held
 * under a shared lock, so that a takeover, which wants it alone, waits for short commands under way.
 */
export function guard(id: AttemptId): Sh {
  return sh`A=${attemptDir(id)}; exec 9>>${`${FERRY_DIR}/lock`}; flock -s 9
[ -e "$A/intent.json" ] || { echo no-attempt; exit 0; }
${epochCheck(id.run, id.epoch)}`;
}

/**
 * Goes no further, with `fired`, where the attempt's dead-man switch has begun its work: what it puts back is not to be changed by
 * whoever comes late. Needs `$A`.
 */
export const REFUSE_FIRED = sh`{ [ ! -e "$A/"${`${DEAD_MAN}/fired`} ] && [ ! -e "$A/"${`${DEAD_MAN}/reverted`} ]; } || { echo fired; exit 0; }`;

/**
 * Takes all of stdin before anything is done with it, and goes no further with less than `bytes` of it: a connection that
 * breaks ends the stream in the middle, and half a script is still a script. It waits in a tmpfs, in a file that has no name
 * any more when the first byte comes, so that nothing stays behind however this ends.
 */
export function wholeStdin(bytes: number): Sh {
  return sh`I=$(mktemp -p /run ferry-stdin.XXXXXX) || exit 1; exec 7>"$I" 6<"$I" 5<"$I"; rm -f "$I"; cat >&7; n=$(wc -c <&5); exec <&6 5<&- 6<&- 7>&-
[ "$n" -eq ${bytes} ] || { echo cut; exit 0; }`;
}

/** How much of what a short command printed is given back of each stream, from its beginning. */
export const OUTPUT_HEAD_BYTES = 1_048_576;

/** Prints the answer line, then what the command printed on each stream, bounded; waits for what outlives its shell. */
const REPORT = sh`[ -s "$F/rc" ] || flock -x "$F/held" true; if [ -s "$F/rc" ]; then echo "exited $(cat "$F/rc")"; head -c ${OUTPUT_HEAD_BYTES} "$F/out"; head -c ${OUTPUT_HEAD_BYTES} "$F/err" >&2; else u=; echo "lost $(${POSTMORTEM})"; fi`;

/**
 * Takes the effect's own lock as file 8, before its folder is made: who comes second, as a call tried again over a fresh
 * connection does, waits until the first has run its command or started its unit, and never takes a beginning for an end. Only with
 * the lock it asks for the dead-man switch, which looks for locks once it has begun: one of the two sees the other.
 */
export const TAKE_LOCK = sh`exec 8>>"$F.alive"; flock -x 8
${REFUSE_FIRED}`;

/**
 * Runs `command` at most once per attempt and name. The folder is made by an atomic mkdir; who comes second waits for the
 * first and gets its result. The effect's lock tells a command that still runs from one that died. Whatever the command starts
 * inherits another, `held`, as file 6: its shell may be killed alone, and what it began is not dead then. A daemon may keep that
 * one for good, so it counts only while there is no exit code.
 */
export function changeScript(id: AttemptId, name: string, command: Sh, stdinBytes = 0): Sh {
  return sh`umask 077
${stdinBytes > 0 ? wholeStdin(stdinBytes) : sh`:`}
${guard(id)}
F="$A/"${name}; ${TAKE_LOCK}
if mkdir "$F" 2>/dev/null; then ${RECORD_BOOT}
logger -t ferry -- ${`run=${id.run} step=${id.step} attempt=${id.attempt}${id.undo ? ' undo' : ''} change=${name}`} 2>/dev/null
exec 6>>"$F/held"; flock -x 6
umask 022; sh -c ${command.text} >"$F/out" 2>"$F/err" 8>&- 9>&-; r=$?; umask 077; exec 6>&-
${LEAVE_CODE}
fi
${REPORT}`;
}

/** Prints the exit codes that a command of a step has left on a host, one a line for each of these attempts in which it ended. */
export function exitCodesScript({ run, step, attempts }: Attempts, effect: string): Sh {
  const files = attempts.map((attempt) => `${attemptDir({ run, step, attempt, undo: false })}/${effect}/rc`);
  return sh`for F in ${files}; do [ -s "$F" ] && cat "$F"; done; :`;
}
