import { FERRY_DIR, runDir } from './layout.ts';
import { putWhole } from './put-whole.ts';
import { type Sh, sh } from './sh.ts';

/** How a run ended that left nothing on a host: taken back to before its first step, or never begun there. */
export type Ended = 'taken-back' | 'not-begun';

/** What a machine tells of a run that worked there. */
export interface RunThere {
  /** Runs that worked there after it, oldest first, and were not taken back; none while it has the lease. */
  readonly newer: readonly string[];
  /** Whether it was taken back to before its first step, and gave the machine back. */
  readonly isTakenBack: boolean;
}

/** The runs that worked on this machine, a line each, oldest first; those that left nothing are taken out again. */
const RUNS = `${FERRY_DIR}/runs`;
const takenBack = (run: string) => `${runDir(run)}/taken-back`;

/** A piece of script that says once that a run works here. Needs the lock of leases. */
export function writeLine(run: string): Sh {
  return sh`grep -qxF -e ${run} ${RUNS} 2>/dev/null || ${putWhole(sh`${RUNS}`, sh`cat ${RUNS} 2>/dev/null; printf '%s\\n' ${run}`)} || exit 1`;
}

/**
 * A piece of script that says that nothing of a run is left here. Needs the lock of leases. That it was taken back outlives its
 * line, and counts where a full disk lets that stand.
 */
export function takeOutLine(run: string, ended: Ended): Sh {
  const mark = sh`[ ! -d ${runDir(run)} ] || { true >${takenBack(run)} && sync ${takenBack(run)} ${runDir(run)}; } || exit 1`;
  return sh`${ended === 'taken-back' ? mark : sh`:`}
if grep -qxF -e ${run} ${RUNS} 2>/dev/null; then ${putWhole(sh`${RUNS}`, sh`grep -vxF -e ${run} ${RUNS} || :`)} || :; fi`;
}

/**
 * A piece of script that prints `taken-back` of such a run, and else `newer RUN` for each that worked here after it. Where an older
 * release took the host for it, that is every run that is written down. Nothing while the run has the lease. Reads only.
 */
export function runsSince(run: string): Sh {
  return sh`H=$(cat ${`${FERRY_DIR}/lease`} 2>/dev/null || :); [ "\${H%% *}" != ${run} ] || exit 0
[ ! -e ${takenBack(run)} ] || { echo taken-back; exit 0; }
{ if grep -qxF -e ${run} ${RUNS}; then sed -n ${`/^${run}$/,$p`} ${RUNS} | tail -n +2; else cat ${RUNS}; fi; } 2>/dev/null | while read -r r; do [ -e ${FERRY_DIR}/"$r"/taken-back ] || echo "newer $r"; done; :`;
}

/** Reads the lines of `runsSince`. */
export function parseRunsSince(stdout: string): RunThere {
  const newer = [...stdout.matchAll(/^newer (r-[\w-]+)$/gm)].flatMap(([, run]) => run ?? []);
  return { newer, isTakenBack: /^taken-back$/m.test(stdout) };
}
