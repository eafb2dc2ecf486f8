import { AS_OWNER, dropKeyLines } from './authorized-keys.ts';
import { epochMark } from './journal-copy.ts';
import { FERRY_DIR, runDir, SECRETS_DIR } from './layout.ts';
import { type Sh, sh } from './sh.ts';

/**
 * What a run has on a host: bytes in its folder, and whether it may go; `held` while the run has the lease, `busy` while something of
 * it runs, `plan-only` for a login that may remove nothing.
 */
export interface RunTraces {
  readonly state: 'free' | 'held' | 'busy' | 'plan-only';
  readonly bytes: number;
}

/** Something a run that is dead left on a host outside its folder. */
export interface Leftover {
  readonly run: string;
  /** `secrets`: a folder under /run/ferry. `key`: lines of a transfer in an authorized_keys. `unit`: a unit that failed. */
  readonly kind: 'secrets' | 'key' | 'unit';
  readonly where: string;
}

/** Shell functions that judge a run on this machine: `held RUN` has the lease, `busy RUN` has something at work. */
const JUDGE = sh`L=${`${FERRY_DIR}/lease`}; H=$(cat "$L" 2>/dev/null || :); H="\${H%% *}"
busy() { [ -z "$(systemctl list-units --plain --no-legend --state=active,activating,deactivating,reloading "ferry-$1-*" 2>/dev/null)" ] || return 0
for l in ${FERRY_DIR}/"$1"/*/*.alive ${FERRY_DIR}/"$1"/*/*/held; do [ ! -e "$l" ] || [ -s "\${l%held}rc" ] || flock -n "$l" true || return 0; done; return 1; }
size() { k=0; for p in "$@"; do [ ! -e "$p" ] || k=$((k + $(du -sk "$p" | cut -f1))); done; echo $((k * 1024)); }`;

/** Prints `free|held|busy|plan-only BYTES` for a run. Reads only. */
export function tracesScript(run: string): Sh {
  return sh`${JUDGE}
s=free; if [ "$H" = ${run} ]; then s=held; elif busy ${run}; then s=busy; fi; [ -z "\${FERRY_PLAN_ONLY:-}" ] || s=plan-only; echo "$s $(size ${runDir(run)} ${epochMark(run)})"`;
}

/**
 * Removes what a run has on this machine, kept bytes too, unless it holds the machine or is at work there; prints what
 * `tracesScript` does, with the bytes that are free now. The mark of a run that was shut out stays: its controller may still live.
 */
export function cleanScript(run: string): Sh {
  const folder = runDir(run);
  return sh`[ -z "\${FERRY_PLAN_ONLY:-}" ] || { echo "plan-only 0"; exit 0; }
[ -d ${FERRY_DIR} ] || { echo "free 0"; exit 0; }; umask 077; exec 9>>${`${FERRY_DIR}/lease.lock`}; flock -x 9
${JUDGE}
if [ "$H" = ${run} ]; then echo "held 0"; exit 0; fi; if busy ${run}; then echo "busy 0"; exit 0; fi
b=$(size ${folder} ${epochMark(run)})
if [ -e ${`${folder}/abandoned`} ]; then find ${folder} -mindepth 1 -maxdepth 1 ! -name abandoned -exec rm -rf -- {} + || exit 1; else rm -rf -- ${folder} ${epochMark(run)} || exit 1; fi
echo "free $b"`;
}

/**
 * Finds what runs that are dead left outside their folders, and with `isRemoved` removes it; prints a line each, `KIND RUN WHERE`. A
 * run is dead where it neither holds the machine nor is at work there, and is none of `alive`. Fails when all else is done where a key could
 * not be removed.
 */
export function leftoversScript(alive: readonly string[], isRemoved: boolean): Sh {
  const remove = isRemoved ? 1 : 0;
  return sh`[ ${remove} = 0 ] || [ -z "\${FERRY_PLAN_ONLY:-}" ] || exit 0
${JUDGE}
R=${remove}; dead() { [ "$1" != "$H" ] && case ${`\n${alive.join('\n')}\n`} in *"
$1
"*) false;; *) ! busy "$1";; esac; }
for d in ${SECRETS_DIR}/*/; do d="\${d%/}"; r="\${d##*/}"; [ -d "$d" ] && dead "$r" || continue; echo "secrets $r $d"; [ $R = 0 ] || rm -rf -- "$d"; done
systemctl list-units --all --plain --no-legend --state=failed,inactive 'ferry-r-*' 2>/dev/null | while read -r u rest; do
r=$(echo "$u" | sed -n 's/^ferry-\\(r-[0-9]*-[0-9]*-[0-9a-f]*\\)-.*/\\1/p'); [ -n "$r" ] && dead "$r" || continue; echo "unit $r $u"; [ $R = 0 ] || systemctl reset-failed "$u" 2>/dev/null; done
[ -d ${FERRY_DIR} ] && { exec 7>>${`${FERRY_DIR}/authorized_keys.lock`}; flock -x 7; }
${AS_OWNER}
getent passwd | cut -d: -f6 | sort -u | { left=; while IFS= read -r h; do a="$h/.ssh/authorized_keys"; [ -f "$a" ] || continue
for r in $(as_owner "\${a%/*}" 'cat authorized_keys' 2>/dev/null | grep -ao 'ferry:r-[0-9]*-[0-9]*-[0-9a-f]*:' | cut -d: -f2 | sort -u); do dead "$r" || continue
if [ $R = 0 ] || ${dropKeyLines(sh`"ferry:$r:"`)}; then echo "key $r $a"; else left=1; fi; done; done; [ -z "$left" ]; }`;
}

/** Reads the line of `tracesScript` and `cleanScript`; null when it is none. */
export function parseTraces(stdout: string): RunTraces | null {
  const [, state, bytes] = /^(free|held|busy|plan-only) (\d+)$/m.exec(stdout) ?? [];
  return state && bytes ? { state: state as RunTraces['state'], bytes: Number(bytes) } : null;
}

/** Reads the lines of `leftoversScript`. */
export function parseLeftovers(stdout: string): Leftover[] {
  return stdout.split('\n').flatMap((line): Leftover[] => {
    const [, kind, run, where] = /^(secrets|key|unit) (\S+) (.+)$/.exec(line) ?? [];
    return kind && run && where ? [{ kind: kind as Leftover['kind'], run, where }] : [];
  });
}
